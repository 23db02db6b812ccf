#include "asyncio/http/headers.h"

#include <asyncio/detail/repr.h>

#include <algorithm>
#include <stdexcept>

namespace asyncio::http {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

bool detail::same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

void Headers::append_to_last(std::string_view more) {
  if (!fields_.empty()) fields_.back().second.append(" ").append(more);
}

const std::string* Headers::find(std::string_view name) const noexcept {
  for (const auto& [field, value] : fields_) {
    if (detail::same_name(field, name)) return &value;
  }
  return nullptr;
}

const std::string& Headers::operator[](std::string_view name) const {
  const std::string* value = find(name);
  if (!value) throw std::out_of_range("there is no header " + asyncio::detail::python_repr(name));
  return *value;
}

std::string Headers::get(std::string_view name, std::string_view fallback) const {
  const std::string* value = find(name);
  return value ? *value : std::string(fallback);
}

std::vector<std::string> Headers::getall(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [field, value] : fields_) {
    if (detail::same_name(field, name)) values.push_back(value);
  }
  return values;
}

}  // namespace asyncio::http

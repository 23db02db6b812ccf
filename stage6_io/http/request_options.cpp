#include "asyncio/http/request_options.h"

#include <asyncio/detail/repr.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace asyncio::http {
namespace {

bool is_alphanumeric(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

void append_pair(std::string& pairs, std::string_view name, std::string_view value) {
  if (!pairs.empty()) pairs += '&';
  pairs += detail::percent_encode(name) + '=' + detail::percent_encode(value);
}

}  // namespace

std::string detail::percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kHex[byte / 16], kHex[byte % 16]};
    }
  }
  return encoded;
}

bool detail::is_token(std::string_view text) noexcept {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [&](char c) { return is_alphanumeric(c) || kOthers.find(c) != kOthers.npos; });
}

void detail::check_header(std::string_view name, std::string_view value) {
  if (!is_token(name)) throw std::invalid_argument("not the name of a header: " + asyncio::detail::python_repr(name));
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != value.npos) {
    throw std::invalid_argument("a line break, or a NUL, in the value of the header " + std::string(name));
  }
}

RequestOptions& RequestOptions::param(std::string_view name, std::string_view value) {
  append_pair(query_, name, value);
  return *this;
}

RequestOptions& RequestOptions::header(std::string_view name, std::string_view value) {
  detail::check_header(name, value);
  headers_.add(name, value);
  return *this;
}

RequestOptions& RequestOptions::data(std::string bytes, std::string_view type) {
  detail::check_header("Content-Type", type);
  body_ = std::move(bytes);
  content_type_ = type;
  return *this;
}

RequestOptions& RequestOptions::form(std::string_view name, std::string_view value) {
  constexpr std::string_view kForm = "application/x-www-form-urlencoded";
  if (content_type_ != kForm) data(std::string(), kForm);
  append_pair(*body_, name, value);
  return *this;
}

SessionOptions& SessionOptions::header(std::string_view name, std::string_view value) {
  detail::check_header(name, value);
  headers_.add(name, value);
  return *this;
}

}  // namespace asyncio::http

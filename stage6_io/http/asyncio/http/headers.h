// Headers: names and values in the order in which they came; the case of a name does not matter.
// Mirrors: the CIMultiDict of aiohttp. Read next: request_options.h
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::http {

/// The same name may be there several times (Set-Cookie is, often).
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  void add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }
  void clear() noexcept { fields_.clear(); }
  /// A line that goes on with the header of the line before. (Nobody has sent these since 2014, or should have.)
  void append_to_last(std::string_view more);

  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }
  /// The first of that name; throws std::out_of_range if there is none.
  const std::string& operator[](std::string_view name) const;
  /// … or `fallback`.
  std::string get(std::string_view name, std::string_view fallback = "") const;
  std::vector<std::string> getall(std::string_view name) const;

  std::size_t size() const noexcept { return fields_.size(); }
  auto begin() const noexcept { return fields_.begin(); }
  auto end() const noexcept { return fields_.end(); }

 private:
  const std::string* find(std::string_view name) const noexcept;

  std::vector<Field> fields_;
};

}  // namespace asyncio::http

// Headers: names and values in order of arrival; names ignore case.
// Mirrors: the CIMultiDict of aiohttp. Read next: client_response.h
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::http {

/// A name may appear several times (Set-Cookie often does).
class Headers {
 public:
  /// A name, as it was written, and a value.
  using Field = std::pair<std::string, std::string>;

  /// Adds a field behind those of the same name.
  void add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }
  /// Removes all.
  void clear() noexcept { fields_.clear(); }
  /// Continues the last header's value: "obsolete line folding", deprecated since 2014. [RFC 9112, 5.2]
  void append_to_last(std::string_view more);

  /// Whether there is a field of this name; upper and lower case are the same.
  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }
  /// The first value of that name; throws std::out_of_range if there is none.
  const std::string& operator[](std::string_view name) const;
  /// The first value, or `fallback`.
  std::string get(std::string_view name, std::string_view fallback = "") const;
  /// All values of this name, in their order.
  std::vector<std::string> getall(std::string_view name) const;

  /// How many fields there are.
  std::size_t size() const noexcept { return fields_.size(); }
  /// In their order.
  auto begin() const noexcept { return fields_.begin(); }
  /// Behind the last one.
  auto end() const noexcept { return fields_.end(); }

 private:
  const std::string* find(std::string_view name) const noexcept;

  std::vector<Field> fields_;
};

namespace detail {
bool same_name(std::string_view a, std::string_view b) noexcept;  // ignoring case
}  // namespace detail

}  // namespace asyncio::http

// For the whole header, unless a name says otherwise:
// Threads: any thread; one object belongs to one thread at a time.
// Ticks: none.
// Errors: std::out_of_range from operator[].
// Units: size() counts fields.

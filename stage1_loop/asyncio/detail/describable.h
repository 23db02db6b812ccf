// What an observer may ask of the things it hears of. They answer when asked, so that nothing is paid by the others.
// Skip on a first reading. Read next: ../observer.h
#pragma once

#include <asyncio/detail/attributes.h>

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio {

/// A line in a function. Empty, 0: unknown.
struct Place {
  std::string function;   // "main", "<lambda>"; empty for a place of which only the line is known
  const char* file = "";  // as the compiler was given it
  std::uint32_t line = 0;
};

namespace detail {

/// "asyncio::Coro<int> Shop::sell(int) [with …]" → "Shop::sell"; a lambda → "<lambda>".
/// A part of a literal.
std::string_view function_name(const std::source_location& where) noexcept;
Place place_of(const std::source_location& where);

class Describable {
 public:
  enum class Kind : std::uint8_t { callback, timer, descriptor, posted, task, future };

  virtual Kind kind() const noexcept = 0;
  virtual std::string name() const { return {}; }
  virtual std::string repr() const = 0;
  /// Where a callback was scheduled; line 0: unknown. A literal, which outlives the callback.
  virtual std::source_location where() const noexcept { return {}; }
  virtual std::vector<Place> places() const {
    if (where().line() == 0) return {};
    return {place_of(where())};
  }
  /// A callback that will not run, as it was cancelled.
  virtual bool skipped() const noexcept { return false; }
  /// A task whose first step has not begun.
  virtual bool is_new() const noexcept { return false; }

  /// One address for all bases of an object.
  const void* address() const noexcept { return dynamic_cast<const void*>(this); }

 protected:
  ~Describable() = default;
};

}  // namespace detail
}  // namespace asyncio

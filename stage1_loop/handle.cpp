#include "asyncio/handle.h"

#include "asyncio/loop.h"

#include <cstdio>
#include <new>
#include <string_view>

namespace asyncio::detail {

std::string file_and_line(const std::source_location& where) {
  const std::string_view path = where.file_name();
  return std::string(path.substr(path.find_last_of('/') + 1)) + ":" + std::to_string(where.line());
}

void report_callback_exception(Loop& loop, const std::source_location& where, const Runnable* handle) {
  if (current_exception_is_fatal()) throw;
  const std::exception_ptr error = std::current_exception();
  try {
    ErrorContext context("Exception in callback scheduled at " + file_and_line(where), error);
    if (handle) context.with("handle", handle->repr());
    loop.call_exception_handler(context);
  } catch (const std::bad_alloc&) {
    report_without_memory("Exception in callback");
  }
}

std::string HandleState::describe(const std::string& kind, const std::string& more) const {
  return "<" + kind + (cancelled_ ? " cancelled" + more : more + " " + place()) + ">";
}

std::string HandleState::place() const { return "created at " + file_and_line(origin()->where); }

std::string HandleState::repr() const { return describe("Handle"); }

std::string TimerState::repr() const {
  char when[48];
  std::snprintf(when, sizeof when, " when=%.6f", std::chrono::duration<double>(when_.time_since_epoch()).count());
  return describe("TimerHandle", when);
}

}  // namespace asyncio::detail

// A failed system call as an exception: std::system_error, whose text names the call, and the address if there is one.
// Mirrors: OSError and its subclasses (ConnectionRefusedError is std::errc::connection_refused, and so on).
#pragma once

#include <exception>
#include <string>
#include <system_error>

namespace asyncio::detail {

inline std::system_error system_error(int error, const std::string& what) {
  return std::system_error(error, std::generic_category(), what);
}

/// Whether `error` is one, as Python asks isinstance(error, OSError): a failure of the connection, and no fault of the
/// program. REQUIRES: not null.
inline bool is_system_error(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const std::system_error&) {
    return true;
  } catch (...) {
    return false;
  }
}

[[noreturn]] inline void throw_system_error(int error, const std::string& what) { throw system_error(error, what); }

}  // namespace asyncio::detail

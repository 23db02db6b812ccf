// A failed system call as an exception: std::system_error, with the call in the text, and the address if there is one.
// Mirrors: OSError and its kin (ConnectionRefusedError is std::errc::connection_refused, and so on).
// Read next: whatever throws it
#pragma once

#include <exception>
#include <string>
#include <system_error>

namespace asyncio::detail {

inline std::system_error system_error(int error, const std::string& what) {
  return std::system_error(error, std::generic_category(), what);
}

[[noreturn]] inline void throw_system_error(int error, const std::string& what) { throw system_error(error, what); }

}  // namespace asyncio::detail

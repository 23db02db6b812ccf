// Text on its way to the system, which ends it at its first '\0'.
// Read next: ../../../stage6_io/3_sockets/asyncio/address.h
#pragma once

#include <stdexcept>
#include <string_view>

namespace asyncio::detail {

/// Throws std::invalid_argument for a '\0' in `text`: the system would take what stands before it for the whole, and a
/// check that somebody made of the whole would have been for nothing.
inline void check_c_string(std::string_view text) {
  if (text.find('\0') != text.npos) throw std::invalid_argument("embedded null byte");
}

}  // namespace asyncio::detail

// The marks at which a transport pauses and resumes its protocol, with the defaults filled in.
// Mirrors: Lib/asyncio/transports.py, _FlowControlMixin._set_write_buffer_limits; sslproto.py, add_flowcontrol_defaults.
#pragma once

#include <asyncio/transports.h>

#include <cstddef>
#include <stdexcept>
#include <string>

namespace asyncio::detail {

/// In bytes.
struct FlowLimits {
  std::size_t high;
  std::size_t low;
};

/// Without `limits.high`, high is four times `limits.low` or, without that too, `default_high`. Without `limits.low`, low
/// is a quarter of high. Throws std::invalid_argument if high < low.
inline FlowLimits with_defaults(WriteBufferLimits limits, std::size_t default_high) {
  const std::size_t high = limits.high ? *limits.high : limits.low ? 4 * *limits.low : default_high;
  const std::size_t low = limits.low.value_or(high / 4);
  if (high < low) {
    throw std::invalid_argument("high (" + std::to_string(high) + ") must be >= low (" + std::to_string(low) +
                                ") must be >= 0");
  }
  return {high, low};
}

}  // namespace asyncio::detail

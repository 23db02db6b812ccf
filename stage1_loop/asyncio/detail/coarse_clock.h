// A clock that advances in steps of a few milliseconds. Reading it costs a fifth of reading Clock.
// Skip on a first reading. Read next: ../core.h
#pragma once

#include <cstdint>

namespace asyncio::detail {

class CoarseClock {
 public:
  /// Whether it has advanced since the last call. Always true on a system without such a clock.
  bool has_advanced() noexcept;

 private:
  std::int64_t last_ = 0;
};

}  // namespace asyncio::detail

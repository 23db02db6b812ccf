// The library that the demo runs on, as `lib`: asyncio or, compiled with -DBY_HAND, the small asyncio of by_hand/.
#pragma once

#ifdef BY_HAND

#include <by_hand/loop.h>

#include <algorithm>

namespace by_hand {

/// Waiting moves its clock, and takes no time.
struct VirtualCore : Core {
  TimePoint now() override { return now_; }
  void wait(std::optional<TimePoint> deadline) override { now_ = std::max(now_, deadline.value()); }
  TimePoint now_{};
};

inline std::exception_ptr exception_of(std::exception_ptr exception) { return exception; }

}  // namespace by_hand

namespace lib = by_hand;

#else

#include <asyncio/loop.h>
#include <asyncio/observer.h>
#include <asyncio/virtual_core.h>

namespace asyncio {
inline std::exception_ptr exception_of(const ErrorContext& context) { return context.exception; }
}  // namespace asyncio

namespace lib = asyncio;

#endif

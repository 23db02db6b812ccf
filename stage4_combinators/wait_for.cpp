#include "asyncio/wait_for.h"

namespace asyncio::detail {

// The future itself is not what we wait for: a cancel of the caller would then count as ours, and be lost.
Coro<> cancel_and_wait(AnyFuture future) {
  WaitScope scope(Loop::running(), 1, WaitOptions());
  scope.add(future);
  future.cancel();
  co_await scope.released();
}

}  // namespace asyncio::detail

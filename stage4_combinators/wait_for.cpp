#include "asyncio/wait_for.h"

namespace asyncio::detail {

// Does not await the future itself: a cancel of the caller would then look like the future's, and be lost.
Coro<> cancel_and_wait(AnyFuture future) {
  WaitScope scope(Loop::running(), 1, WaitOptions());
  scope.add(future);
  future.cancel();
  co_await scope.released();
}

}  // namespace asyncio::detail

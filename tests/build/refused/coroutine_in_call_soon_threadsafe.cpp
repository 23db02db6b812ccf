// coroutines cannot be used with call_soon_threadsafe()
// test_base_events.py: BaseEventLoopWithSelectorTests.test_call_coroutine
#include <asyncio/coro.h>
#include <asyncio/loop.h>

void use(asyncio::Loop& loop) {
  const auto work = []() -> asyncio::Coro<> { co_return; };
  loop.call_soon_threadsafe(work);
}

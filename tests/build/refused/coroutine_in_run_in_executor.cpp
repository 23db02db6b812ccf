// coroutines cannot be used with run_in_executor()
// test_base_events.py: BaseEventLoopWithSelectorTests.test_call_coroutine
#include <asyncio/coro.h>
#include <asyncio/executor.h>

void use(asyncio::Loop& loop) {
  const auto work = []() -> asyncio::Coro<> { co_return; };
  asyncio::run_in_executor(loop, work);
}

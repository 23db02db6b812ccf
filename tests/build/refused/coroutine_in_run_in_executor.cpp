// coroutines cannot be used with run_in_executor()
// g++ 12:   error: static assertion failed: coroutines cannot be used with run_in_executor() or to_thread(): a
//             thread has no loop to run them
// clang 16: error: static assertion failed due to requirement '!detail::is_coro<asyncio::Coro<void>>': coroutines
//             cannot be used with run_in_executor() or to_thread(): a thread has no loop to run them
// test_base_events.py: BaseEventLoopWithSelectorTests.test_call_coroutine
#include <asyncio/coro.h>
#include <asyncio/executor.h>

void use(asyncio::Loop& loop) {
  const auto work = []() -> asyncio::Coro<> { co_return; };
  asyncio::run_in_executor(loop, work);
}

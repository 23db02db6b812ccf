// coroutines cannot be used with call_soon()
// g++ 12:   error: static assertion failed: coroutines cannot be used with call_soon(): call create_task() in the
//             callback
// clang 16: error: static assertion failed due to requirement '!detail::returns_coro<const (lambda at
//             coroutine_in_call_soon.cpp) &>': coroutines cannot be used with call_soon(): call create_task() in the
//             callback
// clang 16: warning: ignoring return value of function declared with 'nodiscard' attribute: a coroutine runs only if
//             it is awaited, or made a task [-Wunused-result]
// test_base_events.py: BaseEventLoopWithSelectorTests.test_call_coroutine
#include <asyncio/coro.h>
#include <asyncio/loop.h>

void use(asyncio::Loop& loop) {
  const auto work = []() -> asyncio::Coro<> { co_return; };
  loop.call_soon(work);
}

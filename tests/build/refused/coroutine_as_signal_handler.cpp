// coroutines cannot be used with add_signal_handler()
// g++ 12:   error: static assertion failed: coroutines cannot be used with add_signal_handler(): call create_task()
//             in the callback
// clang 16: error: static assertion failed due to requirement '!detail::returns_coro<(lambda at
//             coroutine_as_signal_handler.cpp)>': coroutines cannot be used with add_signal_handler(): call
//             create_task() in the callback
// test_unix_events.py: SelectorEventLoopSignalTests.test_add_signal_handler_coroutine_error
#include <asyncio/signals.h>

void handle(asyncio::Loop& loop) {
  asyncio::add_signal_handler(loop, 2, []() -> asyncio::Coro<> { co_return; });
}

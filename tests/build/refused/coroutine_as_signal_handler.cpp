// coroutines cannot be used with add_signal_handler()
// test_unix_events.py: SelectorEventLoopSignalTests.test_add_signal_handler_coroutine_error
#include <asyncio/signals.h>

void handle(asyncio::Loop& loop) {
  asyncio::add_signal_handler(loop, 2, []() -> asyncio::Coro<> { co_return; });
}

// coroutines cannot be used with add_done_callback()
// g++ 12:   error: static assertion failed: coroutines cannot be used with add_done_callback(): call create_task()
//             in the callback
// clang 16: error: static assertion failed due to requirement '!detail::returns_coro<(lambda at
//             coroutine_in_add_done_callback.cpp), asyncio::Future<void> &>': coroutines cannot be used with
//             add_done_callback(): call create_task() in the callback
// clang 16: warning: ignoring return value of function declared with 'nodiscard' attribute: a coroutine runs only if
//             it is awaited, or made a task [-Wunused-result]
#include <asyncio/coro.h>
#include <asyncio/future.h>

void use(const asyncio::Future<>& future) {
  future.add_done_callback([](const auto&) -> asyncio::Coro<> { co_return; });
}

// an awaiter that takes any std::coroutine_handle<> cannot be awaited in a task
// g++ 12:   error: static assertion failed: an awaiter that takes any std::coroutine_handle<> cannot be awaited in a
//             task: let the callback that would resume the handle complete a Future, and co_await that
// clang 16: error: static assertion failed due to requirement '!is_foreign_awaitable<std::suspend_always>': an
//             awaiter that takes any std::coroutine_handle<> cannot be awaited in a task: let the callback that
//             would resume the handle complete a Future, and co_await that
#include <asyncio/run.h>

#include <coroutine>

asyncio::Coro<> a_coroutine() { co_await std::suspend_always{}; }

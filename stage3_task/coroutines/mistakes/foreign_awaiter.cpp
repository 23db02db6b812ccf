// Mistake: an awaiter that knows no task, in a coroutine that a task drives. It would resume behind the task's back.
// g++ 12:   error: static assertion failed: an awaiter that takes any std::coroutine_handle<> cannot be awaited …
// clang 16: error: static assertion failed due to requirement '!is_foreign_awaitable<std::suspend_always>': …
#include <asyncio/coro.h>

#include <coroutine>

asyncio::Coro<> wait_for_whom() { co_await std::suspend_always(); }

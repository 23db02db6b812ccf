// an awaiter that takes any std::coroutine_handle<> cannot be awaited in a task
#include <asyncio/run.h>

#include <coroutine>

asyncio::Coro<> a_coroutine() { co_await std::suspend_always{}; }

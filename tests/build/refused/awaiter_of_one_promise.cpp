// this cannot be awaited: co_await takes a Coro, a Future, a Task, or an awaitable such as sleep(1s)
// g++ 12:   error: static assertion failed: this cannot be awaited: co_await takes a Coro, a Future, a Task, or an
//             awaitable such as sleep(1s)
// clang 16: error: static assertion failed due to requirement 'is_coro<Answer> || is_foreign_awaitable<Answer> ||
//             Awaitable<Answer>': this cannot be awaited: co_await takes a Coro, a Future, a Task, or an awaitable
//             such as sleep(1s)
#include <asyncio/run.h>

#include <coroutine>

struct Answer {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<asyncio::Coro<int>::promise_type>) {}
  int await_resume() const { return 42; }
};

asyncio::Coro<int> a_coroutine() {
  const int answer = co_await Answer();
  co_return answer;
}

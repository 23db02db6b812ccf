// an awaiter that takes any std::coroutine_handle<> cannot be awaited in a task
// g++ 12:   error: static assertion failed: an awaiter that takes any std::coroutine_handle<> cannot be awaited in a
//             task: let the callback that would resume the handle complete a Future, and co_await that
// clang 16: error: static assertion failed due to requirement '!is_foreign_awaitable<Answer>': an awaiter that takes
//             any std::coroutine_handle<> cannot be awaited in a task: let the callback that would resume the handle
//             complete a Future, and co_await that
#include <asyncio/run.h>

#include <coroutine>

struct Answer {
  bool await_ready() const { return false; }
  template <class Promise>
    requires requires(std::coroutine_handle<Promise> handle) { handle.promise(); }
  void await_suspend(std::coroutine_handle<Promise>) {}
  int await_resume() const { return 42; }
};

asyncio::Coro<int> a_coroutine() {
  const int answer = co_await Answer();
  co_return answer;
}

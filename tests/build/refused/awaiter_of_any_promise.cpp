// an awaiter that takes any std::coroutine_handle<> cannot be awaited in a task
// g++ 12:   error: static assertion failed: an awaiter that takes any std::coroutine_handle<> cannot be awaited in a
//             task: let the callback that would resume the handle complete a Future, and co_await that
// g++ 12:   error: void value not ignored as it ought to be
// clang 16: error: static assertion failed due to requirement '!is_foreign_awaitable<Answer>': an awaiter that takes
//             any std::coroutine_handle<> cannot be awaited in a task: let the callback that would resume the handle
//             complete a Future, and co_await that
// clang 16: error: cannot initialize return object of type 'int' with an rvalue of type 'void'
#include <asyncio/run.h>

#include <coroutine>

struct Answer {
  bool await_ready() const { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise>) {
    return true;
  }
  int await_resume() const { return 42; }
};

int main() { return asyncio::run(Answer()); }

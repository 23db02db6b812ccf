// an awaiter that takes any std::coroutine_handle<> cannot be awaited in a task
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

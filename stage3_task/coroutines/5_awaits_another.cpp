// A coroutine that awaits another, the obvious way: resume() the other, whose end calls resume() on its caller.
// Read next: 6_symmetric_transfer.cpp
#include <coroutine>
#include <iostream>

int depth = 0;  // how many calls of resume() are on the stack
void resume(std::coroutine_handle<> coroutine) { ++depth, coroutine.resume(), --depth; }

struct Coro : std::suspend_always {  // an awaiter that inherits await_ready and await_resume
  struct promise_type {
    struct Final : std::suspend_always {
      void await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
        if (self.promise().caller) resume(self.promise().caller);
      }
    };
    Coro get_return_object() { return {{}, std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }
    Final final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
    std::coroutine_handle<> caller;  // who awaits this coroutine
  };
  ~Coro() { frame.destroy(); }
  void await_suspend(std::coroutine_handle<> caller) const {
    frame.promise().caller = caller;
    resume(frame);
  }
  std::coroutine_handle<promise_type> frame;
};

Coro inner() { co_return; }
Coro outer(int awaits) {
  for (int i = 1; i <= awaits; ++i) {
    co_await inner();
    std::cout << "await " << i << ": " << depth << " calls of resume() on the stack\n";
  }
}

int main() { resume(outer(3).frame); }

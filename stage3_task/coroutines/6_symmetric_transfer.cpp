// Symmetric transfer: await_suspend returns the coroutine that runs next, and the compiler jumps there. Nothing is left
// on the stack. Read next: lifetimes.cpp
#include <coroutine>
#include <iostream>

struct Coro : std::suspend_always {
  struct promise_type {
    struct Final : std::suspend_always {
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
        return self.promise().caller;
      }
    };
    Coro get_return_object() { return {{}, std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }
    Final final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
    std::coroutine_handle<> caller = std::noop_coroutine();  // nobody: back to whoever called resume()
  };
  ~Coro() { frame.destroy(); }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) const {
    frame.promise().caller = caller;
    return frame;
  }
  std::coroutine_handle<promise_type> frame;
};

Coro inner() { co_return; }
Coro outer(int awaits) {
  for (int i = 1; i <= awaits; ++i) co_await inner();
  std::cout << awaits << " awaits, and the stack is as it was\n";
}

int main() { outer(1'000'000).frame.resume(); }

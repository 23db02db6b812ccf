// A coroutine that suspends: it stops in the middle of a loop, main goes on, and later resumes it where it stopped.
// Read next: 2_suspends_unfolded.cpp, or 3_returns.cpp
#include <coroutine>
#include <iostream>

struct Coro {
  struct promise_type {
    Coro get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }         // lazy: nothing runs before the first resume()
    std::suspend_always final_suspend() noexcept { return {}; }  // the frame stays until destroy()
    void return_void() {}
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<promise_type> frame;
};

Coro count_to(int last) {
  for (int i = 1; i <= last; ++i) {
    std::cout << "  count " << i << '\n';
    co_await std::suspend_always();
  }
}

int main() {
  const Coro counter = count_to(2);
  for (std::cout << "made\n"; !counter.frame.done(); counter.frame.resume()) std::cout << "main\n";
  std::cout << "done\n";
  counter.frame.destroy();
}

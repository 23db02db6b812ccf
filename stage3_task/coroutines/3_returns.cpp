// A coroutine that returns a value, or throws: both wait in the promise until somebody asks. Read next: 4_awaiter.cpp
#include <coroutine>
#include <exception>
#include <iostream>

struct Coro {
  struct promise_type {
    Coro get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }  // or the value would be gone with the frame
    void return_value(int result) { value = result; }
    void unhandled_exception() { error = std::current_exception(); }
    int value = 0;
    std::exception_ptr error;
  };
  ~Coro() { frame.destroy(); }
  int result() const {
    if (frame.promise().error) std::rethrow_exception(frame.promise().error);
    return frame.promise().value;
  }
  std::coroutine_handle<promise_type> frame;
};

Coro divide(int a, int b) {
  if (b == 0) throw "division by zero";
  co_return a / b;
}

int main() try {
  std::cout << "84 / 2 = " << divide(84, 2).result() << '\n';
  std::cout << "84 / 0 = " << divide(84, 0).result() << '\n';
} catch (const char* error) {
  std::cout << error << '\n';
}

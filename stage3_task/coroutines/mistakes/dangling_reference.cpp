// Mistake: a parameter by reference, and an argument that is gone when the coroutine begins.
// g++ 12:   nothing
// clang 16: nothing
// AddressSanitizer: stack-use-after-scope
#include <coroutine>
#include <string>

struct Coro {
  struct promise_type {
    Coro get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<promise_type> frame;
};

Coro measure(const std::string& text, std::size_t& length) {
  length = text.find('y');
  co_return;
}

int main() {
  std::size_t length = 0;
  const Coro coro = measure(std::string(100, 'x'), length);
  coro.frame.resume();
}

// Mistake: a lambda that captures by value, as a temporary beside co_await. g++ 12 destroys the capture once too often.
// g++ 12:   nothing
// g++ 12 prints: alive: -1
// clang 16: nothing
// clang 16 prints: alive: 0
#include <coroutine>
#include <iostream>

struct Coro {
  struct promise_type {
    Coro get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
};

int alive = 0;
struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  ~Counted() { --alive; }
};

template <class F>
std::suspend_never call(F function) {
  function();
  return {};
}

Coro use() {
  const Counted value;
  co_await call([value] {});  // instead: auto callback = [value] {}; co_await call(callback);
}

int main() {
  use();
  std::cout << "alive: " << alive << '\n';
}

// A coroutine that runs: from its first line to its last, like any function. Each call of the compiler prints its name.
// Read next: 2_suspends.cpp
#include <coroutine>
#include <iostream>

struct Coro {
  struct promise_type {
    Coro get_return_object() { return (std::cout << "get_return_object\n", Coro()); }
    std::suspend_never initial_suspend() { return (std::cout << "initial_suspend\n", std::suspend_never()); }
    std::suspend_never final_suspend() noexcept { return (std::cout << "final_suspend\n", std::suspend_never()); }
    void return_void() { std::cout << "return_void\n"; }
    void unhandled_exception() { throw; }
  };
};

Coro greet() {
  std::cout << "  hello from the coroutine\n";
  co_return;
}

int main() {
  greet();
  std::cout << "back in main\n";
}

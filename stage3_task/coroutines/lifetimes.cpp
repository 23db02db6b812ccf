// Lifetimes: what a coroutine keeps in its frame, and what it only refers to. Nothing here touches an object that is
// gone; the lines show when it went.
#include <coroutine>
#include <iostream>
#include <utility>

struct Coro {
  struct promise_type {
    Coro get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
  void run() const {
    while (!frame.done()) {
      std::cout << "    resume\n";
      frame.resume();
    }
    frame.destroy();
  }
  std::coroutine_handle<promise_type> frame;
};

struct Named {
  explicit Named(const char* name) : name(name) {}
  Named(Named&& other) : name(std::exchange(other.name, nullptr)) {}
  ~Named() {
    if (name) std::cout << "    " << name << " is destroyed\n";
  }
  const char* name;
};

// Parameters. By value: moved into the frame. By reference: the frame holds the reference and nothing more.
Coro by_value(Named) {
  std::cout << "    the body\n";
  co_return;
}
Coro by_reference(const Named&) {
  std::cout << "    the body\n";
  co_return;
}

// A temporary in an expression with co_await lives in the frame, until the end of that expression.
std::suspend_always suspend_with(const Named&) { return {}; }
Coro with_temporary() {
  co_await suspend_with(Named("the temporary"));
  std::cout << "    the next statement\n";
}

int main() {
  std::cout << "by value\n";
  const Coro first = by_value(Named("the argument"));
  first.run();

  std::cout << "by reference\n";
  const Coro second = by_reference(Named("the argument"));
  second.run();

  std::cout << "a lambda that is called and gone\n";
  const Coro third = [captured = Named("the capture")]() -> Coro {
    std::cout << "    the body\n";
    co_return;
  }();
  third.run();

  std::cout << "a lambda that has a name\n";
  {
    const auto lambda = [captured = Named("the capture")]() -> Coro {
      std::cout << "    the body\n";
      co_return;
    };
    lambda().run();
  }

  std::cout << "a temporary\n";
  with_temporary().run();
}

// An awaiter: three functions decide what `co_await letter` does. Read next: 5_awaits_another.cpp
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

struct Letter {
  bool await_ready() const { return text != nullptr; }                     // there already: do not suspend
  void await_suspend(std::coroutine_handle<> caller) { reader = caller; }  // not yet: note whom to resume
  const char* await_resume() const { return text; }                        // the value of `co_await letter`
  const char* text = nullptr;
  std::coroutine_handle<> reader;
};

Coro read(Letter& letter) {
  std::cout << "  waiting\n";
  const char* text = co_await letter;
  std::cout << "  read: " << text << '\n';
}

int main() {
  Letter letter;
  read(letter);
  std::cout << "main delivers\n";
  letter.text = "hello";
  letter.reader.resume();
  read(letter);
}

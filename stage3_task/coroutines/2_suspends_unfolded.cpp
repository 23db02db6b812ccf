// 2_suspends.cpp as the compiler sees it: the coroutine count_to is a struct, a switch, and a function that makes the
// struct. Coro and main() are unchanged, and so is the output.
#include <coroutine>
#include <iostream>

struct Coro {
  struct promise_type {
    Coro get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<promise_type> frame;
};

// The frame: what one call of count_to needs for as long as it lives. g++ and clang both begin it with these three.
struct Frame {
  void (*resume)(Frame*);   // null at the end: this is what done() asks
  void (*destroy)(Frame*);  // what handle.destroy() calls
  Coro::promise_type promise;
  int last;  // the parameter, copied
  int i;     // the local variable: it must survive the co_await
  int stopped_at = 0;
};

void resume_count_to(Frame* self) {
  try {
    switch (self->stopped_at) {
      case 0:  // after initial_suspend()
        for (self->i = 1; self->i <= self->last; ++self->i) {
          std::cout << "  count " << self->i << '\n';
          self->stopped_at = 1;  // co_await std::suspend_always(): note the place …
          return;                // … and return to whoever called resume()
          case 1:;               // the next resume() jumps here, into the middle of the loop
        }
    }
    self->promise.return_void();
  } catch (...) {
    self->promise.unhandled_exception();
  }
  self->resume = nullptr;  // final_suspend(): done, and the frame stays
}

void destroy_count_to(Frame* self) { delete self; }

Coro count_to(int last) {
  Frame* const self = new Frame{resume_count_to, destroy_count_to, {}, last, {}};
  return self->promise.get_return_object();  // initial_suspend() says "always": return at once
}

int main() {
  const Coro counter = count_to(2);
  for (std::cout << "made\n"; !counter.frame.done(); counter.frame.resume()) std::cout << "main\n";
  std::cout << "done\n";
  counter.frame.destroy();
}

// A coroutine awaits another: a jump into it, and at its end a jump back. (Symmetric transfer.)
#include <by_hand/task.h>

#include "virtual.h"

namespace {

using by_hand::Coro;
Log log;

Coro<int> inner(int number) {
  log("inner");
  co_return number;
}
Coro<int> outer() {
  log("outer");
  const int sum = co_await inner(40);
  log("outer-again");
  const int more = co_await inner(2);
  co_return sum + more;
}
Coro<> failing() {
  throw std::runtime_error("disk full");
  co_return;
}
Coro<> catching() {
  try {
    co_await failing();
  } catch (const std::runtime_error& error) {
    log(error.what());
  }
  log("went-on");
}
Coro<int> loop_of_awaits(int turns) {
  int sum = 0;
  for (int i = 0; i < turns; ++i) {
    const int one = co_await inner(1);
    log.clear();
    sum += one;
  }
  co_return sum;
}
Coro<int> chain(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await chain(depth - 1);
  co_return below + 1;
}

}  // namespace

void course::step() {
  expecting(
      "a coroutine to run when it is awaited, and the one that awaits it to go on when it ends: "
      "outer inner outer-again inner");
  const Coro<int> both = outer();
  both.frame.resume();
  log.check("outer inner outer-again inner");
  expecting("the outer coroutine to be done after one resume()");
  check(both.frame.done(), "it still waited");
  expecting("the values of both awaits, 40 and 2, to be added to 42");
  check_equal(both.frame.promise().result(), 42);

  expecting("an exception of the inner coroutine to be thrown at the await of the outer, which catches it");
  log.clear();
  const Coro<> catches = catching();
  catches.frame.resume();
  log.check("disk full went-on");

  const int many = sanitized ? 100 : 300'000;
  expecting(show(many) + " awaits one after the other to need no more of the stack than one");
  const Coro<int> turns = loop_of_awaits(many);
  turns.frame.resume();
  check_equal(turns.frame.promise().result(), many, "it counted ");
  expecting("a chain of " + show(many / 10) +
            " coroutines, each awaiting the next, to need no more of the stack than one");
  const Coro<int> deep = chain(many / 10);
  deep.frame.resume();
  check_equal(deep.frame.promise().result(), many / 10, "it counted ");
}

// A coroutine's result lies in its promise: co_return puts it there, the one who awaits it takes it out.
#include <by_hand/task.h>

#include "virtual.h"

namespace {

using by_hand::Coro;
Log log;

Coro<int> answer() {
  log("body");
  co_return 42;
}
Coro<std::string> text() { co_return "hello"; }
Coro<std::unique_ptr<int>> pointer() { co_return std::make_unique<int>(7); }
Coro<int> failing() {
  throw std::runtime_error("disk full");
  co_return 1;
}

}  // namespace

void course::step() {
  expecting("the body of a coroutine not to run when it is called, only when it is resumed");
  const Coro<int> coroutine = answer();
  log.check("");
  coroutine.frame.resume();
  log.check("body");
  expecting("a coroutine to be done after its co_return");
  check(coroutine.frame.done(), "it was not");
  expecting("the result of `co_return 42` to be 42");
  check_equal(coroutine.frame.promise().result(), 42);

  expecting("the result of `co_return \"hello\"` in a Coro<std::string> to be \"hello\"");
  const Coro<std::string> words = text();
  words.frame.resume();
  check_equal(words.frame.promise().result(), std::string("hello"));

  expecting("a result that can only be moved to arrive");
  const Coro<std::unique_ptr<int>> only_moved = pointer();
  only_moved.frame.resume();
  const std::unique_ptr<int> got = only_moved.frame.promise().result();
  check(got && *got == 7, "it was null, or not 7");

  expecting("an exception that leaves the body to be thrown by result(): std::runtime_error(\"disk full\")");
  const Coro<int> fails = failing();
  fails.frame.resume();
  std::string message = "it returned";
  try {
    fails.frame.promise().result();
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  check(message == "disk full", message);
}

// A future holds one result, once.
#include <by_hand/future.h>

#include "virtual.h"

void course::step() {
  VirtualLoop loop;

  expecting("a new future not to be done");
  const by_hand::Future<int> future(loop);
  check(!future.done(), "done() was true");

  expecting("result() of a future without a result to throw InvalidStateError");
  check(throws<by_hand::InvalidStateError>([&] { future.result(); }), "it returned");

  expecting("a future to be done after set_result(42)");
  future.set_result(42);
  check(future.done(), "done() was false");
  expecting("result() to be 42 after set_result(42)");
  check_equal(future.result(), 42);
  expecting("result() to give the same when asked again");
  check_equal(future.result(), 42);

  expecting("a second set_result() to throw InvalidStateError");
  check(throws<by_hand::InvalidStateError>([&] { future.set_result(43); }), "it returned");
  expecting("the first result, 42, to stay after a second set_result(43)");
  check_equal(future.result(), 42);

  expecting("a copy of a future to stand for the same future: done as soon as the other is");
  const by_hand::Future<std::string> text(loop), copy = text;
  text.set_result("hello");
  check(copy.done(), "done() of the copy was false");
  expecting("result() of the copy to be \"hello\"");
  check_equal(copy.result(), std::string("hello"));

  expecting("a Future<> to be done by set_result() without a value");
  const by_hand::Future<> nothing(loop);
  check(throws<by_hand::InvalidStateError>([&] { nothing.result(); }), "result() did not throw before");
  nothing.set_result();
  check(nothing.done(), "done() was false");
  nothing.result();
  expecting("a second set_result() of a Future<> to throw InvalidStateError");
  check(throws<by_hand::InvalidStateError>([&] { nothing.set_result(); }), "it returned");
}

// A future can fail: then it holds an exception, and result() throws it.
#include <by_hand/future.h>

#include "virtual.h"

namespace {

std::string message_of(const auto& future) {
  try {
    future.result();
  } catch (const std::runtime_error& error) {
    return "it threw " + show(error.what());
  } catch (const by_hand::InvalidStateError&) {
    return "it threw InvalidStateError";
  }
  return "it returned";
}

}  // namespace

void course::step() {
  VirtualLoop loop;
  Log log;
  const std::string threw = "it threw \"disk full\"";
  const auto disk_full = std::make_exception_ptr(std::runtime_error("disk full"));

  expecting("a future to be done after set_exception()");
  const by_hand::Future<int> future(loop);
  future.add_done_callback([&](auto&) { log("callback"); });
  future.set_exception(disk_full);
  check(future.done(), "done() was false");

  expecting("result() to throw the std::runtime_error(\"disk full\") that was set");
  const std::string first = message_of(future);
  check(first == threw, first);
  expecting("result() to throw it each time it is asked");
  const std::string second = message_of(future);
  check(second == threw, "the second time " + second);
  expecting("exception() to give the exception that was set");
  check(future.exception() == disk_full, future.exception() ? "it gave another" : "it gave none");
  expecting("a failed future not to be cancelled");
  check(!future.cancelled(), "cancelled() was true");

  expecting("the callbacks of a future that fails to run, in the next tick");
  log.check("", "inside set_exception() there ran: ");
  loop.call_soon([] {});
  loop.run_once();
  log.check("callback");

  expecting("set_result() after set_exception() to throw InvalidStateError");
  check(throws<by_hand::InvalidStateError>([&] { future.set_result(1); }), "it returned");
  expecting("set_exception() after set_result() to throw InvalidStateError");
  const by_hand::Future<int> good(loop);
  good.set_result(1);
  check(throws<by_hand::InvalidStateError>([&] { good.set_exception(disk_full); }), "it returned");
  expecting("the result, 1, to stay after that");
  check_equal(good.result(), 1);
  expecting("exception() of a future with a result to be null");
  check(good.exception() == nullptr, "it was not");

  expecting("result() of a Future<> that has failed to throw its exception, too");
  const by_hand::Future<> nothing(loop);
  nothing.set_exception(disk_full);
  const std::string of_nothing = message_of(nothing);
  check(of_nothing == threw, of_nothing);
}

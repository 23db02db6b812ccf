// cancel(): the third way for a future to be done. Those that wait for it hear of it as of any other.
#include <by_hand/future.h>

#include "virtual.h"

void course::step() {
  VirtualLoop loop;
  Log log;

  expecting("cancel() of a pending future to return true");
  const by_hand::Future<int> future(loop);
  future.add_done_callback([&](auto& done) { log(done.cancelled() ? "cancelled" : "not-cancelled"); });
  check(future.cancel(), "it returned false");
  expecting("a cancelled future to be done");
  check(future.done(), "done() was false");
  expecting("cancelled() to be true after cancel()");
  check(future.cancelled(), "it was false");

  expecting("result() of a cancelled future to throw CancelledError");
  std::string thrown = "it returned";
  try {
    future.result();
  } catch (const by_hand::CancelledError&) {
    thrown = "";
  } catch (const by_hand::InvalidStateError&) {
    thrown = "it threw InvalidStateError";
  }
  check(thrown.empty(), thrown);

  expecting("the callbacks of a cancelled future to run, in the next tick");
  log.check("", "inside cancel() there ran: ");
  loop.call_soon([] {});
  loop.run_once();
  log.check("cancelled");

  expecting("a second cancel() to return false");
  check(!future.cancel(), "it returned true");
  expecting("a second cancel() not to call the callbacks again");
  loop.call_soon([] {});
  loop.run_once();
  log.check("cancelled");
  expecting("set_result() of a cancelled future to throw InvalidStateError");
  check(throws<by_hand::InvalidStateError>([&] { future.set_result(1); }), "it returned");
  expecting("a cancelled future to stay cancelled after a set_result()");
  check(future.cancelled(), "cancelled() was false");

  expecting("cancel() of a future with a result to return false");
  const by_hand::Future<int> done(loop);
  done.set_result(5);
  check(!done.cancel(), "it returned true");
  expecting("the result, 5, to survive a cancel() that comes too late");
  check(!done.cancelled(), "cancelled() was true");
  check_equal(done.result(), 5);
  expecting("a pending future and a done one not to be cancelled");
  check(!by_hand::Future<>(loop).cancelled() && !done.cancelled(), "cancelled() was true");
}

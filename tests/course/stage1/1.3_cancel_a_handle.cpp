// Handle::cancel(): the callback does not run, and what it captured is let go of at once.
#include "virtual.h"

void course::step() {
  VirtualLoop loop;
  Log log;

  expecting("a cancelled callback not to run, and the others to run: a c");
  loop.call_soon([&] { log("a"); });
  by_hand::Handle b = loop.call_soon([&] { log("b"); });
  loop.call_soon([&] { log("c"); });
  b.cancel();
  const bool is_cancelled = b.cancelled();
  loop.run_once();
  log.check("a c");

  expecting("cancelled() to be true after cancel()");
  check(is_cancelled, "it was false");
  expecting("cancelled() to be false before cancel()");
  by_hand::Handle waiting = loop.call_soon([] {});
  check(!waiting.cancelled(), "it was true");

  expecting("a second cancel() to do nothing");
  b.cancel();
  check(b.cancelled(), "cancelled() was false after it");

  expecting("a callback to be able to cancel another that is due in the same tick: first third");
  log.clear();
  by_hand::Handle second = waiting;
  loop.call_soon([&] { log("first"), second.cancel(); });
  second = loop.call_soon([&] { log("second"); });
  loop.call_soon([&] { log("third"); });
  loop.run_once();
  log.check("first third");

  expecting("a copy of a handle to stand for the same callback, so that cancelling the copy cancels it");
  log.clear();
  const by_hand::Handle original = loop.call_soon([&] { log("cancelled"); });
  by_hand::Handle copy = original;
  copy.cancel();
  loop.call_soon([&] { log("other"); });
  loop.run_once();
  log.check("other");

  expecting("cancel() to destroy the callback at once, with what it captured");
  const auto captured = std::make_shared<int>(1);
  by_hand::Handle holder = loop.call_soon([captured] {});
  check(captured.use_count() == 2,
        "before the cancel() there were " + show(captured.use_count()) + " owners and not 2");
  holder.cancel();
  check(captured.use_count() == 1, "the captured object is still alive, and will be until its turn comes");

  expecting("a callback to be able to cancel its own handle while it runs, and to go on");
  log.clear();
  by_hand::Handle own = waiting;
  const std::string text = "a text that is too long to be kept in place";
  own = loop.call_soon([&log, &own, text] {
    own.cancel();
    log(text == "a text that is too long to be kept in place" ? "went-on" : "lost-its-captures");
  });
  loop.run_once();
  log.check("went-on");

  expecting("cancel() after the callback has run to do nothing");
  own.cancel();
}

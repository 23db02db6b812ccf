// remove_done_callback(): who no longer waits is not called.
#include <by_hand/future.h>

#include "virtual.h"

void course::step() {
  VirtualLoop loop;
  Log log;
  const auto says = [&log](const char* name) { return [&log, name](auto&) { log(name); }; };

  expecting("the removed callback not to run, and the others to run in their order: a c");
  const by_hand::Future<> future(loop);
  future.add_done_callback(says("a"));
  const int b = future.add_done_callback(says("b"));
  future.add_done_callback(says("c"));
  future.remove_done_callback(b);
  future.set_result();
  loop.call_soon([] {});
  loop.run_once();
  log.check("a c");

  expecting("to remove a number that no callback has to do nothing");
  future.remove_done_callback(b + 1000);
  future.remove_done_callback(b);

  expecting("a number not to be used again: removing a callback twice leaves the one added in between alone");
  log.clear();
  const by_hand::Future<> other(loop);
  const int first = other.add_done_callback(says("first"));
  other.remove_done_callback(first);
  other.add_done_callback(says("second"));
  other.remove_done_callback(first);
  other.set_result();
  loop.call_soon([] {});
  loop.run_once();
  log.check("second");

  expecting("remove_done_callback() to destroy the callback at once, with what it captured");
  const auto captured = std::make_shared<int>(1);
  const by_hand::Future<> holder(loop);
  const int id = holder.add_done_callback([captured](auto&) {});
  holder.remove_done_callback(id);
  check(captured.use_count() == 1, "the captured object was still alive");
}

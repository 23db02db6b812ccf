// gather(): one future for many. Its result is all of theirs, in the order of the arguments.
#include <by_hand/combinators.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

Coro<std::string> text() { co_return "text"; }

Coro<> of_different_types() {
  const auto results = co_await by_hand::gather(after(20ms, 1), text());
  expecting("the result of gather(20 ms -> 1, \"text\") to be the tuple (1, \"text\")");
  check(std::get<0>(results) == 1, "the first was " + show(std::get<0>(results)));
  check(std::get<1>(results) == "text", "the second was " + show(std::get<1>(results)));
}
Coro<std::vector<int>> of_a_vector() {
  std::vector<Coro<int>> coroutines;
  coroutines.push_back(after(30ms, 1, &log));
  coroutines.push_back(after(10ms, 2, &log));
  coroutines.push_back(after(20ms, 3, &log));
  std::vector<int> results = co_await by_hand::gather(std::move(coroutines));
  log("gathered@" + at());
  co_return results;
}
Coro<int> of_futures_that_are_done() {
  const Future<int> done(by_hand::Loop::running());
  done.set_result(7);
  const auto results = co_await by_hand::gather(done, done);
  co_return std::get<0>(results) + std::get<1>(results);
}
Coro<std::size_t> of_nothing() {
  const std::vector<int> results = co_await by_hand::gather(std::vector<Coro<int>>());
  co_return results.size();
}
Coro<> in_ticks() {
  const Future<> future(by_hand::Loop::running());
  const auto all = by_hand::gather(future);
  all.add_done_callback([](auto&) { log("done-callback"); });
  future.set_result();
  log(all.done() ? "done-at-once" : "set");
  co_await by_hand::Yield();
  log(all.done() ? "done" : "not-done");
  co_await by_hand::Yield();
  log("tick3");
}

}  // namespace

void step() {
  expecting("gather() of two coroutines to give both results");
  in_virtual_time(of_different_types());

  expecting("gather() of three to return their results in the order of the arguments: [1 2 3]");
  const std::vector<int> results = in_virtual_time(of_a_vector());
  check(results == std::vector<int>{1, 2, 3}, "it returned " + show(results));
  expecting(
      "the three to run at the same time, and gather() to be done with the last: "
      "end-2@10ms end-3@20ms end-1@30ms gathered@30ms");
  log.check("end-2@10ms end-3@20ms end-1@30ms gathered@30ms");

  expecting("gather() of futures that are done already, twice the same, to give 7 + 7 = 14");
  check_equal(in_virtual_time(of_futures_that_are_done()), 14);

  expecting("gather() of nothing to be done at once, with no result");
  check_equal(in_virtual_time(of_nothing()), 0u);

  expecting(
      "gather()'s future to be done one tick after its child is, and its callbacks to run a tick later: "
      "set done done-callback tick3");
  log.clear();
  in_virtual_time(in_ticks());
  log.check("set done done-callback tick3");
}

}  // namespace course

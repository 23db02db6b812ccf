// as_completed(): the first of its futures ends as the first that ends, and so on.
#include <by_hand/combinators.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

Coro<> in_their_order() {
  std::vector<Coro<int>> coroutines;
  coroutines.push_back(after(30ms, 1));
  coroutines.push_back(after(10ms, 2));
  coroutines.push_back(after(20ms, 3));
  const auto futures = by_hand::as_completed(std::move(coroutines));
  log(std::to_string(futures.size()) + " futures");
  for (const auto& future : futures) {
    const int number = co_await future;
    log(std::to_string(number) + "@" + at());
  }
}
Coro<> with_one_that_fails() {
  std::vector<Coro<int>> coroutines;
  coroutines.push_back(after(20ms, 1));
  coroutines.push_back(fails_after(10ms, "disk full"));
  for (const auto& future : by_hand::as_completed(std::move(coroutines))) {
    try {
      const int number = co_await future;
      log(std::to_string(number));
    } catch (const std::runtime_error& error) {
      log(error.what());
    }
  }
}
Coro<> looked_at_late() {
  std::vector<Coro<int>> coroutines;
  coroutines.push_back(after(20ms, 1));
  coroutines.push_back(after(10ms, 2));
  const auto futures = by_hand::as_completed(std::move(coroutines));
  co_await by_hand::sleep(30ms);
  for (const auto& future : futures) {
    const int number = co_await future;
    log(std::to_string(number) + "@" + at());
  }
}

}  // namespace

void step() {
  expecting("three results to come in the order in which they are there: 3 futures 2@10ms 3@20ms 1@30ms");
  in_virtual_time(in_their_order());
  log.check("3 futures 2@10ms 3@20ms 1@30ms");

  expecting("an exception to come in its turn, and the next result after it: disk full 1");
  log.clear();
  in_virtual_time(with_one_that_fails());
  log.check("disk full 1");

  expecting("the order to be kept if nobody awaits the futures in time: 2@30ms 1@30ms");
  log.clear();
  in_virtual_time(looked_at_late());
  log.check("2@30ms 1@30ms");
}

}  // namespace course

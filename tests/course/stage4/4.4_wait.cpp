// wait(): until all are done, or the first is. It returns the done and the pending, and throws and cancels nothing.
#include <by_hand/combinators.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

std::vector<Task<int>> three() {
  return {create_task(after(30ms, 1, &log)), create_task(after(10ms, 2, &log)), create_task(after(20ms, 3, &log))};
}
std::string numbers(const std::vector<Task<int>>& tasks) {
  std::string text;
  for (const Task<int>& task : tasks) text += task.done() ? std::to_string(task.result()) : "?";
  return text.empty() ? "none" : text;
}

Coro<> for_all() {
  const auto tasks = three();
  const auto [done, pending] = co_await by_hand::wait(tasks);
  log(numbers(done) + "/" + numbers(pending) + "@" + at());
}
Coro<> for_the_first() {
  const auto tasks = three();
  by_hand::WaitOptions options;
  options.return_when = by_hand::FIRST_COMPLETED;
  const auto [done, pending] = co_await by_hand::wait(tasks, options);
  log(numbers(done) + "/" + numbers(pending) + "@" + at());
  co_await by_hand::sleep(50ms);
}
Coro<> for_one_that_fails() {
  std::vector<Task<int>> tasks{create_task(fails_after(10ms, "no")), create_task(after(20ms, 2))};
  const auto [done, pending] = co_await by_hand::wait(tasks);
  log(std::to_string(done.size()) + " done@" + at());
}
Coro<> for_those_that_are_done() {
  std::vector<Task<int>> tasks{create_task(after(1ms, 1))};
  co_await by_hand::sleep(10ms);
  const auto [done, pending] = co_await by_hand::wait(tasks);
  log(std::to_string(done.size()) + " done@" + at());
}
Coro<> waits(std::vector<Task<int>> tasks) {
  const auto both = co_await by_hand::wait(tasks);
  log("no-exception");
}
Coro<> is_cancelled() {
  std::vector<Task<int>> tasks{create_task(after(20ms, 1, &log))};
  const Task<> waiter = create_task(waits(tasks));
  co_await by_hand::sleep(10ms);
  waiter.cancel();
  co_await by_hand::sleep(20ms);
  log(waiter.cancelled() ? "waiter-cancelled" : "waiter-not-cancelled");
}

}  // namespace

void step() {
  expecting(
      "wait() to return when all three are done, at 30 ms, the done in the order of the arguments: 123/none@30ms");
  in_virtual_time(for_all());
  log.check("end-2@10ms end-3@20ms end-1@30ms 123/none@30ms");

  expecting(
      "wait(FIRST_COMPLETED) to return at 10 ms with one done and two pending, which run on: "
      "end-2@10ms 2/??@10ms end-3@20ms end-1@30ms");
  log.clear();
  in_virtual_time(for_the_first());
  log.check("end-2@10ms 2/??@10ms end-3@20ms end-1@30ms");

  expecting("wait() not to throw the exception of a task, but to count it as done: 2 done@20ms");
  log.clear();
  in_virtual_time(for_one_that_fails());
  log.check("2 done@20ms");

  expecting("wait() for a task that is done already to return at once: 1 done@10ms");
  log.clear();
  in_virtual_time(for_those_that_are_done());
  log.check("1 done@10ms");

  expecting("the cancel of a wait() to leave the tasks alone: end-1@20ms waiter-cancelled");
  log.clear();
  in_virtual_time(is_cancelled());
  log.check("end-1@20ms waiter-cancelled");
}

}  // namespace course

// wait() with a timeout returns what is done by then.
#include <by_hand/combinators.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

Coro<> waits(std::optional<Duration> timeout) {
  std::vector<Task<int>> tasks{create_task(after(10ms, 1, &log)), create_task(after(40ms, 2, &log))};
  by_hand::WaitOptions options;
  options.timeout = timeout;
  const auto [done, pending] = co_await by_hand::wait(tasks, options);
  log(std::to_string(done.size()) + "+" + std::to_string(pending.size()) + "@" + at());
  co_await by_hand::sleep(50ms);
}
Coro<std::string> in_time() {
  std::vector<Task<int>> tasks{create_task(after(10ms, 1))};
  by_hand::WaitOptions options;
  options.timeout = 1h;
  const auto both = co_await by_hand::wait(tasks, options);
  co_return at();
}

}  // namespace

void step() {
  expecting(
      "wait() with a timeout of 20 ms to return then with one done and one pending, which runs on: "
      "end-1@10ms 1+1@20ms end-2@40ms");
  in_virtual_time(waits(20ms));
  log.check("end-1@10ms 1+1@20ms end-2@40ms");

  expecting("wait() without a timeout to return when both are done: end-1@10ms end-2@40ms 2+0@40ms");
  log.clear();
  in_virtual_time(waits(std::nullopt));
  log.check("end-1@10ms end-2@40ms 2+0@40ms");

  expecting("wait() to return before its timeout when all are done: at 10ms");
  const std::string time = in_virtual_time(in_time());
  check(time == "10ms", "it returned at " + time);

  expecting("wait() to leave no timer behind when all are done before the timeout of one hour");
  VirtualLoop loop;
  loop.run_until_complete(in_time());
  loop.virtual_core.waits.clear();
  loop.virtual_core.idle = [] {};
  loop.run_once();
  check(loop.virtual_core.waits.empty(), "the loop waited for it until " + show(loop.virtual_core.waits));
}

}  // namespace course

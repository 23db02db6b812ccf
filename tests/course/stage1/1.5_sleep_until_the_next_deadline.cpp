// A tick with nothing to do waits in the core until the next deadline. The core sleeps.
#include "virtual.h"

#include <sys/resource.h>

namespace {

// The processor time that was used, and how often the thread has let go of the processor to wait.
std::pair<std::chrono::nanoseconds, long> used() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {std::chrono::seconds(usage.ru_utime.tv_sec) + std::chrono::microseconds(usage.ru_utime.tv_usec),
          usage.ru_nvcsw};
}

}  // namespace

void course::step() {
  using Waits = std::vector<std::chrono::nanoseconds>;
  Log log;
  {
    expecting("the loop to wait for each deadline in turn: until 10 ms, then until 25 ms");
    VirtualLoop loop;
    loop.call_later(25ms, [&] { log("25ms"), loop.stop(); });
    loop.call_later(10ms, [&] { log("10ms"); });
    loop.run_forever();
    check(loop.virtual_core.waits == Waits{10ms, 25ms}, "it waited until " + show(loop.virtual_core.waits));
    log.check("10ms 25ms");
    check(loop.passed() == 25ms, "it was " + show(loop.passed()) + " in the end");
  }
  {
    expecting("no wait while a callback is ready, though a timer is due in an hour");
    VirtualLoop loop;
    loop.call_later(1h, [] {});
    loop.call_soon([] {});
    loop.run_once();
    check(loop.virtual_core.waits.empty(), "it waited until " + show(loop.virtual_core.waits));
    expecting("core->poll() to be called in place of wait() when a callback is ready");
    check(loop.virtual_core.polls == 1, "it was called " + show(loop.virtual_core.polls) + " times in that tick");
  }
  {
    expecting("no wait in a tick that begins after stop(), though a timer is due in an hour");
    VirtualLoop loop;
    loop.call_later(1h, [] {});
    loop.stop();
    loop.run_forever();
    check(loop.virtual_core.waits.empty(), "it waited until " + show(loop.virtual_core.waits));
  }
  {
    expecting("no wait for a timer that was cancelled: only until 20 ms");
    VirtualLoop loop;
    by_hand::Handle first = loop.call_later(10ms, [] {});
    loop.call_later(20ms, [&] { loop.stop(); });
    first.cancel();
    loop.run_forever();
    check(loop.virtual_core.waits == Waits{20ms}, "it waited until " + show(loop.virtual_core.waits));
  }
  {
    expecting("core->wait(std::nullopt), a wait without end, when there is neither a callback nor a timer");
    VirtualLoop loop;
    bool idle = false;
    loop.virtual_core.idle = [&] {
      idle = true;
      loop.call_soon([&] { loop.stop(); });
    };
    by_hand::Handle only = loop.call_later(10ms, [] {});
    only.cancel();
    loop.run_forever();
    check(idle, "it waited until " + show(loop.virtual_core.waits));
  }

  expecting("Core::wait() to sleep until its deadline, in 60 ms");
  by_hand::Core core;
  const auto begin = by_hand::Clock::now();
  const auto [cpu_before, waits_before] = used();
  core.wait(begin + 60ms);
  const std::chrono::nanoseconds slept = by_hand::Clock::now() - begin;
  check(slept >= 60ms, "it came back after " + show(slept));
  expecting("Core::wait() to sleep, and not to look at the clock again and again");
  const auto [cpu_after, waits_after] = used();
  check(waits_after > waits_before && cpu_after - cpu_before < 30ms,
        "the processor was busy for " + show(cpu_after - cpu_before) + " of 60 ms");

  expecting("a wait() until a deadline that is over to return at once");
  core.wait(begin);
}

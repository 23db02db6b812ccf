#ifdef __linux__

#include "asyncio/guest.h"

#include "asyncio/epoll_core.h"

#include <asyncio/detail/observers.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace asyncio {

/// Looks and does not wait, as long as a host does that. Afterwards it is an EpollCore.
class Guest::HostedCore final : public EpollCore {
 public:
  void wait(std::optional<TimePoint> until) override {
    if (!hosted || until == kDoNotWait) return EpollCore::wait(until);
    idle = true;
    deadline = until;
    look(TimePoint{});
  }
  using EpollCore::descriptor;
  using EpollCore::never_waits;

  bool hosted = true;
  bool idle = false;                  // the last tick found nothing to run, and would have waited …
  std::optional<TimePoint> deadline;  // … until then
};

/// Ends run_forever() after each tick, and notices what is scheduled between two ticks, by the host's callbacks.
class Guest::Changes final : public Observer {
 public:
  explicit Changes(Loop& loop) noexcept : loop_(loop) {}
  void tick_ends(std::uint64_t) override { loop_.stop(); }  // this changes nothing in the tick
  void callback_scheduled(const Observed&, ObservedId) override { any_ = true; }
  void task_woken(const Observed&, ObservedId) override { any_ = true; }
  void task_made(const Observed&, ObservedId) override { any_ = true; }
  void timer_armed(const Observed&, TimePoint, ObservedId) override { any_ = true; }

  /// Since forget(). What is lost for want of memory may have been something.
  bool any() {
    loop_.observers()->look_at_timers();  // else it is told of the latest one with the next event
    return any_ || loop_.observers()->lost() != lost_;
  }
  void forget() {
    any_ = false;
    lost_ = loop_.observers()->lost();
  }

 private:
  Loop& loop_;
  bool any_ = false;
  std::uint64_t lost_ = 0;
};

Guest::Guest()
    : core_(new HostedCore),
      runner_(std::unique_ptr<Core>(core_)),
      loop_(&runner_.get_loop()),
      changes_(std::make_shared<Changes>(*loop_)) {
  loop_->add_observer(changes_);
}

Guest::~Guest() {
  loop_->remove_observer(changes_);
  core_->hosted = false;
  main_ = AnyTask();
}

std::optional<Duration> Guest::timeout() {
  if (done_ || loop_->is_running()) return std::nullopt;
  if (changes_->any() || !core_->idle || core_->never_waits()) return Duration::zero();
  if (!core_->deadline) return std::nullopt;
  return std::max(*core_->deadline - loop_->time(), Duration::zero());
}

int Guest::descriptor() const noexcept { return core_->descriptor(); }

bool Guest::tick() {
  if (done_) return false;
  if (loop_->is_running()) return true;
  changes_->forget();
  core_->idle = false;
  loop_->run_forever();
  done_ = main_.done();
  return !done_;
}

Coro<> detail::end_other_tasks() {
  Loop& loop = Loop::running();
  std::vector<AnyTask> others = all_tasks();
  const AnyTask self = current_task();
  std::erase(others, self);
  if (others.empty()) co_return;
  for (const AnyTask& task : others) task.cancel();
  co_await all_done(std::move(others), loop);
}

}  // namespace asyncio

#endif

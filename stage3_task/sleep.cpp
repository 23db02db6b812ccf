// The timer of sleep(). Its functions stand here, so that sleep(0s), which needs none, is short and inline.
#include "asyncio/sleep.h"

namespace asyncio::detail {
namespace {

/// A timer that wakes a task. It needs no CallbackOrigin, which makes it smaller than the timer of a callback.
class SleepTimer final : public TimerState {
 public:
  SleepTimer(TimePoint when, FrameFuture& sleeper) noexcept : TimerState(when), sleeper_(sleeper) {}
  void run(Loop&) override {
    const Ref<HandleState> reference(this, adopt);
    if (std::exchange(armed_, false)) sleeper_.wake();
  }

 private:
  void destroy_callback() noexcept override {}
  const CallbackOrigin* origin() const noexcept override { return nullptr; }
  std::string place() const override { return "of sleep()"; }

  FrameFuture& sleeper_;  // exists while this is armed
};

}  // namespace

void SleepAwaiter::start_timer() {
  Loop& loop = Loop::running();
  Ref<TimerState> timer(new SleepTimer(deadline_after(loop.time(), delay_), *this), adopt);
  loop.start_timer(timer);
  timer_ = timer.detach();
}

void SleepAwaiter::end_timer() noexcept {
  const Ref<TimerState> timer(std::exchange(timer_, nullptr), adopt);
  timer->cancel();
}

std::string SleepAwaiter::repr() const { return timer_->repr(); }

}  // namespace asyncio::detail

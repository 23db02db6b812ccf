// Virtual time for the checks: waiting takes none, the clock jumps to the deadline.
#pragma once

#include <by_hand/loop.h>

#include "check.h"

namespace course {

using namespace std::chrono_literals;
using by_hand::Duration;
using by_hand::TimePoint;

class VirtualCore : public by_hand::Core {
 public:
  TimePoint now() override { return now_; }
  void wait(std::optional<TimePoint> deadline) override {
    if (!deadline && !woken_) {
      if (!idle) fail("there was nothing left to do, and the loop began to wait for ever");
      return idle();
    }
    if (deadline && !std::exchange(woken_, false)) {
      waits.push_back(*deadline - TimePoint{});
      now_ = std::max(now_, *deadline);
    }
    if (++turns_ > 100000) fail("the loop went on ticking without end");
  }
  void poll() override {
    ++polls;
    if (++turns_ > 100000) fail("the loop went on ticking without end");
  }
  void wake() override { woken_ = true; }

  void advance(Duration by) { now_ += by; }

  std::vector<std::chrono::nanoseconds> waits;  // until when it was asked to wait
  int polls = 0;
  std::function<void()> idle;  // what happens when the loop would wait for ever

 private:
  TimePoint now_{};
  bool woken_ = false;
  int turns_ = 0;
};

// A loop in virtual time.
class VirtualLoop : public by_hand::Loop {
 public:
  explicit VirtualLoop(std::unique_ptr<VirtualCore> core = std::make_unique<VirtualCore>())
      : Loop(std::unique_ptr<by_hand::Core>(core.get())), virtual_core(*core.release()) {}
  VirtualCore& virtual_core;

  std::chrono::nanoseconds passed() const { return time() - TimePoint{}; }
  void ticks(int count) {
    for (; count > 0; --count) run_once();
  }
};

}  // namespace course

using namespace std::chrono_literals;
using course::VirtualCore;
using course::VirtualLoop;

// The core that tests run on: virtual time, on VirtualCore, or when the same tests run once more for stage 6, on a
// PollCore whose clock is virtual. A test asks for make_core() and does not care.
#pragma once

#include <asyncio/core.h>
#include <asyncio/loop.h>
#include <asyncio/virtual_core.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::testing {

using CoreFactory = std::unique_ptr<Core> (*)();

inline CoreFactory core_factory = []() -> std::unique_ptr<Core> { return std::make_unique<VirtualCore>(); };

inline std::unique_ptr<Core> make_core() { return core_factory(); }

/// A loop in virtual time.
class VirtualLoop : public Loop {
 public:
  VirtualLoop() : Loop(make_core()) {}
  /// Runs `ticks` ticks and returns; nothing may have to be waited for.
  void run_ticks(int ticks) {
    for (; ticks > 0; --ticks) {
      stop();
      run_forever();
    }
  }
};

/// Collects what reaches a loop's exception handler, so that a test can look at it (and stderr stays clean).
class ErrorLog {
 public:
  explicit ErrorLog(Loop& loop) {
    loop.set_exception_handler([this](Loop&, const ErrorContext& context) { contexts.push_back(context); });
  }
  std::vector<ErrorContext> contexts;
  std::vector<std::string> messages() const {
    std::vector<std::string> all;
    for (const ErrorContext& context : contexts) all.push_back(context.message);
    return all;
  }
};

/// Counts ticks from its making on: a callback that schedules itself for ever, until destroyed.
class TickCounter {
 public:
  explicit TickCounter(Loop& loop) : loop_(loop) { next(); }
  ~TickCounter() { handle_.cancel(); }
  TickCounter(const TickCounter&) = delete;
  TickCounter& operator=(const TickCounter&) = delete;
  int ticks() const { return ticks_; }

 private:
  void next() {
    handle_ = loop_.call_soon([this] {
      ++ticks_;
      next();
    });
  }
  Loop& loop_;
  Handle handle_;
  int ticks_ = 0;
};

}  // namespace asyncio::testing

// make_core(): the core that tests run on, in virtual time. It is a VirtualCore; when stage 6 repeats the tests, it is
// a PollCore with a virtual clock.
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
  /// Runs `ticks` ticks and returns, without waiting.
  void run_ticks(int ticks) {
    for (; ticks > 0; --ticks) {
      stop();
      run_forever();
    }
  }
};

/// Collects a loop's exception handler calls for a test to check (and keeps stderr clean).
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

/// Counts ticks during its lifetime: a callback that reschedules itself.
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

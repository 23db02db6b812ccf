// Runs a scenario in which system calls fail, and looks at what is left of it. What fault_test.cpp and the faults of TLS share.
#pragma once

#include "stage6/faults/faults.h"
#include "stage6/faults/tasks_left.h"
#include "support/io.h"

#include <asyncio/wait_for.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::testing {

/// What came of a scenario.
struct Outcome {
  std::string received;
  bool failed = false;  // with an exception: allowed after a permanent failure
  int injected = 0;     // calls that were changed
  int records = 0;      // of TLS, if a WireTap has watched
};

using Scenario = Coro<> (*)(Outcome&);
using MakeCore = std::unique_ptr<Core> (*)();

/// A program under test.
struct Case {
  const char* name;
  Scenario scenario;
  MakeCore make_core;
  std::string_view missing = {};  // a call that this system lacks
  friend std::ostream& operator<<(std::ostream& out, const Case& which) { return out << which.name; }
};
inline std::string name_of(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

/// How long a scenario may take, and its tasks after it.
struct Patience {
  std::chrono::seconds limit = std::chrono::seconds(30);
  int turns = 20;                       // see tasks_left()
  std::size_t tasks_after_failure = 2;  // of a failed client the server's other end waits for ever
  std::string_view time_out = {};       // the text of a TimeoutError that is the program's own
};

/// Looks at nothing.
struct Unwatched {
  explicit Unwatched(Faults&) {}
  int records() const { return 0; }
  std::string fault() const { return std::string(); }
};

/// Runs the scenario with faults. Afterwards no descriptor and no child is left, and what was received is the beginning
/// of `data`. `Watch` is made of the Faults, and says in the end what was wrong.
template <class Watch = Unwatched>
Outcome run_with(const Case& which, Faults::Decide decide, const std::string& data, Patience patience = {}) {
  const int before = open_descriptors();
  Outcome outcome;
  std::vector<std::string> left;
  {
    Faults faults(std::move(decide));
    const Watch watch(faults);
    try {
      run(
          [&]() -> Coro<> {
            Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});  // ignored here
            try {
              co_await wait_for(which.scenario(outcome), patience.limit);
            } catch (const TimeoutError& error) {
              if (patience.time_out != error.what()) ADD_FAILURE() << "it hangs";
              outcome.failed = true;
            } catch (const std::exception&) {
              outcome.failed = true;
            }
            left = co_await tasks_left(patience.turns);
          },
          which.make_core());
    } catch (const std::exception&) {  // the loop itself failed: no core, no poll()
      outcome.failed = true;
    }
    outcome.injected = faults.injected();
    outcome.records = watch.records();
    EXPECT_EQ(watch.fault(), "");
  }
  EXPECT_LE(left.size(), outcome.failed ? patience.tasks_after_failure : 0) << left.front();
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_TRUE(no_children());
  EXPECT_TRUE(data.starts_with(outcome.received)) << "after " << outcome.received.size() << " bytes";
  return outcome;
}

/// The fixture of tests that are run with each Case.
class FaultTest : public ::testing::TestWithParam<Case> {
 protected:
  explicit FaultTest(std::size_t size, std::vector<int> often, int most)
      : size_(size), often_(std::move(often)), most_(most) {}

  virtual Outcome run_case(Faults::Decide decide) = 0;

  Outcome run_counted(Faults::Decide decide) {
    Outcome outcome = run_case(std::move(decide));
    injected_ += outcome.injected;
    return outcome;
  }
  /// Faults that a program must not notice.
  void expect_unnoticed(const std::vector<std::string_view>& calls, Fault fault) {
    for (const int k : often_) {
      SCOPED_TRACE(::testing::Message() << calls.front() << " every " << k << ": " << std::strerror(fault.error));
      const Outcome outcome = run_counted(at_every(k, calls, fault));
      EXPECT_FALSE(outcome.failed);
      EXPECT_EQ(outcome.received.size(), size_);
    }
  }
  /// Faults after which a program may fail, but must leave nothing behind.
  void expect_nothing_left(const std::vector<std::string_view>& calls, int error, int most = 0) {
    for (int k = 1; k <= (most > 0 ? most : most_); ++k) {
      SCOPED_TRACE(::testing::Message() << calls.front() << " number " << k << ": " << std::strerror(error));
      const Outcome outcome = run_counted(at_call(k, calls, {.error = error}));
      EXPECT_TRUE(outcome.failed || outcome.received.size() == size_) << outcome.received.size();
      if (outcome.injected == 0) break;  // there is no k-th call
    }
  }

  int injected_ = 0;

 private:
  std::size_t size_;        // of the data that every scenario receives
  std::vector<int> often_;  // each k-th call is changed
  int most_;                // the last k of which only that call is changed
};

}  // namespace asyncio::testing

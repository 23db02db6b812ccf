// The main() of every test executable. With ASYNCIO_TEST_OBSERVED in the environment, an observer hears of all that the
// loops do: CTest runs the tests once more that way, and none of them may notice.
#include "support/checking_observer.h"

#include <asyncio/observer.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

int main(int argc, char** argv) {
  using asyncio::testing::CheckingObserver;
  std::signal(SIGINT, SIG_DFL);  // what a script starts in the background inherits that it is ignored
  ::testing::InitGoogleTest(&argc, argv);
  if (!std::getenv("ASYNCIO_TEST_OBSERVED")) return RUN_ALL_TESTS();

  asyncio::observe_new_loops([](asyncio::Loop&) { return std::make_shared<CheckingObserver>(); });
  const int result = RUN_ALL_TESTS();
  const long events = CheckingObserver::events, faults = CheckingObserver::faults;
  std::printf("observed: %ld events, %ld faults\n", events, faults);
  return events > 0 && faults == 0 ? result : 1;
}

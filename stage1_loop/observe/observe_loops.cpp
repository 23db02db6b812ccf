#include "observe_loops.h"

#include <asyncio/loop.h>

namespace asyncio::detail {

std::uint64_t observe_this_and_new_loops(std::function<std::shared_ptr<Observer>(Loop&)> make) {
  const std::uint64_t new_loops = observe_new_loops(make);
  try {
    if (Loop* const loop = Loop::running_or_null()) loop->add_observer(make(*loop));
  } catch (...) {
    stop_observing_new_loops(new_loops);
    throw;
  }
  return new_loops;
}

}  // namespace asyncio::detail

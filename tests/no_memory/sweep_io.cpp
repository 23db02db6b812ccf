#include <asyncio/epoll_core.h>

#include <cstdlib>
#include <string_view>

#include "no_memory/sweep.h"

namespace asyncio::testing {

void sweep_io(Scenario scenario) {
  const char* const core = std::getenv("ASYNCIO_TEST_CORE");
  const bool epoll = core && std::string_view(core) == "epoll";
  sweep(scenario, epoll ? []() -> std::unique_ptr<Core> { return std::make_unique<EpollCore>(); } : MakeCore());
}

}  // namespace asyncio::testing

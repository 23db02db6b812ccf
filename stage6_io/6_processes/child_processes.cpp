#include "asyncio/detail/child_processes.h"

#include <utility>

namespace asyncio::detail {

void ChildProcesses::on_close() noexcept {
  for (const auto& child : std::exchange(children_, {})) child->abandon();
}

}  // namespace asyncio::detail

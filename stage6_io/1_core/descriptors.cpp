#include "asyncio/descriptors.h"

#include "asyncio/detail/auto_core.h"
#include "asyncio/detail/descriptor_table.h"
#include "asyncio/sleep_core.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <typeinfo>

namespace asyncio::detail {

SelectorCore& selector_of(Loop& loop) {
  loop.check_closed();
  loop.service<DescriptorTable>();  // which clears the table when the loop is closed
  if (auto* selector = dynamic_cast<SelectorCore*>(&loop.core())) return *selector;

  if (!dynamic_cast<SleepCore*>(&loop.core())) {
    const Core& core = loop.core();
    throw std::logic_error("this loop's core, " + demangle(typeid(core).name()) +
                           ", cannot watch descriptors: I/O needs a PollCore (or another SelectorCore)");
  }
  auto auto_core = std::make_unique<AutoCore>();
  AutoCore& selector = *auto_core;
  loop.set_core(std::move(auto_core));
  return selector;
}

bool unwatch(Loop& loop, int fd, Readiness way) {
  if (loop.is_closed()) return false;
  auto* selector = dynamic_cast<SelectorCore*>(&loop.core());
  return selector && selector->unwatch(fd, way);
}

void check_unclaimed(Loop& loop, int fd) {
  if (loop.is_closed()) return;
  if (fd < 0) throw std::invalid_argument("Invalid file descriptor: " + std::to_string(fd));
  loop.service<DescriptorTable>().check_unclaimed(fd);
}

}  // namespace asyncio::detail

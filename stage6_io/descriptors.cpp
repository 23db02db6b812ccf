#include "asyncio/descriptors.h"

#include "asyncio/detail/first_core.h"
#include "asyncio/detail/io_service.h"
#include "asyncio/sleep_core.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <typeinfo>

namespace asyncio::detail {

SelectorCore& selector_of(Loop& loop) {
  loop.check_closed();
  loop.service<IoService>();  // which clears the table when the loop is closed
  if (auto* selector = dynamic_cast<SelectorCore*>(&loop.core())) return *selector;

  if (!dynamic_cast<SleepCore*>(&loop.core())) {
    const Core& core = loop.core();
    throw std::logic_error("this loop's core, " + demangle(typeid(core).name()) +
                           ", cannot watch descriptors: I/O needs a PollCore (or another SelectorCore)");
  }
  auto first_core = std::make_unique<FirstCore>();
  FirstCore& selector = *first_core;
  loop.set_core(std::move(first_core));
  return selector;
}

bool unwatch(Loop& loop, int fd, Readiness way) {
  if (loop.is_closed()) return false;
  auto* selector = dynamic_cast<SelectorCore*>(&loop.core());
  return selector && selector->unwatch(fd, way);
}

void check_unclaimed(Loop& loop, int fd) {
  if (!loop.is_closed()) loop.service<IoService>().check_unclaimed(fd);
}

void IoService::claim(int fd, const DescriptorOwner& owner) {
  const std::size_t index = static_cast<std::size_t>(fd);
  if (index >= owners_.size()) owners_.resize(std::max(index + 1, 2 * owners_.size()));
  owners_[index] = &owner;
}

void IoService::throw_claimed(int fd) const {
  throw std::runtime_error("File descriptor " + std::to_string(fd) + " is used by transport " +
                           owners_[static_cast<std::size_t>(fd)]->repr());
}

void IoService::on_close() noexcept {
  if (auto* selector = dynamic_cast<SelectorCore*>(&loop_.core())) selector->unwatch_all();
}

}  // namespace asyncio::detail

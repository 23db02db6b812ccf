#include "asyncio/detail/descriptor_table.h"

#include "asyncio/selector_core.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace asyncio::detail {

void DescriptorTable::claim(int fd, const DescriptorOwner& owner) {
  const std::size_t index = static_cast<std::size_t>(fd);
  if (index >= owners_.size()) owners_.resize(std::max(index + 1, 2 * owners_.size()));
  owners_[index] = &owner;
}

void DescriptorTable::throw_claimed(int fd) const {
  throw std::runtime_error("File descriptor " + std::to_string(fd) + " is used by transport " +
                           owners_[static_cast<std::size_t>(fd)]->repr());
}

void DescriptorTable::keep(int fd, std::shared_ptr<DescriptorOwner> transport) {
  const std::size_t index = static_cast<std::size_t>(fd);
  if (index >= kept_.size()) kept_.resize(std::max(index + 1, 2 * kept_.size()));
  kept_[index] = std::move(transport);
}

void DescriptorTable::forget(int fd) noexcept {
  const std::size_t index = static_cast<std::size_t>(fd);
  if (index < kept_.size()) std::exchange(kept_[index], nullptr);
}

void DescriptorTable::on_close() noexcept {
  if (auto* selector = dynamic_cast<SelectorCore*>(&loop_.core())) selector->unwatch_all();
  const auto transports = std::exchange(kept_, {});
  for (const auto& transport : transports) {
    if (transport) transport->abandon();
  }
}

}  // namespace asyncio::detail

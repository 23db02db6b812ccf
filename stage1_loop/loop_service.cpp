#include "asyncio/loop_service.h"

#include "asyncio/loop.h"

namespace asyncio::detail {

bool LoopServices::shut_down() {
  bool ran = false;
  for (std::size_t i = by_age_.size(); i-- > 0;) ran |= by_age_[i]->shut_down();
  return ran;
}

std::string LoopServices::describe_waits() const {
  std::string text;
  for (const LoopService* service : by_age_) text += service->describe_waits();
  return text;
}

void LoopServices::step_begins(Runnable& task) {
  for (std::size_t i = 0; i < by_age_.size(); ++i) by_age_[i]->step_begins(task);
}

void LoopServices::step_ended() {
  for (LoopService* service : by_age_) service->step_ended();
}

void LoopServices::about_to_wait() {
  for (std::size_t i = 0; i < by_age_.size(); ++i) by_age_[i]->about_to_wait();
}

void LoopServices::debug_mode_ended() noexcept {
  for (LoopService* service : by_age_) service->debug_mode_ended();
}

void LoopServices::on_close() noexcept {
  for (std::size_t i = by_age_.size(); i-- > 0;) by_age_[i]->on_close();
}

std::size_t LoopServices::number(std::atomic<std::size_t>& index) noexcept {
  static constinit std::atomic<std::size_t> last = 0;
  const std::size_t number = ++last;
  std::size_t taken = 0;  // by another thread at the same moment: then one number stays unused
  return index.compare_exchange_strong(taken, number) ? number : taken;
}

LoopService& LoopServices::add(const Loop& loop, std::size_t index, std::unique_ptr<LoopService> service) {
  loop.check_closed();
  if (by_type_.size() <= index) by_type_.resize(index + 1);
  by_age_.push_back(service.get());
  by_type_[index] = std::move(service);
  return *by_type_[index];
}

}  // namespace asyncio::detail

#include "asyncio/queue.h"

#include <algorithm>

namespace asyncio::detail {

void QueueBase::throw_cannot_put() const {
  if (is_shutdown_) throw QueueShutDown();
  throw QueueFull();
}

void QueueBase::throw_cannot_get() const {
  if (is_shutdown_) throw QueueShutDown();
  throw QueueEmpty();
}

void QueueBase::task_done() {
  if (unfinished_tasks_ == 0) throw std::invalid_argument("task_done() called too many times");
  if (--unfinished_tasks_ == 0) finished_.set();
}

void QueueBase::shutdown(bool immediate) {
  is_shutdown_ = true;
  if (immediate) {
    unfinished_tasks_ -= std::min(unfinished_tasks_, size_);
    size_ = 0;
    drop_all();
    if (unfinished_tasks_ == 0) finished_.set();
  }
  getters_.wake();
  putters_.wake();
}

std::string QueueBase::repr() const {
  std::string text = "<" + repr_name() + " maxsize=" + std::to_string(maxsize_);
  if (!empty()) text += " _queue=[" + repr_items() + "]";
  if (const auto getters = getters_.count_unwoken()) text += " _getters[" + std::to_string(getters) + "]";
  if (const auto putters = putters_.count_unwoken()) text += " _putters[" + std::to_string(putters) + "]";
  if (unfinished_tasks_ > 0) text += " tasks=" + std::to_string(unfinished_tasks_);
  if (is_shutdown_) text += " shutdown";
  return text + ">";
}

}  // namespace asyncio::detail

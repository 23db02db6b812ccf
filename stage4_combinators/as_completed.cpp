#include "asyncio/detail/completion_queue.h"

#include <algorithm>

namespace asyncio::detail {

void CompletionQueue::on_completion(std::size_t number) {
  if (todo_ == 0) return;  // on_timeout() was here first
  if (--todo_ == 0) timer_.cancel();
  put(number);
}

void CompletionQueue::on_timeout() {
  for (; todo_ > 0; --todo_) put(kTimeout);
}

void CompletionQueue::put(std::size_t number) {
  done_.push_back(number);
  wake_up_next();
}

void CompletionQueue::wake_up_next() {
  while (!getters_.empty()) {
    const Future<> getter = std::move(getters_.front());
    getters_.pop_front();
    if (getter.done()) continue;
    getter.set_result();
    return;
  }
}

Coro<std::size_t> CompletionQueue::get() {
  while (done_.empty()) {
    const Future<> getter = create_future();
    getters_.push_back(getter);
    try {
      co_await getter;
    } catch (...) {  // cancelled; if it was woken already, it is another's turn
      getter.cancel();
      std::erase(getters_, getter);
      if (!done_.empty() && !getter.cancelled()) wake_up_next();
      throw;
    }
  }
  const std::size_t number = done_.front();
  done_.pop_front();
  co_return number;
}

}  // namespace asyncio::detail

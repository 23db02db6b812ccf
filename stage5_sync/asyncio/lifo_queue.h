// LifoQueue: what was put last is got first.
// Mirrors: Lib/asyncio/queues.py, LifoQueue. Read next: priority_queue.h
#pragma once

#include <asyncio/queue.h>

#include <vector>

namespace asyncio {

namespace detail {
template <class T>
class Stack {
 public:
  std::size_t size() const noexcept { return items_.size(); }
  const T& operator[](std::size_t i) const noexcept { return items_[i]; }
  void push(T&& item) { items_.push_back(std::move(item)); }
  T pop() {
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }

 private:
  std::vector<T> items_;
};
}  // namespace detail

template <class T>
class LifoQueue final : public detail::BasicQueue<T, detail::Stack<T>> {
 public:
  using detail::BasicQueue<T, detail::Stack<T>>::BasicQueue;

 private:
  std::string repr_name() const override { return "LifoQueue"; }
};

}  // namespace asyncio

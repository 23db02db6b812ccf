// as_completed(): the results of several awaitables, each as soon as it is there.
// Mirrors: Lib/asyncio/tasks.py: as_completed, _AsCompletedIterator. Read next: timeouts.h
#pragma once

#include <asyncio/detail/completion_queue.h>
#include <asyncio/detail/future_for.h>
#include <asyncio/timeouts.h>
#include <asyncio/wait.h>

#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace asyncio {

namespace detail {

/// The futures of one as_completed(); they live as long as somebody iterates, or the timer runs. Their
/// callbacks know the queue only; the timer knows all of it, a circle that ends when it fires or is cancelled.
template <class F>
class Completions final : public Pooled {
 public:
  Completions(std::vector<F> futures, TimeLimit timeout, Loop& loop)
      : futures_(std::move(futures)), queue_(new CompletionQueue(futures_.size()), adopt) {
    for (std::size_t i = 0; i != futures_.size(); ++i) {
      callbacks_.push_back(futures_[i].add_done_callback([queue = queue_, i](F&) { queue->on_completion(i); }));
    }
    if (timeout.has_value() && !futures_.empty()) {
      queue_->set_timer(loop.call_later(timeout.duration(), [self = Ref<Completions>(this)] { self->on_timeout(); }));
    }
  }
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;

  std::size_t size() const noexcept { return futures_.size(); }
  CompletionQueue& queue() const noexcept { return *queue_; }

  /// Throws TimeoutError for the number that stands for it.
  F take(std::size_t number) {
    if (number == CompletionQueue::kTimeout) throw TimeoutError();
    return std::move(futures_[number]);
  }

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }

 private:
  void on_timeout() {
    for (std::size_t i = 0; i != futures_.size(); ++i) {
      if (futures_[i]) futures_[i].remove_done_callback(callbacks_[i]);
    }
    queue_->on_timeout();
  }

  std::vector<F> futures_;
  std::vector<CallbackId> callbacks_;
  Ref<CompletionQueue> queue_;
  std::uint32_t refs_ = 1;
};

template <class F>
Coro<F> next_future(Ref<Completions<F>> completions) {
  const std::size_t number = co_await completions->queue().get();
  co_return completions->take(number);
}

template <class F>
Coro<typename F::value_type> next_result(Ref<Completions<F>> completions) {
  const std::size_t number = co_await completions->queue().get();
  co_return completions->take(number).result();
}

/// What the plain iteration gives: each await of it gives the result, or throws the exception, of the next
/// one done.
template <class F>
class NextCompleted {
 public:
  explicit NextCompleted(Ref<Completions<F>> completions) noexcept : completions_(std::move(completions)) {}
  CoroAwaiter<typename F::value_type> operator co_await() const {
    return next_result(completions_).operator co_await();
  }

 private:
  Ref<Completions<F>> completions_;
};

}  // namespace detail

/// What as_completed() returns. It is iterated once, in either way or in both; one may stop, and go on later.
template <class F>
class AsCompleted {
 public:
  AsCompleted(std::vector<F> futures, TimeLimit timeout, Loop& loop)
      : completions_(new detail::Completions<F>(std::move(futures), timeout, loop), detail::adopt),
        next_(completions_),
        left_(completions_->size()) {}

  /// `while` there is one: the next of the given futures (or of the tasks made of what was given) that is
  /// done; then std::nullopt. Throws TimeoutError in place of each one that is not done in time.
  Coro<std::optional<F>> next() {
    if (left_ == 0) co_return std::nullopt;
    --left_;
    const detail::Ref<detail::Completions<F>> completions = completions_;
    F future = co_await detail::next_future(completions);
    co_return std::optional<F>(std::move(future));
  }

  /// `for (auto& next : as_completed(tasks)) { auto value = co_await next; … }`
  class iterator {
   public:
    explicit iterator(AsCompleted& all) : all_(all) { ++*this; }
    detail::NextCompleted<F>& operator*() const noexcept { return all_.next_; }
    iterator& operator++() noexcept {
      at_end_ = all_.left_ == 0;
      if (!at_end_) --all_.left_;
      return *this;
    }
    bool operator==(std::default_sentinel_t) const noexcept { return at_end_; }

   private:
    AsCompleted& all_;
    bool at_end_ = false;
  };
  iterator begin() { return iterator(*this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  detail::Ref<detail::Completions<F>> completions_;
  detail::NextCompleted<F> next_;
  std::size_t left_;
};

/// Makes tasks of what is not a future yet, and gives the results in the order in which they come. One that
/// is given twice counts once. When the timeout is over (counted from now), what is not done gives
/// TimeoutError, and runs on. Throws std::runtime_error without a running loop.  [as_completed]
template <detail::BecomesFuture A>
auto as_completed(std::vector<A> awaitables, TimeLimit timeout = {}) {
  Loop& loop = Loop::running();
  std::vector<detail::future_for_t<A>> futures;
  futures.reserve(awaitables.size());
  for (A& awaitable : awaitables) futures.push_back(ensure_future(std::move(awaitable), loop));
  return AsCompleted<detail::future_for_t<A>>(detail::without_duplicates(std::move(futures)), timeout, loop);
}

}  // namespace asyncio

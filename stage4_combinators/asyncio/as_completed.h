// as_completed(): the results of several awaitables, each as soon as it is available.
// Mirrors: Lib/asyncio/tasks.py: as_completed, _AsCompletedIterator. Read next: timeouts.h
#pragma once

#include <asyncio/detail/completion_queue.h>
#include <asyncio/detail/future_for.h>
#include <asyncio/detail/lazy_awaitable.h>
#include <asyncio/timeouts.h>
#include <asyncio/wait.h>

#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace asyncio {

namespace detail {

/// Holds the futures of one as_completed(). Lives while an iteration or the timer refers to it. The futures'
/// callbacks hold only the queue. The timer holds all of it: a cycle, until the timer fires or is cancelled.
template <class F>
class Completions final : public RefCounted<Completions<F>>, public Pooled {
 public:
  Completions(PooledVector<F> futures, TimeLimit timeout, Loop& loop)
      : futures_(std::move(futures)), queue_(new CompletionQueue(futures_.size()), adopt) {
    for (const F& future : futures_) queue_->add(future.state());
    if (timeout.has_value() && !futures_.empty()) {
      queue_->set_timer(loop.call_later(timeout.duration(), [self = Ref<Completions>(this)] { self->on_timeout(); }));
    }
  }

  std::size_t size() const noexcept { return futures_.size(); }
  const Ref<CompletionQueue>& queue() const noexcept { return queue_; }

  /// Throws TimeoutError if `number` is kTimeout.
  F take(std::size_t number) {
    if (number == CompletionQueue::kTimeout) throw TimeoutError();
    return std::move(futures_[number]);
  }

 private:
  void on_timeout() {
    for (std::size_t i = 0; i != futures_.size(); ++i) {
      if (futures_[i]) queue_->remove_callback(futures_[i].state(), i);
    }
    queue_->on_timeout();
  }

  PooledVector<F> futures_;
  Ref<CompletionQueue> queue_;
};

template <class F>
class NextFutureAwaiter final : public CompletionQueue::Getter {
 public:
  explicit NextFutureAwaiter(Ref<Completions<F>> completions)
      : Getter(completions->queue()), completions_(std::move(completions)) {}
  F await_resume() { return completions_->take(Getter::await_resume()); }

 private:
  Ref<Completions<F>> completions_;
};

template <class F>
class NextResultAwaiter final : public CompletionQueue::Getter {
 public:
  explicit NextResultAwaiter(Ref<Completions<F>> completions)
      : Getter(completions->queue()), completions_(std::move(completions)) {}
  typename F::value_type await_resume() { return completions_->take(Getter::await_resume()).result(); }

 private:
  Ref<Completions<F>> completions_;
};

/// What a range-for yields. Each await returns the result, or throws the exception, of the next future that is done.
template <class F>
using NextCompleted = LazyAwaitable<NextResultAwaiter<F>, Ref<Completions<F>>>;
template <class F>
using NextFuture = LazyAwaitable<NextFutureAwaiter<F>, Ref<Completions<F>>>;

}  // namespace detail

/// What as_completed() returns. Iterate it once, by next(), by a range-for or by both; you may stop and continue later.
/// Belongs to the thread of its loop.
template <class F>
class AsCompleted {
 public:
  /// as_completed() makes it.
  AsCompleted(detail::PooledVector<F> futures, TimeLimit timeout, Loop& loop)
      : completions_(new detail::Completions<F>(std::move(futures), timeout, loop), detail::adopt),
        next_(completions_),
        left_(completions_->size()) {}

  /// Waits for the next of the futures (or of the tasks made of the awaitables) that is done, and returns it;
  /// std::nullopt after the last. Throws TimeoutError for each one that is not done in time.
  Coro<std::optional<F>> next() {
    if (left_ == 0) co_return std::nullopt;
    --left_;
    F future = co_await detail::NextFuture<F>(completions_);
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
  /// For `for (auto next : all)`: each `next` is to be awaited once, and gives the next result.
  iterator begin() { return iterator(*this); }
  /// Compares equal to the iterator that has given all results.
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  detail::Ref<detail::Completions<F>> completions_;
  detail::NextCompleted<F> next_;
  std::size_t left_;
};

/// Makes tasks of awaitables that are no futures, and yields the results in order of completion. A future that is
/// given twice counts once. The timeout starts now; after it, each future that is not done yields TimeoutError, and
/// keeps running. Throws std::runtime_error without a running loop. [as_completed]
template <detail::BecomesFuture A>
auto as_completed(std::vector<A>&& awaitables, TimeLimit timeout = {}) {
  Loop& loop = Loop::running();
  detail::PooledVector<detail::future_for_t<A>> futures;
  futures.reserve(awaitables.size());
  for (A& awaitable : awaitables) futures.push_back(ensure_future(std::move(awaitable), loop));
  if constexpr (detail::is_future<A>)
    futures = detail::without_duplicates(std::move(futures));  // tasks made here differ
  return AsCompleted<detail::future_for_t<A>>(std::move(futures), timeout, loop);
}
template <detail::BecomesFuture A>
auto as_completed(const std::vector<A>& awaitables, TimeLimit timeout = {}) {
  return as_completed(detail::copy_of(awaitables), timeout);
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: who waits runs two ticks after the future is done; in the same tick, if a result is there already.
// Errors: the exception of the future whose turn it is; TimeoutError once the time is over.
// Units: the timeout is any std::chrono duration, from the call of as_completed() on.

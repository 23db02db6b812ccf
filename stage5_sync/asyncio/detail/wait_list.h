// The tasks that wait for a lock, an event, a permit or an item: one type of list for all, first in, first out.
// Mirrors: the `collections.deque` of futures in Lib/asyncio/locks.py, `self._waiters`. Read next: ../lock.h
#pragma once

#include <asyncio/detail/frame_future.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/lazy_awaitable.h>

#include <cstddef>
#include <functional>
#include <limits>
#include <string>

namespace asyncio::detail {

class WaitList;

/// A waiter in a list. It lives in the frame of the await, with its links: waiting needs no memory.
class WaitNode : public FrameFuture, public ListLink {
 public:
  /// True if it is done and was not cancelled.
  bool woken() const noexcept { return done() && !cancelled(); }
  /// True if the primitive was destroyed while the task waited: do not touch it.
  bool orphaned() const noexcept { return orphaned_; }
  std::string repr() const final { return orphaned() ? "<primitive that was destroyed>" : repr_primitive(); }

 protected:
  WaitNode() = default;
  inline ~WaitNode();

  /// Appends this to the list and suspends the frame.
  inline void wait_in(WaitList& list, PromiseBase& frame) noexcept;
  /// The same for a waiter whose waits_again() calls wait_again_in() if what it was woken for is gone.
  inline void wait_until_satisfied_in(WaitList& list, PromiseBase& frame) noexcept;
  inline void wait_again_in(WaitList& list) noexcept;
  /// Call it first when the frame is resumed: leaves the list. False if there was no need to wait. Throws if orphaned.
  template <bool kMayBeWatched = false>
  inline bool leave();
  /// leave() for an awaiter that no longer needs the primitive: does not throw if orphaned.
  inline bool leave_if_there();

  /// From now on leave<true>() calls note_leave().
  void watch() noexcept { watched_ = true; }
  [[gnu::cold]] virtual void note_leave() {}

 private:
  friend WaitList;
  [[noreturn]] void throw_orphaned();
  virtual std::string repr_primitive() const = 0;

  WaitList* list_ = nullptr;  // null if in no list
  bool orphaned_ = false;
  bool watched_ = false;
};

/// A woken or cancelled waiter stays in the list until its own task runs and removes it. Therefore no task jumps the
/// queue, and no wake-up is lost: a task that is cancelled after being woken is still in the list, and passes the
/// wake-up on.
///
/// Invariants: (1) The nodes are in order of arrival. (2) All nodes before pending_ are done; if it is null, all are.
///
/// Adding and removing a waiter are O(1); with pending_, so is waking one, amortized over many calls. Alternatives:
/// - A std::deque of pointers, as in CPython. Removing from the middle is O(n): a thousand cancelled waiters cost a
///   million steps. Waking skips the waiters that are woken already: n releases in one tick are O(n²).
/// - A singly linked list. Each waiter has one pointer less; removing a cancelled one is O(n).
/// - Removing a waiter when it is woken. A newcomer then finds an empty list and a free lock, and jumps the queue.
class WaitList {
 public:
  WaitList() = default;
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;
  /// Tasks that still wait are never woken; cancelling them is safe.
  ~WaitList() {
    while (!nodes_.empty()) {
      nodes_.front().orphaned_ = true;
      remove(nodes_.front());
    }
  }

  bool empty() const noexcept { return nodes_.empty(); }
  std::size_t size() const noexcept;           // O(n): for repr()
  std::size_t count_unwoken() const noexcept;  // O(n): for repr()

  /// True if every waiter is cancelled, or there is none.
  bool all_cancelled() const noexcept {
    for (const WaitNode& node : nodes_) {
      if (!node.cancelled()) return false;
    }
    return true;
  }

  void push_back(WaitNode& node) noexcept {
    node.list_ = this;
    nodes_.push_back(node);
    if (!pending_) pending_ = &node;
  }
  /// REQUIRES: `node` is in this list.
  void remove(WaitNode& node) noexcept {
    if (pending_ == &node) pending_ = nodes_.after(node);
    nodes_.remove(node);
    node.list_ = nullptr;
  }

  /// Wakes the first waiter, unless it is done already.
  void wake_head() {
    if (!nodes_.empty()) nodes_.front().wake();
  }
  /// Wakes the first waiter that is not done. False if there is none.
  bool wake_next() {
    for (; pending_; pending_ = nodes_.after(*pending_)) {
      if (pending_->done()) continue;
      pending_->wake();
      return true;
    }
    return false;
  }
  /// Wakes up to `limit` waiters that are not done.
  void wake(std::size_t limit = std::numeric_limits<std::size_t>::max()) {
    while (limit > 0 && wake_next()) --limit;
  }

 private:
  IntrusiveList<WaitNode> nodes_;
  WaitNode* pending_ = nullptr;  // where wake_next() begins to search
};

inline WaitNode::~WaitNode() {
  if (list_) list_->remove(*this);  // the frame is destroyed while it waits: the loop was closed early
}

inline void WaitNode::wait_in(WaitList& list, PromiseBase& frame) noexcept {
  list.push_back(*this);
  suspend(frame);
}

inline void WaitNode::wait_until_satisfied_in(WaitList& list, PromiseBase& frame) noexcept {
  list.push_back(*this);
  suspend_until_satisfied(frame);
}

inline void WaitNode::wait_again_in(WaitList& list) noexcept {
  list.remove(*this);
  set_pending();
  list.push_back(*this);
}

template <bool kMayBeWatched>
inline bool WaitNode::leave() {
  if (!task()) return false;
  if (orphaned_) [[unlikely]]
    throw_orphaned();
  if constexpr (kMayBeWatched) {
    if (watched_) [[unlikely]]
      note_leave();
  }
  list_->remove(*this);
  return true;
}

inline bool WaitNode::leave_if_there() {
  if (!task()) return false;
  if (!orphaned()) list_->remove(*this);
  return true;
}

/// A plain wait in a list, for coroutines that inspect it afterwards:
/// `ListWait<Queue, &Queue::getters_> wait(queue); co_await wait;` (or `list` is a function that returns the list).
template <class Owner, auto list>
class ListWait final : public WaitNode {
 public:
  explicit ListWait(Owner& owner) noexcept : owner_(owner) {}

  /// A separate class, because g++ 12 copies an awaiter that has a name.
  class Awaiter {
   public:
    explicit Awaiter(ListWait& wait) noexcept : wait_(wait) {}
    bool await_ready() const noexcept { return false; }
    template <std::derived_from<PromiseBase> P>
    void await_suspend(std::coroutine_handle<P> frame) noexcept {
      wait_.wait_in(std::invoke(list, wait_.owner_), frame.promise());
    }
    void await_resume() {
      wait_.leave();
      wait_.FrameFuture::await_resume();
    }

   private:
    ListWait& wait_;
  };
  Awaiter operator co_await() noexcept { return Awaiter(*this); }

 private:
  std::string repr_primitive() const override { return owner_.repr(); }

  Owner& owner_;
};

/// What acquire(), scoped(), wait() and get() return.
template <class Awaiter, class Primitive>
using AwaitableOf = LazyAwaitable<Awaiter, std::reference_wrapper<Primitive>>;

}  // namespace asyncio::detail

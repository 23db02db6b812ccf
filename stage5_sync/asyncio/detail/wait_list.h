// Those who wait for a lock, an event, a permit, an item: one list for all of them, first in, first out.
// Mirrors: the `collections.deque` of futures in Lib/asyncio/locks.py, `self._waiters`. Read next: ../lock.h
#pragma once

#include <asyncio/detail/waiter.h>

#include <cstddef>
#include <limits>

namespace asyncio::detail {

class WaitList;

/// A waiter in a list. It lives in the frame of the await, and so do its links: waiting needs no memory.
class WaitNode : public Waiter {
 public:
  /// Woken: done, and not by being cancelled.
  bool woken() const noexcept { return done() && !cancelled(); }
  /// The primitive was destroyed while the task waited: nothing of it may be touched.
  bool orphaned() const noexcept { return orphaned_; }

 protected:
  WaitNode() = default;
  inline ~WaitNode();

  /// Suspends the frame, last in the list.
  inline void wait_in(WaitList& list, PromiseBase& frame) noexcept;
  /// To be called first on the way on: leaves the list. False if there was no need to wait. Throws if orphaned.
  inline bool leave();

 private:
  friend WaitList;
  [[noreturn]] void throw_orphaned();

  WaitList* list_ = nullptr;  // while it is in it
  WaitNode* previous_ = nullptr;
  WaitNode* next_ = nullptr;
  bool orphaned_ = false;
};

/// A woken or a cancelled waiter stays in the list until its own task runs and takes it out; up to then everyone sees
/// that somebody was here first. On that rests that no one jumps the queue, and that no wake-up is lost: who is
/// cancelled after being woken is still there to pass it on.
///
/// Invariants: (1) the order is that of arrival. (2) All nodes before pending_ are done; null means all are.
///
/// Adding, removing and waking one are O(1), the last by pending_ and taken over many calls. Alternatives:
/// - a std::deque of pointers, like CPython's: removing from the middle is O(n), and so a thousand cancelled waiters
///   cost a million steps; and waking walks over those that are woken already, n releases in one tick O(n²);
/// - a singly linked list: one pointer less a waiter, and O(n) to take one out that was cancelled;
/// - to take a waiter out as it is woken: then a newcomer would find an empty list and a free lock, and barge in.
class WaitList {
 public:
  WaitList() = default;
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;
  /// Those who still wait are never woken; cancelling them is safe.
  ~WaitList() {
    while (first_) {
      first_->orphaned_ = true;
      remove(*first_);
    }
  }

  bool empty() const noexcept { return first_ == nullptr; }
  std::size_t size() const noexcept;           // O(n): for printing
  std::size_t count_unwoken() const noexcept;  // the same, for a queue

  /// Whether none is left who wants to be woken, or has been.
  bool all_cancelled() const noexcept {
    for (const WaitNode* node = first_; node; node = node->next_) {
      if (!node->cancelled()) return false;
    }
    return true;
  }

  void push_back(WaitNode& node) noexcept {
    node.list_ = this;
    node.previous_ = last_;
    (last_ ? last_->next_ : first_) = &node;
    last_ = &node;
    if (!pending_) pending_ = &node;
  }
  /// REQUIRES: it is in this list.
  void remove(WaitNode& node) noexcept {
    if (pending_ == &node) pending_ = node.next_;
    (node.previous_ ? node.previous_->next_ : first_) = node.next_;
    (node.next_ ? node.next_->previous_ : last_) = node.previous_;
    node.previous_ = node.next_ = nullptr;
    node.list_ = nullptr;
  }

  /// Wakes the head of the queue, unless it is on its way already.
  void wake_head() {
    if (first_) first_->wake();
  }
  /// Wakes the first that sleeps; false if there is none.
  bool wake_next() {
    for (; pending_; pending_ = pending_->next_) {
      if (pending_->done()) continue;
      pending_->wake();
      return true;
    }
    return false;
  }
  /// Wakes up to `limit` of those that sleep now.
  void wake(std::size_t limit = std::numeric_limits<std::size_t>::max()) {
    while (limit > 0 && wake_next()) --limit;
  }

 private:
  WaitNode* first_ = nullptr;
  WaitNode* last_ = nullptr;
  WaitNode* pending_ = nullptr;  // where wake_next() begins to look
};

inline WaitNode::~WaitNode() {
  if (list_) list_->remove(*this);  // the frame is destroyed as it waits: the loop was closed early
}

inline void WaitNode::wait_in(WaitList& list, PromiseBase& frame) noexcept {
  list.push_back(*this);
  suspend(frame);
}

inline bool WaitNode::leave() {
  if (!task()) return false;
  if (orphaned_) [[unlikely]]
    throw_orphaned();
  list_->remove(*this);
  return true;
}

/// The plain wait in a list, for coroutines that look at it afterwards: `Turn turn(list); co_await turn;`
class Turn final : public WaitNode {
 public:
  explicit Turn(WaitList& list) noexcept : list_(list) {}

  /// (g++ 12 would copy the awaiter if `turn` were one itself.)
  class Awaiter {
   public:
    explicit Awaiter(Turn& turn) noexcept : turn_(turn) {}
    bool await_ready() const noexcept { return false; }
    template <std::derived_from<PromiseBase> P>
    void await_suspend(std::coroutine_handle<P> frame) noexcept {
      turn_.wait_in(turn_.list_, frame.promise());
    }
    void await_resume() {
      turn_.leave();
      turn_.Waiter::await_resume();
    }

   private:
    Turn& turn_;
  };
  Awaiter operator co_await() noexcept { return Awaiter(*this); }

 private:
  WaitList& list_;
};

/// What acquire(), wait() and their kin return: nothing happens until it is awaited, and until then it may be copied
/// and moved, to create_task() or gather() for one. The Awaiter itself may not: the list points to it.
template <class Awaiter, class Primitive>
class [[nodiscard("co_await it")]] OnAwait {
 public:
  explicit OnAwait(Primitive& primitive) noexcept : primitive_(&primitive) {}
  Awaiter operator co_await() const noexcept { return Awaiter(*primitive_); }

 private:
  Primitive* primitive_;
};

}  // namespace asyncio::detail

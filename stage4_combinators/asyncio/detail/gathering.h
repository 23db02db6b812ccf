// The part of gather() that does not depend on types: counting the children, and cancelling them.
// Mirrors: Lib/asyncio/tasks.py: _GatheringFuture, and _done_callback inside gather. Read next: ../../gather.cpp
#pragma once

#include <asyncio/detail/pooled_vector.h>
#include <asyncio/task.h>

#include <cstdint>

namespace asyncio::detail {

class Gathering;
class GatheringRegistry;

/// A child, and its done-callback.
class GatheredChild final : public DoneCallback {
 public:
  GatheredChild(Gathering& gathering, Ref<FutureBase> future) noexcept
      : gathering_(gathering), future_(std::move(future)) {}

  /// Takes the child's future away; for CollectTuple and CollectVector.
  Ref<FutureBase> take() noexcept { return std::move(future_); }

 private:
  friend Gathering;
  enum class State : std::uint8_t { waits, is_scheduled, was_done, has_run };

  void on_done(FutureBase& future) noexcept override;
  void run(Loop& loop) override;
  void drop() noexcept override;
  void add_awaiters(Awaiters& found) override;
  std::string repr() const override { return "<done-callback of gather()>"; }

  Gathering& gathering_;
  Ref<FutureBase> future_;  // null if it is not needed any more
  State state_ = State::waits;
};

using Children = PooledVector<GatheredChild>;  // in the order of the arguments

/// Ownership: the outer future holds its children, and a child's callback holds the outer future, so that it
/// completes even if the caller drops it. CPython leaves this cycle to the garbage collector. Here it is broken when
/// the outer future is done, or when the loop is closed, by the registry.
class Gathering : public ListLink {
 public:
  Gathering(FutureBase& outer, bool return_exceptions) noexcept
      : outer_(outer), return_exceptions_(return_exceptions) {}

  /// Call it first. There is then room for all callbacks, which must stay where they are.
  void reserve(std::size_t children) { children_.reserve(children); }
  /// Adds the callback to the child at once: a later child that starts eagerly may complete this one.
  void add(Ref<FutureBase> child);
  /// Call it after the last add(). Counts the children that were done when they were added.
  void start();
  /// Call it if not all children could be made. The others keep running, and nothing waits for them.
  void give_up() noexcept;

 protected:
  ~Gathering() {
    if (linked()) leave_registry();
  }

  // How a cancel() passes through this to the children.
  bool is_cancelling() const noexcept { return cancelling_; }
  Waitable* first_to_cancel(Waitable* before) noexcept;
  Waitable* next_to_cancel_after(bool accepted) noexcept;
  Waitable* all_cancelled() noexcept;
  bool cancel_accepted() noexcept;

  /// Sets the outer future's result when all children are done. May take the futures out of `children`.
  virtual void collect(Children& children) = 0;

 private:
  friend GatheredChild;
  friend GatheringRegistry;
  using State = GatheredChild::State;

  void on_child_done(GatheredChild& child);
  void finish();
  void let_go() noexcept;
  void leave_registry() noexcept { IntrusiveList<Gathering>::remove(*this); }

  FutureBase& outer_;
  Children children_;
  std::size_t finished_ = 0;
  bool return_exceptions_;
  bool cancel_requested_ = false;
  bool cancelling_ = false;           // true while a cancel() passes through this
  bool accepted_ = false;             // whether a child has accepted the cancel()
  bool some_were_done_ = false;       // when they were added; until start()
  std::size_t next_to_cancel_ = 0;    // the index of the next child to cancel
  Waitable* cancelled_by_ = nullptr;  // the future that passed the cancel() to this
};

/// The gatherings of a loop that are not done.
class GatheringRegistry final : public LoopService {
 public:
  explicit GatheringRegistry(Loop&) noexcept {}
  ~GatheringRegistry() override { on_close(); }
  void on_close() noexcept override;
  void add(Gathering& gathering) noexcept { gatherings_.push_back(gathering); }

 private:
  IntrusiveList<Gathering> gatherings_;
};

}  // namespace asyncio::detail

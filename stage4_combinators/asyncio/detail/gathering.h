// The part of gather() that does not depend on types: counting the children, and cancelling them.
// Mirrors: Lib/asyncio/tasks.py: _GatheringFuture, and _done_callback inside gather. Read next:
// ../../gather.cpp
#pragma once

#include <asyncio/task.h>

#include <vector>

namespace asyncio::detail {

using Children = std::vector<Ref<FutureBase>>;  // in the order of the arguments

class GatheringRegistry;

/// Who keeps whom alive: the outer future its children, and a child's callback the outer future (so that it
/// is completed even if nobody kept it). That is a circle, as in CPython, where the garbage collector finds
/// it. Here it is broken when the outer future is done, or else when the loop is closed: hence the registry.
class Gathering {
 public:
  explicit Gathering(bool return_exceptions) noexcept : return_exceptions_(return_exceptions) {}
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

  void reserve(std::size_t children) { children_.reserve(children); }
  /// Listens to the child from now on: one that is made after it, and starts eagerly, may end it.
  void add(Ref<FutureBase> child);
  /// All are there; those that were done already when they came are counted at once.
  void start();
  /// Not all could be made: those that are there run on, and nobody waits for them.
  void give_up() noexcept;

 protected:
  ~Gathering() { leave_registry(); }

  bool cancel_children(const CancelledError& reason);

  virtual FutureBase& outer() noexcept = 0;
  /// All children are done: sets the outer future's result. May take the children's references away.
  virtual void collect(Children& children) = 0;

 private:
  friend GatheringRegistry;

  void on_child_done(AnyFuture& child);
  void finish();
  void let_go() noexcept;
  void leave_registry() noexcept;

  Children children_;
  Children done_;  // when they came; until start()
  std::size_t finished_ = 0;
  bool return_exceptions_;
  bool cancel_requested_ = false;

  GatheringRegistry* registry_ = nullptr;  // while it is pending
  Gathering* previous_ = nullptr;
  Gathering* next_ = nullptr;
};

/// The gatherings of a loop that are not done.
class GatheringRegistry final : public LoopService {
 public:
  explicit GatheringRegistry(Loop&) noexcept {}
  ~GatheringRegistry() override { on_close(); }
  void on_close() noexcept override;
  void add(Gathering& gathering) noexcept;
  void remove(Gathering& gathering) noexcept;

 private:
  Gathering* first_ = nullptr;
};

}  // namespace asyncio::detail

// A primitive belongs to one loop: that of the first task that had to wait for it.
// Mirrors: Lib/asyncio/mixins.py, _LoopBoundMixin. Read next: ../lock.h
#pragma once

#include <asyncio/detail/task_base.h>

#include <string>

namespace asyncio::detail {

/// Only waiting binds: a lock that is free is acquired without looking at the loop, as in CPython. The anchor is held,
/// not the loop, so that a later loop at the same address is not taken for this one.
class LoopBound {
 protected:
  /// Throws std::runtime_error("<Lock [locked]> is bound to a different event loop").
  template <class Primitive>
  void bind_to_loop_of(const TaskBase& task, const Primitive& self) {
    LoopAnchor* anchor = &task.loop()->anchor();
    if (anchor_.get() == anchor) return;
    if (anchor_) throw_other_loop(self.repr());
    anchor_ = Ref<LoopAnchor>(anchor);
  }

 private:
  [[noreturn]] static void throw_other_loop(const std::string& repr);

  Ref<LoopAnchor> anchor_;
};

}  // namespace asyncio::detail

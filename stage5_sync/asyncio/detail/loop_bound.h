// A primitive belongs to one loop: that of the first task that had to wait for it.
// Mirrors: Lib/asyncio/mixins.py, _LoopBoundMixin. Read next: ../lock.h
#pragma once

#include <asyncio/detail/task_base.h>

#include <string>

namespace asyncio::detail {

/// Only waiting binds: acquiring a free lock does not look at the loop, as in CPython. Holds the WeakLoop, not the
/// Loop, because a later loop may have the address of this one.
class LoopBound {
 protected:
  /// Throws std::runtime_error("<Lock [locked]> is bound to a different event loop").
  template <class Primitive>
  void bind_to_loop_of(const TaskBase& task, const Primitive& self) {
    WeakLoop* weak_loop = &task.loop()->weak_loop();
    if (weak_loop_.get() == weak_loop) return;
    if (weak_loop_) throw_other_loop(self.repr());
    weak_loop_ = Ref<WeakLoop>(weak_loop);
  }
  bool is_bound_to_loop_of(const TaskBase& task) const noexcept {
    return weak_loop_.get() == &task.loop()->weak_loop();
  }
  /// The same with another WeakLoop of that loop: then is_bound_to_loop_of() says no each time.
  template <class Primitive>
  void bind(const Primitive& self, WeakLoop& weak_loop) {
    if (weak_loop_ && weak_loop_->loop() != weak_loop.loop()) throw_other_loop(self.repr());
    weak_loop_ = Ref<WeakLoop>(&weak_loop);
  }

 private:
  [[noreturn]] static void throw_other_loop(const std::string& repr);

  Ref<WeakLoop> weak_loop_;
};

}  // namespace asyncio::detail

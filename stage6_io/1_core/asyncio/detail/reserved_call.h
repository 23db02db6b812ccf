// A callback whose memory lies in its owner: what somebody waits for is scheduled even if there is no memory left.
// Mirrors: loop.call_soon(self._call_connection_lost, exc) of Lib/asyncio/selector_events.py. Skip on a first reading.
#pragma once

#include <asyncio/loop.h>

#include <memory>
#include <new>
#include <source_location>
#include <utility>

namespace asyncio::detail {

/// Calls a member function of its owner in the next tick, and keeps the owner alive until then.
template <class Owner>
class ReservedCall final : public Wakeup {
 public:
  using Function = void (Owner::*)(int);

  /// As call_soon(), without memory. REQUIRES: it is not scheduled.
  void schedule(Loop& loop, std::shared_ptr<Owner> owner, Function function, int argument = 0) {
    loop.check_may_schedule();
    loop.enqueue(*this);
    owner_ = std::move(owner);
    function_ = function;
    argument_ = argument;
    try {
      context_ = OptionalContext().slot();
    } catch (const std::bad_alloc&) {  // the values are lost, the call is not
      context_ = ContextSlot();
    }
  }

  void run(Loop& loop) override {
    const std::shared_ptr<Owner> owner = std::move(owner_);  // this lies in it
    const ContextScope scope(context_);
    try {
      (*owner.*function_)(argument_);
    } catch (...) {
      report_callback_exception(loop, std::source_location::current(), this);
    }
  }
  void drop() noexcept override { const std::shared_ptr<Owner> owner = std::move(owner_); }

 private:
  std::shared_ptr<Owner> owner_;  // while it is scheduled
  Function function_ = nullptr;
  int argument_ = 0;
  ContextSlot context_;
};

}  // namespace asyncio::detail

// A callback that runs each time its descriptor is ready: unlike other handles it stays armed after it has run.
// Mirrors: the Handle that Lib/asyncio/selector_events.py keeps in the selector. Read next: ../selector_core.h
#pragma once

#include <asyncio/detail/scope_exit.h>
#include <asyncio/handle.h>
#include <asyncio/loop.h>

#include <memory>
#include <source_location>
#include <utility>

namespace asyncio::detail {

/// Counted like any handle: the core's table holds one reference, and the ready queue another while it waits there.
class WatchState : public HandleState {
 public:
  explicit WatchState(std::source_location where) : origin_{OptionalContext().slot(), where} {}

  Kind kind() const noexcept override { return Kind::descriptor; }

  /// Appends it to the queue, unless it waits there already.
  void schedule(ReadyQueue& ready) {
    if (scheduled_) return;
    ready.push_back(*this);  // may throw: then it is not scheduled
    scheduled_ = true;
    add_ref();
  }

  void run(Loop& loop) override {
    const Ref<HandleState> reference(this, adopt);  // the queue's
    scheduled_ = false;
    if (!std::exchange(armed_, false)) return;  // cancelled since it was found ready
    const ContextScope scope(origin_.context);
    const ScopeExit rearm([this]() noexcept {
      if (cancelled()) {
        destroy_callback();  // it cancelled itself while it ran
      } else {
        armed_ = true;
      }
    });
    try {
      call();
    } catch (...) {
      report_callback_exception(loop, origin_.where, this);
    }
  }

 protected:
  virtual void call() = 0;

 private:
  const CallbackOrigin* origin() const noexcept override { return &origin_; }

  CallbackOrigin origin_;
  bool scheduled_ = false;
};

template <class F>
class WatchNode final : public WatchState {
 public:
  template <class G>
  WatchNode(G&& callback, std::source_location where) : WatchState(where), callback_(std::forward<G>(callback)) {}
  ~WatchNode() override {
    if (armed_) std::destroy_at(std::addressof(callback_));
  }

 private:
  void call() override { callback_(); }
  void destroy_callback() noexcept override { std::destroy_at(std::addressof(callback_)); }

  union {  // in a union because cancel() ends its life before the node's
    F callback_;
  };
};

}  // namespace asyncio::detail

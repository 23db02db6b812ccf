// A callback that runs each time its descriptor is ready: a Handle that is not used up by running.
// Mirrors: the Handle that Lib/asyncio/selector_events.py keeps in the selector. Read next: ../selector_core.h
#pragma once

#include <asyncio/handle.h>
#include <asyncio/loop.h>

#include <memory>
#include <source_location>
#include <utility>

namespace asyncio::detail {

/// Counted like any handle: one reference is the core's table, one the ready queue's while it waits there.
class WatchState : public UserCallback<HandleState> {
 public:
  using UserCallback::UserCallback;

  /// Appends it; once, however often its descriptor is found ready before it runs.
  void schedule(ReadyQueue& ready) {
    if (std::exchange(scheduled_, true)) return;
    ready.push_back(*this);
    add_ref();
  }

  void run(Loop& loop) override {
    const Ref<HandleState> reference(this, adopt);  // the queue's
    scheduled_ = false;
    if (!std::exchange(armed_, false)) return;  // cancelled since it was found ready
    const ContextScope scope(context_);
    const RearmAtEnd rearm{*this};
    try {
      call();
    } catch (...) {
      report_callback_exception(loop, where_, repr());
    }
  }

 protected:
  virtual void call() = 0;

 private:
  struct RearmAtEnd {
    WatchState& state;
    ~RearmAtEnd() {
      if (state.cancelled()) {
        state.destroy_callback();  // it cancelled itself while it ran
      } else {
        state.armed_ = true;
      }
    }
  };
  bool scheduled_ = false;
};

template <class F>
class WatchNode final : public WatchState {
 public:
  template <class G>
  WatchNode(G&& callback, std::source_location where) : WatchState(where), callback_(std::forward<G>(callback)) {}
  ~WatchNode() override {
    if (armed_) std::destroy_at(&callback_);
  }

 private:
  void call() override { callback_(); }
  void destroy_callback() noexcept override { std::destroy_at(&callback_); }

  union {  // in a union because cancel() ends its life before the node's
    F callback_;
  };
};

}  // namespace asyncio::detail

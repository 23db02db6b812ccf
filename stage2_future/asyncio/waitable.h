// What a task can be suspended on: it will call back once, and it can be cancelled. Futures are, and so is the
// waiter inside a lock. This is the seam between stage 2 and stage 3: neither side knows more of the other.
// Mirrors: the duck type behind `yield self` in Future.__await__. Read next: detail/future_base.h
#pragma once

#include <asyncio/exceptions.h>
#include <asyncio/loop.h>

#include <cstdint>

namespace asyncio {

/// Names a done-callback for remove_done_callback(): a counter, for C++ callables cannot be compared.
enum class CallbackId : std::uint64_t {};

namespace detail {

class FutureBase;

/// What waits for a future: linked into its list, and scheduled when it is done. A task is one itself, so that waiting
/// needs no memory.
class DoneCallback : public Runnable {
 public:
  /// The future is done, and this callback is about to be scheduled.
  virtual void on_done(FutureBase&) noexcept {}
  virtual CallbackId id() const noexcept { return {}; }

 protected:
  ~DoneCallback() = default;

 private:
  friend class CallbackList;
  DoneCallback* next_ = nullptr;
};

class Waitable {
 public:
  /// Will schedule `callback` once this is done (by call_soon, never inline); the callback stays the caller's.
  virtual void add_waiter(DoneCallback& callback) = 0;
  /// Takes it back; a no-op if it is not, or no longer, in the list.
  virtual void remove_waiter(DoneCallback& callback) noexcept = 0;
  /// False if it is done already. Otherwise it is cancelled, and the callback scheduled.
  virtual bool cancel(const CancelledError& reason) = 0;
  /// Whether the await is going to throw CancelledError by itself.
  virtual bool throws_cancelled() const noexcept = 0;

 protected:
  ~Waitable() = default;
};

}  // namespace detail
}  // namespace asyncio

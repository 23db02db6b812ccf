// What a task can wait for: it calls back once, and it can be cancelled. A future is one; stage 3 has a smaller one for
// locks and timers. This is the seam between stages 2 and 3: neither side knows more of the other.
// Mirrors: the duck type behind `yield self` in Future.__await__. Read next: ../../stage3_task/README.md
#pragma once

#include <asyncio/detail/intrusive_list.h>
#include <asyncio/exceptions.h>
#include <asyncio/loop.h>

#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

namespace asyncio {

/// Identifies a done-callback for remove_done_callback(). A counter, because C++ callables cannot be compared.
enum class CallbackId : std::uint64_t {};

namespace detail {

class FutureBase;
class Waitable;

/// Who waits for a future: its callbacks tell it to whoever looks, see call_graph.h of stage 3.
struct Awaiters {
  std::vector<FutureBase*> tasks;      // and futures of which somebody said that they wait
  std::vector<FutureBase*> through;    // futures that stand between, as gather()'s: who awaits them waits for this one
  std::vector<const Waitable*> waits;  // what else one of the tasks may wait for to wait for this one
};

/// The holder of a lock, which debug mode knows, and where it acquired it.
struct Holder {
  FutureBase* task = nullptr;
  std::source_location function = {};
  std::uint32_t line = 0;  // 0: unknown
};

/// What waits for a Waitable: linked into its list, and scheduled when it is done. A task is one itself, so that
/// waiting needs no memory.
class DoneCallback : public Wakeup {
 public:
  /// Called when the future is done and this callback is scheduled.
  virtual void on_done(FutureBase&) noexcept {}
  virtual CallbackId id() const noexcept { return {}; }
  /// Who waits for the future by this callback; none if it only wants to know.
  virtual void add_awaiters(Awaiters&) {}

 protected:
  ~DoneCallback() = default;
};

/// What is waited for.
class Waitable : public Describable {
 public:
  /// Schedules `callback` by call_soon() once this is done; never runs it inline. The caller keeps owning the callback.
  virtual void add_callback(DoneCallback& callback) = 0;
  /// Removes the callback. Has no effect if it is not in the list.
  virtual void remove_callback(DoneCallback& callback) noexcept = 0;
  /// Cancels this and schedules the callbacks. False, without an effect, if it is already done.
  virtual bool cancel(const CancelledError& reason) = 0;
  /// Whether the await will throw CancelledError by itself.
  virtual bool throws_cancelled() const noexcept = 0;
  /// For those who look for circles: the one task that must act before this can be done, if that is known; and whether
  /// there may be such tasks that only know it themselves.
  virtual Holder held_by() const { return {}; }
  virtual bool waits_for_tasks() const noexcept { return true; }

  Kind kind() const noexcept override { return Kind::future; }
  /// What a task waits for: `<Event [unset, waiters:1]>`; if it knows no better, `<asyncio::detail::SleepAwaiter>`.
  std::string repr() const override;

 protected:
  ~Waitable() = default;

  /// For cancel(): what to do with a cancel of `this`, and of all that it is passed on to. No link of the chain calls
  /// the next: it may be as long as memory allows. Throws std::runtime_error if tasks await each other in a circle.
  bool pass_cancel_on(const CancelledError& reason);

  // What a link of such a chain is: a task passes a cancel on to what it waits for, a gather() to its children.
  enum class CancelRole : std::uint8_t { carries_out, passes_on, is_passing_on };
  virtual CancelRole cancel_role() const noexcept { return CancelRole::carries_out; }
  /// A cancel has come, from `before` in the chain, or null. Gives the first to pass it on to, or null.
  virtual Waitable* begin_cancel(Waitable* before, const CancelledError& reason) noexcept;
  /// That one has answered. Gives the next to pass it on to, or null.
  virtual Waitable* next_to_cancel(bool accepted) noexcept;
  /// All have answered, `last` the last of them. Gives what begin_cancel() was given.
  virtual Waitable* leave_cancel(Waitable* last) noexcept;
  /// Its own answer, if the last one was `accepted`.
  virtual bool end_cancel(bool accepted, const CancelledError& reason);
};

}  // namespace detail
}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a callback runs in the tick after the one in which the waitable is done.
// Errors: cancel() throws std::runtime_error if tasks await each other in a circle.
// Units: none: a CallbackId can be compared, and means nothing else.

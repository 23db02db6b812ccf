// The part of a future that does not depend on the type of its result.
// Mirrors: Lib/asyncio/futures.py, Future. Read next: ../future.h
#pragma once

#include <asyncio/waitable.h>

#include <string>

namespace asyncio::detail {

/// A future's state, shared by its handles. Pending → cancelled or finished; then it stays so.
/// Invariants: (1) only a pending future has callbacks. (2) A callback does not keep the future alive before it is
/// scheduled; otherwise every future that never finishes would leak. (3) unretrieved_ implies an exception.
class FutureBase : public Waitable, public RefCounted<FutureBase>, public Pooled {
 public:
  explicit FutureBase(Loop& loop, bool is_task = false) noexcept : is_task_(is_task), weak_loop_(&loop.weak_loop()) {}
  virtual ~FutureBase() {
    if (!callbacks_.empty()) drop_callbacks();
  }

  bool done() const noexcept { return state_ != State::pending; }
  bool cancelled() const noexcept { return state_ == State::cancelled; }

  bool cancel(const CancelledError& reason) override;
  void set_exception(std::exception_ptr error);
  /// The exception, or null; marks it as retrieved. Throws CancelledError, InvalidStateError.
  std::exception_ptr exception();
  /// exception(); moved out of the future if there is only one handle left.
  std::exception_ptr take_exception();
  /// Throws unless there is a result: CancelledError, InvalidStateError("Result is not ready."), or the exception.
  void throw_unless_finished() {
    if (state_ != State::finished || exception_ || moved_out_) [[unlikely]]
      throw_no_result();
  }

  void add_callback(DoneCallback& callback) final;
  void remove_callback(DoneCallback& callback) noexcept final {
    callbacks_.remove_if([&](DoneCallback& other) { return &other == &callback; });
  }
  std::size_t remove_done_callback(CallbackId id) noexcept;
  /// Adds who waits for it. None once it is done.
  void add_awaited_by(Awaiters& found) const {
    callbacks_.for_each([&](DoneCallback& callback) { callback.add_awaiters(found); });
  }
  /// Drops all callbacks; they will not run.
  void drop_callbacks() noexcept;

  /// The CancelledError that an await of this cancelled future throws. REQUIRES: cancelled(). [_make_cancelled_error]
  virtual std::exception_ptr cancelled_error();
  bool throws_cancelled() const noexcept final { return cancelled() || is_cancelled_error(exception_); }
  Loop* loop() const noexcept { return weak_loop_->loop(); }  // null once it is destroyed
  /// Throws std::runtime_error("Event loop is closed and destroyed").
  Loop& existing_loop() const {
    Loop* loop = weak_loop_->loop();
    if (!loop) [[unlikely]]
      throw_loop_gone();
    return *loop;
  }
  /// Throws std::runtime_error if it is destroyed or closed.
  Loop& open_loop() const {
    Loop& loop = existing_loop();
    loop.check_closed();
    return loop;
  }
  /// open_loop(), to schedule something on it: in debug mode, also throws on a foreign thread.
  Loop& loop_to_schedule() const {
    Loop& loop = existing_loop();
    loop.check_may_schedule();
    return loop;
  }

  /// Throws std::runtime_error for a task, whose outcome only its coroutine may set.
  void check_settable(const char* operation) const {
    if (is_task_) [[unlikely]]
      throw_not_settable(operation);
  }

  /// The address of the result; null for void.
  virtual void* value() noexcept = 0;
  std::string repr() const override;

  void mark_retrieved() noexcept { unretrieved_ = false; }
  bool is_task() const noexcept { return is_task_; }
  /// Whether it holds a KeyboardInterrupt or SystemExit that leaves the loop by itself as well: only a task may.
  virtual bool holds_fatal_exception() const noexcept { return false; }

  void set_moved_out() noexcept { moved_out_ = true; }

 protected:
  enum class State : std::uint8_t { pending, cancelled, finished };

  void check_pending() const {
    if (done()) [[unlikely]]
      throw_already_done();
  }
  /// The result is stored: schedules the callbacks.
  void finish() { settle(State::finished); }
  /// finish() of a task, of which observers hear anyway.
  void finish_task() { settle<false>(State::finished); }
  /// `error` is what the await will throw; null stands for a plain CancelledError, which is made where it is thrown.
  void settle_cancelled(std::exception_ptr error);
  /// Cancelled, but no callback is scheduled: the loop is being closed.
  void abandon() noexcept {
    state_ = State::cancelled;
    unretrieved_ = false;
  }
  void forget_exception() noexcept { exception_ = nullptr; }

  /// `<Future pending more>`; `status` in place of "pending" if there is one.
  std::string describe(std::string_view status, const std::string& more) const;
  virtual std::string repr_value() const { return {}; }
  virtual const char* class_name() const noexcept { return "Future"; }
  /// Tells the loop's exception handler; if the loop is gone, the default one.
  virtual void report(const ErrorContext& context);

 private:
  template <bool kTell = true>
  void settle(State state) {
    if (callbacks_.empty()) {
      state_ = state;
      if constexpr (kTell) {
        const Loop* const loop = weak_loop_->loop();
        if (loop && loop->takes_slow_path()) [[unlikely]]
          tell_observers(*loop);
      }
      return;
    }
    Loop& loop = existing_loop();
    if (loop.takes_slow_path()) [[unlikely]]
      before_settling(state);  // may throw: then nothing has changed
    state_ = state;
    do {
      DoneCallback& callback = callbacks_.pop_front();
      loop.enqueue(callback);
      callback.on_done(*this);
    } while (!callbacks_.empty());
  }
  [[gnu::cold]] void before_settling(State state);
  [[gnu::cold]] void tell_observers(const Loop& loop) const noexcept;
  friend RefCounted;
  void unreferenced() noexcept {
    if (unretrieved_) [[unlikely]]
      report_unretrieved();
    delete this;
  }
  void report_unretrieved() noexcept;
  [[noreturn]] static void throw_loop_gone();
  [[noreturn]] static void throw_not_settable(const char* operation);
  [[noreturn]] void throw_already_done() const;
  [[noreturn]] void throw_no_result();

  State state_ = State::pending;
  bool unretrieved_ = false;  // an exception that nobody has looked at yet. CPython's __log_traceback
  bool moved_out_ = false;
  const bool is_task_;
  Ref<WeakLoop> weak_loop_;
  IntrusiveQueue<DoneCallback, Wakeup> callbacks_;  // in the order of registration
  std::exception_ptr exception_;  // finished: the exception; cancelled: its CancelledError, if it has a message
};

std::string repr_value(bool value);
std::string repr_value(long long value);
std::string repr_value(unsigned long long value);
std::string repr_value(double value);
std::string repr_value(std::string_view value);

/// A result in `<Future finished result=…>`: numbers and strings as in Python, others by their type.
template <class T>
std::string repr_of(const T& value) {
  if constexpr (std::is_pointer_v<T>) {
    if (value == nullptr) return "None";
  }
  if constexpr (std::same_as<T, bool>) {
    return repr_value(value);
  } else if constexpr (std::signed_integral<T>) {
    return repr_value(static_cast<long long>(value));
  } else if constexpr (std::unsigned_integral<T>) {
    return repr_value(static_cast<unsigned long long>(value));
  } else if constexpr (std::floating_point<T>) {
    return repr_value(static_cast<double>(value));
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    return repr_value(std::string_view(value));
  } else {
    return "<" + demangle(typeid(T).name()) + ">";
  }
}

}  // namespace asyncio::detail

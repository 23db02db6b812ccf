// All of a future that does not depend on the type of its result.
// Mirrors: Lib/asyncio/futures.py, Future. Read next: future.h
#pragma once

#include <asyncio/waitable.h>

#include <string>

namespace asyncio::detail {

/// The done-callbacks of one future, in the order of registration: a ring of nodes, of which we keep the last.
class CallbackList {
 public:
  bool empty() const noexcept { return last_ == nullptr; }
  void push_back(DoneCallback& callback) noexcept {
    if (last_) {
      callback.next_ = last_->next_;
      last_->next_ = &callback;
    } else {
      callback.next_ = &callback;
    }
    last_ = &callback;
  }
  /// REQUIRES: !empty().
  DoneCallback& pop_front() noexcept {
    DoneCallback& first = *last_->next_;
    if (&first == last_) {
      last_ = nullptr;
    } else {
      last_->next_ = first.next_;
    }
    return first;
  }
  /// Unlinks the first callback that `matches`; null if there is none.
  template <class Predicate>
  DoneCallback* remove_if(Predicate matches) noexcept {
    if (!last_) return nullptr;
    DoneCallback* before = last_;
    do {
      DoneCallback* callback = before->next_;
      if (matches(*callback)) {
        before->next_ = callback->next_;
        if (callback == last_) last_ = before == callback ? nullptr : before;
        return callback;
      }
      before = callback;
    } while (before != last_);
    return nullptr;
  }

 private:
  DoneCallback* last_ = nullptr;
};

/// A future's state, shared by its handles. Pending → cancelled or finished, once and for ever.
/// Invariants: (1) only a pending future has callbacks. (2) A callback does not keep the future alive before it is
/// scheduled, or every future that never finishes would leak. (3) unretrieved_ implies finished with an exception.
class FutureBase : public Waitable, public Pooled {
 public:
  explicit FutureBase(Loop& loop, bool is_task = false) noexcept : is_task_(is_task), anchor_(&loop.anchor()) {}
  FutureBase(const FutureBase&) = delete;
  FutureBase& operator=(const FutureBase&) = delete;
  virtual ~FutureBase() {
    if (!callbacks_.empty()) drop_callbacks();
  }

  bool done() const noexcept { return state_ != State::pending; }
  bool cancelled() const noexcept { return state_ == State::cancelled; }

  bool cancel(const CancelledError& reason) override;
  void set_exception(std::exception_ptr error);
  /// The exception, or null; marks it as retrieved. Throws CancelledError, InvalidStateError.
  std::exception_ptr exception();
  /// The same, and no longer here if only one handle is left to see it.
  std::exception_ptr take_exception();
  /// Throws unless there is a result: CancelledError, InvalidStateError("Result is not ready."), or the exception.
  void throw_unless_finished() {
    if (state_ != State::finished || exception_ || moved_out_) [[unlikely]]
      throw_no_result();
  }

  void add_waiter(DoneCallback& callback) final;
  void remove_waiter(DoneCallback& callback) noexcept final {
    callbacks_.remove_if([&](DoneCallback& other) { return &other == &callback; });
  }
  std::size_t remove_done_callback(CallbackId id) noexcept;
  /// Drops all callbacks; they will not run.
  void drop_callbacks() noexcept;

  /// The CancelledError that an await of this cancelled future throws. REQUIRES: cancelled(). [_make_cancelled_error]
  /// One that left the coroutine of a task is given only to the first who asks; those after it get one without a message.
  std::exception_ptr cancelled_error();
  /// The same as a value: with the message that cancel() was given, but not with that of a CancelledError which left a
  /// coroutine. [fut._cancel_message, in gather]
  std::exception_ptr cancel_message() const {
    return exception_ && !cancelled_from_within_ ? exception_ : std::make_exception_ptr(CancelledError());
  }
  bool throws_cancelled() const noexcept final { return cancelled() || is_cancelled_error(exception_); }
  Loop* loop() const noexcept { return anchor_->loop(); }  // null once it is destroyed
  /// Throws std::runtime_error("Event loop is closed") if it is destroyed or closed.
  Loop& open_loop() const {
    Loop& loop = loop_that_is_there();
    loop.check_closed();
    return loop;
  }
  /// To schedule something on it: in debug mode, also throws on a foreign thread.
  Loop& loop_to_schedule() const {
    Loop& loop = loop_that_is_there();
    loop.check_may_schedule();
    return loop;
  }

  /// Throws std::runtime_error for a task: only its coroutine may say what came of it.
  void check_settable(const char* operation) const {
    if (is_task_) [[unlikely]]
      throw_not_settable(operation);
  }

  /// Where the result is; null for void.
  virtual void* value() noexcept = 0;
  virtual std::string repr() const;

  void mark_retrieved() noexcept { unretrieved_ = false; }
  bool holds_fatal_exception() const noexcept { return fatal_; }

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) destroy();
  }
  /// Whether no other user can see the result: then it may be moved out.
  bool unique() const noexcept { return refs_ == 1; }
  void set_moved_out() noexcept { moved_out_ = true; }

 protected:
  enum class State : std::uint8_t { pending, cancelled, finished };

  void check_pending() const {
    if (done()) [[unlikely]]
      throw_already_done();
  }
  /// The result is stored: wakes whoever waits.
  void finish() { settle(State::finished); }
  /// Cancelled; what the await will throw (null: a plain CancelledError, made where it is thrown).
  void settle_cancelled(std::exception_ptr error);
  /// The same for an error that left the coroutine of a task.
  void settle_cancelled_from_within(std::exception_ptr error) {
    cancelled_from_within_ = true;
    settle_cancelled(std::move(error));
  }
  /// Cancelled without a word to those who wait: the loop is being closed.
  void abandon() noexcept {
    state_ = State::cancelled;
    unretrieved_ = false;
  }
  /// KeyboardInterrupt or SystemExit: stored here, and about to leave the loop by itself as well.
  void set_fatal_exception(std::exception_ptr error);

  /// `<Future pending more>`; `status` in place of "pending" if there is one.
  std::string describe(std::string_view status, const std::string& more) const;
  virtual std::string repr_value() const { return {}; }
  virtual const char* kind() const noexcept { return "Future"; }
  /// Tells the loop's exception handler, or the default one if there is no loop any more.
  virtual void report(const ErrorContext& context);

 private:
  Loop& loop_that_is_there() const {
    Loop* loop = anchor_->loop();
    if (!loop) [[unlikely]]
      throw_loop_gone();
    return *loop;
  }
  void settle(State state) {
    if (callbacks_.empty()) {
      state_ = state;
      return;
    }
    Loop& loop = loop_to_schedule();  // may throw: then nothing has changed
    state_ = state;
    do {
      DoneCallback& callback = callbacks_.pop_front();
      loop.enqueue(callback);
      callback.on_done(*this);
    } while (!callbacks_.empty());
  }
  void destroy() noexcept {
    if (unretrieved_) [[unlikely]]
      report_unretrieved();
    delete this;
  }
  void report_unretrieved() noexcept;
  [[noreturn]] static void throw_loop_gone();
  [[noreturn]] static void throw_not_settable(const char* operation);
  [[noreturn]] void throw_already_done() const;
  [[noreturn]] void throw_no_result();

  std::uint32_t refs_ = 1;
  State state_ = State::pending;
  bool unretrieved_ = false;  // CPython's __log_traceback: an exception that nobody has looked at yet
  bool moved_out_ = false;
  bool fatal_ = false;
  bool cancelled_from_within_ = false;
  const bool is_task_;
  Ref<LoopAnchor> anchor_;
  CallbackList callbacks_;
  std::exception_ptr exception_;  // finished: the exception; cancelled: its CancelledError, if it has a message
};

std::string repr_value(bool value);
std::string repr_value(long long value);
std::string repr_value(unsigned long long value);
std::string repr_value(double value);
std::string repr_value(std::string_view value);

/// How a result is printed inside `<Future finished result=…>`: numbers and texts as Python would, others by type.
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

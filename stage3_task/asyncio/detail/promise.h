// What the compiler asks of a coroutine's type: where its result goes, and what runs next when it ends.
// PromiseBase passes the task down from frame to frame, so that an await need not look it up.
// Mirrors: PyGenObject and _PyGen_Send. Read next: ../coro.h
#pragma once

#include <asyncio/future.h>

#include <coroutine>
#include <exception>
#include <memory>
#include <new>
#include <source_location>
#include <string_view>
#include <utility>

namespace asyncio {

template <class T>
class Coro;

namespace detail {

class TaskBase;
class PromiseBase;

[[noreturn]] void throw_awaited_twice();
/// "execute", or "<lambda>".
inline std::string_view coroutine_name(const std::source_location& where) noexcept { return function_name(where); }
/// Destroys the frame of a coroutine that has not begun; reports it in debug mode.
void destroy_unawaited(PromiseBase& promise) noexcept;

/// One coroutine's call of another: the part of an awaiter that owns the frame of the callee. It lies in the caller's
/// frame, so ownership goes from the outermost frame inwards; PromiseBase::caller() is the way back.
class Call {
 public:
  explicit Call(PromiseBase* callee) noexcept : callee_(callee) {}
  inline ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// Gives the callee's frame, to be resumed.
  inline std::coroutine_handle<> begin(PromiseBase& caller) noexcept;
  /// Null if there is none, or if this does not own it any more.
  PromiseBase* callee() const noexcept { return callee_; }
  /// Gives up the callee's frame: somebody else destroys it.
  PromiseBase* disown() noexcept { return std::exchange(callee_, nullptr); }

 protected:
  void set_callee(PromiseBase* callee) noexcept { callee_ = callee; }

 private:
  PromiseBase* callee_;
};

/// The part of a promise that does not depend on the result type. Invariant: task_ is set before the first resume, and
/// is equal in all frames of a task.
class PromiseBase {
 public:
  PromiseBase() noexcept {}  // not = default, for the union
  ~PromiseBase() {
    if (failed()) std::destroy_at(&exception_);
  }
  PromiseBase(const PromiseBase&) = delete;
  PromiseBase& operator=(const PromiseBase&) = delete;

  static void* operator new(std::size_t size) { return Pool::allocate(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { Pool::deallocate(memory, size); }

  std::suspend_always initial_suspend() const noexcept { return {}; }

  /// Resumes the caller. A task's outermost coroutine has none: then TaskBase::step() continues.
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) const noexcept {
      PromiseBase* const caller = self.promise().caller_;
      return caller ? caller->frame() : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() const noexcept { return {}; }

  void unhandled_exception() noexcept;

  /// Stores the line of the await, for repr() and for debuggers, and returns the awaitable.
  template <class A>
  A&& await_transform(A&& awaitable, std::source_location where = std::source_location::current()) noexcept;

  /// The frame that contains this promise. (Its address depends only on the alignment of the promise's type.)
  std::coroutine_handle<> frame() noexcept { return std::coroutine_handle<PromiseBase>::from_promise(*this); }
  TaskBase& task() const noexcept { return *task_; }
  void set_task(TaskBase& task) noexcept { task_ = &task; }
  /// The coroutine that awaits this one; null for a task's outermost.
  PromiseBase* caller() const noexcept { return caller_; }
  /// The call that this coroutine is in. REQUIRES: it is the caller() of another.
  Call& call() const noexcept { return *call_; }

  enum class Outcome : std::uint8_t { none, none_of_generator, value, exception, cancelled, fatal };
  Outcome outcome() const noexcept { return outcome_; }
  /// Destroys the frame of a coroutine that has not begun. Its parameters may be such coroutines, theirs too, and so
  /// on: beyond some depth it is done later, by the outermost of these calls.
  void destroy_before_begin() noexcept;
  std::exception_ptr take_exception() noexcept { return failed() ? std::move(exception_) : nullptr; }

  const std::source_location& where() const noexcept { return where_; }
  /// Whether it is an asynchronous generator that has not ended. (A flag would cost every coroutine an instruction.)
  bool is_generator() const noexcept { return outcome_ == Outcome::none_of_generator; }
  /// The line of the current await; before the first await, that of the function.
  std::uint32_t line() const noexcept { return line_ != 0 ? line_ : where_.line(); }

 protected:
  void set_where(std::source_location where) noexcept { where_ = where; }
  void throw_unless_value() {
    if (outcome_ != Outcome::value) [[unlikely]]
      throw_no_value();
  }

  Outcome outcome_ = Outcome::none;

 private:
  friend Call;
  /// Its exception; or, if the coroutine came to its end without a co_return, std::logic_error.
  [[noreturn]] void throw_no_value();
  bool failed() const noexcept { return outcome_ > Outcome::value; }

  std::uint32_t line_ = 0;
  PromiseBase* caller_ = nullptr;
  Call* call_;                  // the last that this one made; not set before the first
  TaskBase* task_;              // the task that runs this coroutine
  std::source_location where_;  // the coroutine function
  union {                       // exists if failed(): most coroutines have none
    std::exception_ptr exception_;
  };
};

inline Call::~Call() {
  if (callee_) callee_->frame().destroy();
}

inline std::coroutine_handle<> Call::begin(PromiseBase& caller) noexcept {
  caller.call_ = this;
  callee_->caller_ = &caller;
  callee_->task_ = caller.task_;
  return callee_->frame();
}

template <class T>
class PromiseOf final : public PromiseBase {
 public:
  static_assert(alignof(T) <= 2 * sizeof(void*),
                "a coroutine's frame is aligned for nothing wider: return a pointer to it");

  PromiseOf() noexcept {}
  ~PromiseOf() {
    if (outcome_ == Outcome::value) std::destroy_at(std::addressof(value_));
  }

  Coro<T> get_return_object(std::source_location where = std::source_location::current()) noexcept;

  template <class U = T>
    requires std::constructible_from<T, U>
  void return_value(U&& value) {
    std::construct_at(std::addressof(value_), std::forward<U>(value));
    outcome_ = Outcome::value;
  }

  T take_result() {
    throw_unless_value();
    return std::move(value_);
  }

 private:
  union {
    T value_;
  };
};

template <>
class PromiseOf<void> final : public PromiseBase {
 public:
  inline Coro<void> get_return_object(std::source_location where = std::source_location::current()) noexcept;
  void return_void() noexcept { outcome_ = Outcome::value; }
  void take_result() { throw_unless_value(); }
};

}  // namespace detail
}  // namespace asyncio

// What the compiler asks of a coroutine's type: where its result goes, and who runs next when it ends.
// The heart of stage 3 is PromiseBase: it hands the task down from frame to frame, so that an await looks nothing up.
// Mirrors: PyGenObject and _PyGen_Send. Read next: ../coro.h
#pragma once

#include <asyncio/future.h>

#include <coroutine>
#include <exception>
#include <memory>
#include <new>
#include <source_location>
#include <string>
#include <utility>

namespace asyncio {

template <class T>
class Coro;

namespace detail {

class TaskBase;
class PromiseBase;

[[noreturn]] void throw_awaited_twice();
/// "execute", or "<lambda>".
std::string coroutine_name(const std::source_location& where);
/// Destroys the frame of a coroutine that has not begun; reports it in debug mode.
void destroy_unawaited(PromiseBase& promise) noexcept;

/// The part of an awaiter that ties a caller's frame to the frame of the coroutine it awaits; it owns the latter.
struct CoroLink {
  explicit CoroLink(PromiseBase* callee) noexcept : callee(callee) {}
  inline ~CoroLink();
  CoroLink(const CoroLink&) = delete;
  CoroLink& operator=(const CoroLink&) = delete;

  inline std::coroutine_handle<> call(PromiseBase& from) noexcept;

  PromiseBase* callee;
};

/// The untyped part of a promise. Invariant: task_ is set before the first resume, and the same in all frames of a task.
class PromiseBase {
 public:
  PromiseBase() noexcept {}  // NOLINT: not = default, for the union
  ~PromiseBase() {
    if (failed()) std::destroy_at(&exception_);
  }
  PromiseBase(const PromiseBase&) = delete;
  PromiseBase& operator=(const PromiseBase&) = delete;

  static void* operator new(std::size_t size) { return Pool::allocate(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { Pool::deallocate(memory, size); }

  std::suspend_always initial_suspend() const noexcept { return {}; }

  /// At the end the caller goes on. A task's first coroutine has none: then back to Task::step.
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

  /// Notes the line of the await (for repr, and for who debugs), and lets the awaitable through.
  template <class A>
  A&& await_transform(A&& awaitable, std::source_location where = std::source_location::current()) noexcept;

  /// The frame lies around its promise: where, the compiler knows. (Alignment is all it asks of the promise's type.)
  std::coroutine_handle<> frame() noexcept { return std::coroutine_handle<PromiseBase>::from_promise(*this); }
  TaskBase& task() const noexcept { return *task_; }
  void set_task(TaskBase& task) noexcept { task_ = &task; }
  /// Who awaits us; null for a task's outermost coroutine.
  PromiseBase* caller() const noexcept { return caller_; }
  /// The caller's awaiter will not destroy this frame: somebody else does.
  void disown() noexcept {
    if (caller_) link_->callee = nullptr;
  }

  enum class Outcome : std::uint8_t { none, value, exception, cancelled, fatal };
  Outcome outcome() const noexcept { return outcome_; }
  std::exception_ptr take_exception() noexcept { return failed() ? std::move(exception_) : nullptr; }

  const std::source_location& where() const noexcept { return where_; }
  /// Of the await where it is, or of the function, if it has not come to any.
  std::uint32_t line() const noexcept { return line_ != 0 ? line_ : where_.line(); }

 protected:
  void set_where(std::source_location where) noexcept { where_ = where; }
  void throw_if_failed() {
    if (failed()) [[unlikely]]
      std::rethrow_exception(std::move(exception_));
  }

  Outcome outcome_ = Outcome::none;

 private:
  friend CoroLink;
  bool failed() const noexcept { return outcome_ > Outcome::value; }

  std::uint32_t line_ = 0;
  PromiseBase* caller_ = nullptr;
  CoroLink* link_;              // the caller's awaiter, if there is one
  TaskBase* task_;              // who runs us
  std::source_location where_;  // which function we are
  union {                       // there if failed(): most coroutines make none
    std::exception_ptr exception_;
  };
};

inline CoroLink::~CoroLink() {
  if (callee) callee->frame().destroy();
}

inline std::coroutine_handle<> CoroLink::call(PromiseBase& from) noexcept {
  callee->caller_ = &from;
  callee->link_ = this;
  callee->task_ = from.task_;
  return callee->frame();
}

template <class T>
class PromiseOf final : public PromiseBase {
 public:
  static_assert(alignof(T) <= 2 * sizeof(void*),
                "a coroutine's frame is aligned for nothing wider: return a pointer to it");

  PromiseOf() noexcept {}
  ~PromiseOf() {
    if (outcome_ == Outcome::value) std::destroy_at(&value_);
  }

  Coro<T> get_return_object(std::source_location where = std::source_location::current()) noexcept;

  template <class U = T>
    requires std::constructible_from<T, U>
  void return_value(U&& value) {
    std::construct_at(&value_, std::forward<U>(value));
    outcome_ = Outcome::value;
  }

  T take_result() {
    throw_if_failed();
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
  void take_result() { throw_if_failed(); }
};

}  // namespace detail
}  // namespace asyncio

// The part of an asynchronous generator that does not depend on the type of its values.
// Mirrors: Objects/genobject.c, PyAsyncGenObject; BaseEventLoop._asyncgens. Read next: ../../async_generator.cpp
#pragma once

#include <asyncio/task.h>

#include <coroutine>
#include <exception>
#include <string>
#include <vector>

namespace asyncio {

/// Thrown at the co_yield of a generator that is being closed. As Python's is no Exception, this is no std::exception.
class GeneratorExit final {
 public:
  const char* what() const noexcept { return "GeneratorExit"; }
};

namespace detail {

class GeneratorPromiseBase;
class GeneratorRegistry;

[[noreturn]] void throw_empty_generator();

/// Handles hold references, and so does a next() under way. Fresh → waiting ⇄ running → ended.
/// Invariants: (1) promise_ is null exactly if it has ended: the frame is gone. (2) It is in its loop's registry from
/// the first next() until it ends or is dropped. (3) When the last reference goes, the loop closes it if it waits; a
/// fresh one is just destroyed.
class GeneratorState final : public RefCounted<GeneratorState>, public ListLink, public Pooled {
 public:
  GeneratorState(GeneratorPromiseBase& promise, std::source_location where) noexcept
      : promise_(&promise), where_(where) {}

  std::string repr() const;

 private:
  friend RefCounted;
  friend class GeneratorPromiseBase;
  friend class GeneratorRegistry;
  friend class NextAwaiterBase;
  friend class YieldBase;
  friend Coro<> close_generator(Ref<GeneratorState> state);
  enum class Phase : std::uint8_t { fresh, waiting, running, ended };

  void frame_destroyed() noexcept;
  void destroy_frame() noexcept;
  void unreferenced() noexcept;

  GeneratorPromiseBase* promise_;
  std::source_location where_;
  Ref<WeakLoop> weak_loop_;    // of the loop that iterates it
  void* value_ = nullptr;      // what it yielded, in its frame
  std::exception_ptr thrown_;  // to be thrown at the co_yield
  Phase phase_ = Phase::fresh;
};

class GeneratorPromiseBase : public PromiseBase {
 public:
  GeneratorPromiseBase() noexcept { outcome_ = Outcome::none_of_generator; }
  ~GeneratorPromiseBase() {
    if (state_) state_->frame_destroyed();
  }

 protected:
  Ref<GeneratorState> make_state() {
    state_ = new GeneratorState(*this, where());
    return Ref<GeneratorState>(state_, adopt);
  }

 private:
  friend class YieldBase;
  GeneratorState* state_ = nullptr;
};

/// The awaiter of a co_yield: resumes the coroutine that awaits next().
class YieldBase {
 public:
  bool await_ready() const noexcept { return false; }
  void await_resume();

 protected:
  std::coroutine_handle<> yield(GeneratorPromiseBase& generator, void* value) noexcept;

 private:
  GeneratorState* state_ = nullptr;
};

/// The awaiter of next(): a call into the generator's frame. Unlike a coroutine's, the frame outlives the call.
class NextAwaiterBase : public Call {
 public:
  /// `thrown` is thrown at the co_yield where the generator waits.
  explicit NextAwaiterBase(Ref<GeneratorState> state, std::exception_ptr thrown = nullptr)
      : Call(nullptr), state_(std::move(state)), thrown_(std::move(thrown)) {}

  bool await_ready() const;

 protected:
  std::coroutine_handle<> resume(PromiseBase& caller);
  /// The value, or null at the generator's end. Throws the exception that ended it.
  void* take_value();

 private:
  Ref<GeneratorState> state_;
  std::exception_ptr thrown_;
};

Coro<> close_generator(Ref<GeneratorState> state);

/// The generators of one loop that have begun and not ended, in the order in which they began.
class GeneratorRegistry final : public LoopService {
 public:
  explicit GeneratorRegistry(Loop& loop) noexcept : loop_(loop) {}
  void on_close() noexcept override { closed_ = true; }

  void add(GeneratorState& generator);
  void remove(GeneratorState& generator) noexcept;
  /// Closes a generator without references in a task. False if the loop is being closed.
  bool close_later(GeneratorState& generator) noexcept;
  /// Returns the generators that exist. Later ones are reported.
  std::vector<Ref<GeneratorState>> begin_shutdown();

 private:
  Loop& loop_;
  IntrusiveList<GeneratorState> generators_;
  bool shut_down_ = false;
  bool closed_ = false;
};

}  // namespace detail
}  // namespace asyncio

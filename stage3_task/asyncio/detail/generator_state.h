// All of an asynchronous generator that does not depend on the type of its values.
// Mirrors: Objects/genobject.c, PyAsyncGenObject; BaseEventLoop._asyncgens. Read next: ../../async_generator.cpp
#pragma once

#include <asyncio/task.h>

#include <coroutine>
#include <exception>
#include <string>
#include <vector>

namespace asyncio {

/// Thrown at the co_yield of a generator that is being closed. As in Python no ordinary exception: not a std::exception.
class GeneratorExit final {
 public:
  const char* what() const noexcept { return "GeneratorExit"; }
};

namespace detail {

class GeneratorPromiseBase;
class GeneratorRegistry;

[[noreturn]] void throw_empty_generator();

/// Counted: by the user's handles, and by a next() under way. Fresh → waiting ⇄ running → ended.
/// Invariants: (1) promise_ is null exactly when it has ended: the frame is gone. (2) It is in its loop's registry from the
/// first next() until it ends, or is dropped. (3) Without references, a waiting one is closed by its loop; a fresh one just goes.
class GeneratorState final : public Pooled {
 public:
  GeneratorState(GeneratorPromiseBase& promise, std::source_location where) noexcept
      : promise_(&promise), where_(where) {}
  GeneratorState(const GeneratorState&) = delete;
  GeneratorState& operator=(const GeneratorState&) = delete;

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) unreferenced();
  }
  std::string repr() const;

 private:
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
  Ref<LoopAnchor> anchor_;     // of the loop that iterates it
  void* value_ = nullptr;      // what it yielded, in its frame
  std::exception_ptr thrown_;  // to be thrown at the co_yield
  GeneratorState* previous_ = nullptr;
  GeneratorState* next_ = nullptr;
  std::uint32_t refs_ = 1;
  Phase phase_ = Phase::fresh;
  bool registered_ = false;
};

class GeneratorPromiseBase : public PromiseBase {
 public:
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

/// The awaiter of a co_yield: back to whoever awaits next().
class YieldBase {
 public:
  bool await_ready() const noexcept { return false; }
  void await_resume();

 protected:
  std::coroutine_handle<> yield(GeneratorPromiseBase& generator, void* value) noexcept;

 private:
  GeneratorState* state_ = nullptr;
};

/// The awaiter of next(): a plain call into the generator's frame, as CoroAwaiter is, but it comes back more than once.
class NextAwaiterBase : public CoroLink {
 public:
  /// `thrown`: to be thrown at the co_yield where it waits.
  explicit NextAwaiterBase(Ref<GeneratorState> state, std::exception_ptr thrown = nullptr)
      : CoroLink(nullptr), state_(std::move(state)), thrown_(std::move(thrown)) {}

  bool await_ready() const;

 protected:
  std::coroutine_handle<> begin(PromiseBase& from);
  /// The value, or null at the generator's end. Throws what left the generator.
  void* end();

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
  /// Closes one that nobody refers to any more; false if the loop is being closed.
  bool close_later(GeneratorState& generator) noexcept;
  /// Those that are there; those that come now are reported.
  std::vector<Ref<GeneratorState>> begin_shutdown();

 private:
  Loop& loop_;
  GeneratorState* first_ = nullptr;
  GeneratorState* last_ = nullptr;
  bool shut_down_ = false;
  bool closed_ = false;
};

}  // namespace detail
}  // namespace asyncio

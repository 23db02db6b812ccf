// What a Context is made of, and how a task or a callback enters its own. Programs without context variables
// pay for one null pointer each, and two loads and stores a step.
// Mirrors: Python/context.c. Skip on a first reading. Read next: ../context.h
#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// Names a ContextVar: counted up, as an address may be used again.
enum class ContextKey : std::uint64_t {};
ContextKey new_context_key() noexcept;

struct ContextToken;

/// The values of one context. A copy shares them until one of the two is changed.
/// Counted with an atomic: alone among the library's objects it may be handed to another thread.
class ContextState : public Pooled {
 public:
  ContextState() = default;
  ContextState(const ContextState& other) noexcept : values_(other.values_) {}
  /// Of none: empty.
  explicit ContextState(const ContextState* other) noexcept : values_(other ? other->values_ : nullptr) {}
  ContextState& operator=(const ContextState&) = delete;

  /// The current context of this thread; null: an empty one, not made yet.
  static ContextState* current() noexcept { return current_; }
  static ContextState& make_current();
  static ContextToken set_current(ContextKey key, std::shared_ptr<const void> value);
  static void reset_current(ContextKey key, ContextToken& token);

  const void* find(ContextKey key) const noexcept;
  std::size_t size() const noexcept { return values_ ? values_->size() : 0; }

  /// For Context::run(): throws std::runtime_error if it is the current one, or entered already.
  void enter();
  void leave() noexcept { entered_ = false; }

  void add_ref() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  friend class ContextSlot;
  friend class ContextStaysEntered;
  using Values = std::vector<std::pair<ContextKey, std::shared_ptr<const void>>>;  // by key

  /// Gives back what was there. A null `value` removes it.
  std::shared_ptr<const void> exchange(ContextKey key, std::shared_ptr<const void> value);

  std::shared_ptr<const Values> values_;  // null: empty. Never changed, but replaced
  std::atomic<std::uint32_t> refs_ = 1;
  bool entered_ = false;

  static constinit inline thread_local ContextState* current_ = nullptr;
};

struct ContextToken {
  Ref<ContextState> context;  // null once it was used
  ContextKey key;
  std::shared_ptr<const void> before;
};

/// Holds the context of a task or a callback; null as long as nothing was set in it.
class ContextSlot {
 public:
  ContextSlot() = default;
  explicit ContextSlot(Ref<ContextState> state) noexcept : state_(state.leak()) {}
  ContextSlot(ContextSlot&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  ContextSlot& operator=(ContextSlot&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~ContextSlot() {
    if (state_) state_->release();
  }
  /// Without values nothing need be copied: a program that knows no context variables allocates no contexts.
  static ContextSlot copy_of_current() {
    const ContextState* current = ContextState::current();
    const bool has_values = current && current->values_;
    return ContextSlot(has_values ? Ref(new ContextState(*current), adopt) : Ref<ContextState>());
  }

  /// The context; made, if there was no need of it so far.
  Ref<ContextState> state() {
    if (!state_) state_ = new ContextState;
    return Ref(state_);
  }

 private:
  friend class ContextScope;
  ContextState* enter() noexcept { return std::exchange(ContextState::current_, state_); }
  void leave(ContextState* before) noexcept {
    ContextState* const used = std::exchange(ContextState::current_, before);
    if (used != state_) [[unlikely]]
      keep(used);
  }
  void keep(ContextState* used) noexcept;

  ContextState* state_ = nullptr;
};

/// While it lives, another context is entered inside of the current one, which therefore must not be entered once more.
class ContextStaysEntered {
 public:
  ContextStaysEntered() noexcept
      : state_(ContextState::current()), before_(state_ && std::exchange(state_->entered_, true)) {}
  ~ContextStaysEntered() {
    if (state_) state_->entered_ = before_;
  }
  ContextStaysEntered(const ContextStaysEntered&) = delete;
  ContextStaysEntered& operator=(const ContextStaysEntered&) = delete;

 private:
  ContextState* state_;  // alive: it is somebody's current one
  bool before_;
};

/// While it lives, the slot's context is the current one.
class ContextScope {
 public:
  explicit ContextScope(ContextSlot& slot) noexcept : slot_(slot), before_(slot.enter()) {}
  ~ContextScope() { slot_.leave(before_); }
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  ContextSlot& slot_;
  ContextState* before_;
};

}  // namespace asyncio::detail

// What a Context is made of, and how a task or a callback enters its own. In a program without context variables, each
// task and callback pays for one null pointer, and each step for two loads and stores.
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

/// Identifies a ContextVar. A counter, because an address may be used again.
enum class ContextKey : std::uint64_t {};
ContextKey new_context_key() noexcept;

struct ContextToken;

/// The values of one context. A copy shares them until one of the two is changed.
/// The count is atomic, because a Context may be handed to another thread.
class ContextState : public Pooled {
 public:
  ContextState() = default;
  ContextState(const ContextState& other) noexcept : values_(other.values_) {}
  /// A copy of `other`; empty if that is null.
  explicit ContextState(const ContextState* other) noexcept : values_(other ? other->values_ : nullptr) {}
  ContextState& operator=(const ContextState&) = delete;

  /// The current context of this thread; null stands for an empty one that is not made yet.
  static ContextState* current() noexcept { return current_; }
  static ContextState& make_current();
  static ContextToken set_current(ContextKey key, std::shared_ptr<const void> value);
  static void reset_current(ContextKey key, ContextToken& token);

  const void* find(ContextKey key) const noexcept;
  std::size_t size() const noexcept { return values_ ? values_->size() : 0; }

  /// For Context::run(). Throws std::runtime_error if the context is already entered.
  void enter();
  void leave() noexcept { entered_ = false; }
  [[noreturn]] static void throw_entered();

  void add_ref() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  friend class ContextSlot;
  friend class ScopedContextValue;
  friend class ContextStaysEntered;
  using Values = std::vector<std::pair<ContextKey, std::shared_ptr<const void>>>;  // by key

  /// Returns the previous value. A null `value` removes the variable.
  std::shared_ptr<const void> exchange(ContextKey key, std::shared_ptr<const void> value);

  std::shared_ptr<const Values> values_;  // null: empty. Replaced as a whole, never changed
  std::atomic<std::uint32_t> refs_ = 1;
  bool entered_ = false;

  static constinit inline thread_local ContextState* current_ = nullptr;
};

struct ContextToken {
  Ref<ContextState> context;  // null once the token was used
  ContextKey key;
  std::shared_ptr<const void> before;
};

/// set_current() until the end of a scope. Restores in the context in which it was set, whichever is current by then:
/// the frame of a task that is destroyed ends outside of the task's context.
class ScopedContextValue {
 public:
  ScopedContextValue(ContextKey key, std::shared_ptr<const void> value);
  ~ScopedContextValue();
  ScopedContextValue(const ScopedContextValue&) = delete;
  ScopedContextValue& operator=(const ScopedContextValue&) = delete;

 private:
  std::shared_ptr<const ContextState::Values> all_before_;  // put back as a whole, if nothing else was set meanwhile
  ContextToken token_;
  std::shared_ptr<const ContextState::Values> all_after_;
};

/// Holds the context of a task or a callback; null as long as nothing was set in it.
class ContextSlot {
 public:
  ContextSlot() = default;
  explicit ContextSlot(Ref<ContextState> state) noexcept : state_(state.detach()) {}
  ContextSlot(ContextSlot&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  ContextSlot& operator=(ContextSlot&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~ContextSlot() {
    if (state_) state_->release();
  }
  /// Null if the current context has no values: a program without context variables allocates no contexts.
  static ContextSlot copy_of_current() {
    const ContextState* current = ContextState::current();
    const bool has_values = current && current->values_;
    return ContextSlot(has_values ? Ref(new ContextState(*current), adopt) : Ref<ContextState>());
  }

  /// Whether the context is entered, or is the current one.
  bool entered() const noexcept { return state_ && (state_->entered_ || state_ == ContextState::current_); }

  /// The context; made at the first call.
  Ref<ContextState> state() const {
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

  mutable ContextState* state_ = nullptr;  // made as soon as somebody asks for it
};

/// Marks the current context as entered for a scope, so that entering it again throws.
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

/// Makes the slot's context the current one for a scope.
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

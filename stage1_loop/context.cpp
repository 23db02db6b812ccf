#include "asyncio/context.h"

#include "asyncio/detail/scope_exit.h"

#include <algorithm>
#include <new>

namespace asyncio::detail {

ContextKey new_context_key() noexcept {
  static constinit std::atomic<std::uint64_t> last = 0;
  return ContextKey{++last};
}

namespace {
template <class Values>
auto find_place(Values& values, ContextKey key) {
  return std::lower_bound(values.begin(), values.end(), key,
                          [](const auto& entry, ContextKey wanted) { return entry.first < wanted; });
}
}  // namespace

const void* ContextState::find(ContextKey key) const noexcept {
  if (!values_) return nullptr;
  const auto place = find_place(*values_, key);
  return place != values_->end() && place->first == key ? place->second.get() : nullptr;
}

std::shared_ptr<const void> ContextState::exchange(ContextKey key, std::shared_ptr<const void> value) {
  // Each set() copies all values: programs have few variables, and set them seldom.
  auto values = values_ ? std::make_shared<Values>(*values_) : std::make_shared<Values>();
  auto place = find_place(*values, key);
  std::shared_ptr<const void> before;
  if (place != values->end() && place->first == key) {
    before = std::exchange(place->second, value);
    if (!value) values->erase(place);
  } else if (value) {
    values->insert(place, {key, std::move(value)});
  }
  values_ = std::move(values);
  return before;
}

ContextState& ContextState::make_current() {
  // No scope releases the thread's own context; thread exit does.
  static thread_local const ScopeExit release([] {
    if (ContextState* state = std::exchange(current_, nullptr)) state->release();
  });
  if (!current_) current_ = new ContextState;
  return *current_;
}

// A first set() has made a context where the slot had none.
void ContextSlot::keep(ContextState* used) noexcept {
  if (!used) return;  // state() made one meanwhile, but nothing was set in it
  if (state_) state_->release();
  state_ = used;
}

ContextToken ContextState::set_current(ContextKey key, std::shared_ptr<const void> value) {
  ContextState& state = current_ ? *current_ : make_current();
  return {Ref(&state), key, state.exchange(key, std::move(value))};
}

void ContextState::reset_current(ContextKey key, ContextToken& token) {
  if (!token.context) throw std::runtime_error("the token has already been used once");
  if (token.key != key) throw std::invalid_argument("the token was created by a different ContextVar");
  if (token.context.get() != current_) throw std::invalid_argument("the token was created in a different Context");
  token.context = {};
  current_->exchange(key, std::move(token.before));
}

ScopedContextValue::ScopedContextValue(ContextKey key, std::shared_ptr<const void> value)
    : all_before_(ContextState::make_current().values_),
      token_(ContextState::set_current(key, std::move(value))),
      all_after_(token_.context->values_) {}

ScopedContextValue::~ScopedContextValue() {
  ContextState& context = *token_.context;
  if (context.values_ == all_after_) {  // so it is if scopes end in the order of their nesting; and needs no memory
    context.values_ = std::move(all_before_);
    return;
  }
  try {
    context.exchange(token_.key, std::move(token_.before));
  } catch (const std::bad_alloc&) {  // the value stays
  }
}

void ContextState::enter() {
  if (entered_ || current_ == this) throw_entered();
  entered_ = true;
}

void ContextState::throw_entered() { throw std::runtime_error("cannot enter context: it is already entered"); }

}  // namespace asyncio::detail

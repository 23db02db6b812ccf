#include "asyncio/context.h"

#include <algorithm>

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
  // A few variables are copied at each set(): programs have a few, and set them seldom.
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
  // If this is the thread's own context, no scope will take it back: then the end of the thread does.
  struct ReleaseAtThreadEnd {
    ~ReleaseAtThreadEnd() {
      if (ContextState* state = std::exchange(current_, nullptr)) state->release();
    }
  };
  static thread_local ReleaseAtThreadEnd release_at_thread_end;
  static_cast<void>(release_at_thread_end);
  if (!current_) current_ = new ContextState;
  return *current_;
}

// The first set() has made a context where there was none.
void ContextSlot::keep(ContextState* used) noexcept {
  if (!used) return;  // somebody asked for it meanwhile, but nothing was set
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

void ContextState::enter() {
  if (entered_ || current_ == this) throw std::runtime_error("cannot enter context: it is already entered");
  entered_ = true;
}

}  // namespace asyncio::detail

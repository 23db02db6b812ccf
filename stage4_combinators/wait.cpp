#include "asyncio/wait.h"

#include <algorithm>
#include <unordered_set>

namespace asyncio::detail {

bool has_duplicates(FuturePointers futures) {
  std::sort(futures.begin(), futures.end(), std::less<>());
  return std::adjacent_find(futures.begin(), futures.end()) != futures.end();
}

std::vector<bool> first_occurrences(const FuturePointers& futures) {
  std::vector<bool> first;
  std::unordered_set<const FutureBase*> seen;
  for (const FutureBase* future : futures) first.push_back(seen.insert(future).second);
  return first;
}

// ── the callbacks ───────────────────────────────────────────────────────────────────────────────────────────────────

void WaitCallback::on_done(FutureBase& future) noexcept {
  done_ = Ref(&future);
  state_.add_ref();
}

void WaitCallback::run(Loop&) {
  const Ref<FutureBase> state(&state_, adopt);
  const Ref<FutureBase> future = std::move(done_);
  state_.on_completion(*future);
}

void WaitCallback::drop() noexcept {
  if (!done_) return;  // the loop is closed while the future is pending
  done_ = {};
  state_.release();
}

void WaitCallback::add_awaiters(Awaiters& found) { found.through.push_back(&state_); }

// ── wait() ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void WaitState::add(FutureBase& future) {
  ++unfinished_;
  future.add_callback(callbacks_.emplace_back(*this, future));
}

void WaitState::remove_callbacks() noexcept {
  for (WaitCallback& callback : callbacks_) callback.future_->remove_callback(callback);
}

void WaitState::on_completion(FutureBase& future) {
  --unfinished_;
  if (unfinished_ == 0 || return_when_ == FIRST_COMPLETED ||
      (return_when_ == FIRST_EXCEPTION && !future.cancelled() && future.exception())) {
    release_waiter();
  }
}

WaitScope::WaitScope(Loop& loop, std::size_t futures, const WaitOptions& options) {
  if (options.return_when > ALL_COMPLETED) {
    throw std::invalid_argument("Invalid return_when value: " + std::to_string(static_cast<int>(options.return_when)));
  }
  const Ref<WaitState> state(new WaitState(loop, futures, options.return_when), adopt);
  waiter_ = Future<>(state);
  if (options.timeout.has_value()) {
    timer_ = loop.call_later(options.timeout.duration(), [state] { state->release_waiter(); });
  }
}

void WaitScope::add(const AnyFuture& future) {
  check_same_loop(future, *waiter_.state().loop());
  state().add(future.state());
}

WaitScope::~WaitScope() {
  timer_.cancel();
  state().remove_callbacks();
}

}  // namespace asyncio::detail

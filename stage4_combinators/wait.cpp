#include "asyncio/wait.h"

#include <algorithm>
#include <unordered_set>

namespace asyncio::detail {

std::vector<bool> first_meetings(const std::vector<const FutureBase*>& futures) {
  std::vector<const FutureBase*> sorted = futures;
  std::sort(sorted.begin(), sorted.end(), std::less<>());
  std::vector<bool> first;
  if (std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end()) return first;  // nearly always
  std::unordered_set<const FutureBase*> seen;
  for (const FutureBase* future : futures) first.push_back(seen.insert(future).second);
  return first;
}

void WaitState::on_completion(AnyFuture& future) {
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
  const Ref<WaitState> state(new WaitState(loop, options.return_when), adopt);
  waiter_ = Future<>(state);
  futures_.reserve(futures);
  if (options.timeout.has_value()) {
    timer_ = loop.call_later(options.timeout.duration(), [state] { state->release_waiter(); });
  }
}

// A callback that is scheduled already cannot be removed: it runs when the frame may be gone, and so it holds
// what it touches.
void WaitScope::add(const AnyFuture& future) {
  check_same_loop(future, *waiter_.state().loop());
  const Ref<WaitState> state(&this->state());
  state->expect_one_more();
  const CallbackId id = future.add_done_callback([state](AnyFuture& done) { state->on_completion(done); });
  futures_.push_back({&future.state(), id});
}

WaitScope::~WaitScope() {
  timer_.cancel();
  for (const Listening& listening : futures_) listening.future->remove_done_callback(listening.callback);
}

}  // namespace asyncio::detail

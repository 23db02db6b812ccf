#include "asyncio/detail/auto_core.h"

#include "asyncio/epoll_core.h"
#include "asyncio/loop.h"

#include <algorithm>
#include <memory>
#include <new>

namespace asyncio::detail {

void AutoCore::add_interest(int fd, Readiness ways) {
  PollCore::add_interest(fd, ways);
  surplus_ = std::max<std::int64_t>(surplus_ - kChange, 0);
}

void AutoCore::select(int timeout_ms, std::vector<Found>& found) {
  PollCore::select(timeout_ms, found);
  const auto all = static_cast<std::int64_t>(watched_descriptors());
  const auto events = static_cast<std::int64_t>(found.size());
  surplus_ = std::max<std::int64_t>(surplus_ + (all - events) - kEvent * events, 0);
}

#ifdef __linux__

namespace {

// A core cannot replace itself while the loop is inside it. A callback can.
class MoveToEpoll final : public Runnable {
 public:
  explicit MoveToEpoll(AutoCore& from) noexcept : from_(from) {}
  void run(Loop& loop) override {
    const std::unique_ptr<MoveToEpoll> self(this);
    if (&loop.core() != &from_) return;  // the loop has another core by now
    try {
      loop.set_core(std::make_unique<EpollCore>());
    } catch (const std::exception&) {
      from_.stay();
    }
  }
  void drop() noexcept override { delete this; }

 private:
  AutoCore& from_;
};

}  // namespace

void AutoCore::collect(ReadyQueue& ready) {
  PollCore::collect(ready);
  if (!move_is_due()) return;
  try {
    auto move = std::make_unique<MoveToEpoll>(*this);
    ready.push_back(*move);
    move.release();
    moving_ = true;
  } catch (const std::bad_alloc&) {
    stay();
  }
}

#else

void AutoCore::collect(ReadyQueue& ready) { PollCore::collect(ready); }

#endif

}  // namespace asyncio::detail

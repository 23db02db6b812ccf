#include "asyncio/detail/first_core.h"

#include "asyncio/epoll_core.h"
#include "asyncio/loop.h"

#include <algorithm>
#include <memory>

namespace asyncio::detail {

void FirstCore::add_interest(int fd, Readiness ways) {
  PollCore::add_interest(fd, ways);
  surplus_ = std::max<std::int64_t>(surplus_ - kChange, 0);
}

void FirstCore::select(int timeout_ms, std::vector<Found>& found) {
  PollCore::select(timeout_ms, found);
  const auto all = static_cast<std::int64_t>(watched_descriptors());
  const auto events = static_cast<std::int64_t>(found.size());
  surplus_ = std::max<std::int64_t>(surplus_ + (all - events) - kEvent * events, 0);
}

#ifdef __linux__

namespace {

// A core cannot put another in its own place while the loop is inside of it: a callback can.
class Move final : public Runnable {
 public:
  explicit Move(FirstCore& from) noexcept : from_(from) {}
  void run(Loop& loop) override {
    const std::unique_ptr<Move> self(this);
    if (&loop.core() != &from_) return;  // somebody else has been quicker
    try {
      loop.set_core(std::make_unique<EpollCore>());
    } catch (const std::exception&) {
      from_.stay();
    }
  }
  void drop() noexcept override { delete this; }

 private:
  FirstCore& from_;
};

}  // namespace

void FirstCore::collect(ReadyQueue& ready) {
  PollCore::collect(ready);
  if (!move_is_due()) return;
  auto move = std::make_unique<Move>(*this);
  ready.push_back(*move);
  move.release();
  moving_ = true;
}

#else

void FirstCore::collect(ReadyQueue& ready) { PollCore::collect(ready); }

#endif

}  // namespace asyncio::detail

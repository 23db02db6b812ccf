#include "asyncio/selector_core.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio {

// ── waiting, and being woken ────────────────────────────────────────────────────────────────────────────────────────

SelectorCore::SelectorCore() {
  if (detail::sys::wake_pipe(wake_ends_) == -1) {
    detail::throw_system_error(errno, "making the descriptor that wakes the loop");
  }
}

SelectorCore::~SelectorCore() {
  drop_callbacks();  // the backend is gone already, and its descriptors with it
  detail::sys::close(wake_ends_[0]);
  if (wake_ends_[1] != wake_ends_[0]) detail::sys::close(wake_ends_[1]);
}

void SelectorCore::wait(std::optional<TimePoint> until) {
  if (until == kDoNotWait) {  // a busy tick
    if (std::exchange(found_something_, false)) return;
    if (Clock::now() - last_look_ < kPollInterval) return;
  }
  look(until);
}

bool SelectorCore::look(std::optional<TimePoint> until) {
  const int timeout = timeout_ms(until, now());
  found_.clear();  // of a tick that an exception cut short
  select(timeout, found_);
  last_look_ = Clock::now();

  bool woken = false;
  const auto ours = [this](const Found& found) { return found.fd == wake_fd(); };
  if (const auto wake_up = std::find_if(found_.begin(), found_.end(), ours); wake_up != found_.end()) {
    found_.erase(wake_up);
    woken = true;
    detail::sys::drain_wake_ups(wake_fd());
    // From here on wake() writes again. One that came just before has not: but its caller's work is seen by the loop,
    // which is awake now.
    woken_.exchange(false, std::memory_order_acq_rel);
  }
  found_something_ = !found_.empty();
  return woken || found_something_;
}

void SelectorCore::wake() noexcept {
  if (!woken_.exchange(true, std::memory_order_acq_rel)) detail::sys::write_wake_up(wake_ends_[1]);
}

// Rounded up to a whole millisecond: to wake up just before a timer is due would be to go round for nothing.
int SelectorCore::timeout_ms(std::optional<TimePoint> until, TimePoint now) {
  if (!until) return -1;
  if (*until <= now) return 0;
  const Duration delay = *until > now + kLongestWait ? kLongestWait : *until - now;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(delay).count());
}

// ── who watches what ────────────────────────────────────────────────────────────────────────────────────────────────

Handle SelectorCore::watch(int fd, Readiness way, detail::Ref<detail::WatchState> callback) {
  if (fd < 0) throw std::invalid_argument("Invalid file descriptor: " + std::to_string(fd));
  const std::size_t index = static_cast<std::size_t>(fd);
  const Readiness before = watched(fd);
  if (before == Readiness::none) {
    add_interest(fd, way);  // first, as it refuses what is not open: the table then never grows beyond what can be
    if (index >= watches_.size()) watches_.resize(std::max(index + 1, 2 * watches_.size()));
    watching_ = ++watched_descriptors_ > 0;
  } else {
    change_interest(fd, before | way);  // even if it is the same: the number may be another file's by now
  }
  const detail::Ref<detail::WatchState> replaced = std::exchange(watches_[index].callback(way), callback);
  if (replaced) replaced->cancel();  // last: it destroys what the callback captured, and that may come back here
  return Handle(std::move(callback));
}

bool SelectorCore::unwatch(int fd, Readiness way) {
  const Readiness before = watched(fd);
  if ((before & way) == Readiness::none) return false;
  detail::Ref<detail::WatchState> removed;
  std::swap(removed, watches_[static_cast<std::size_t>(fd)].callback(way));
  interest_changed(fd, before);
  removed->cancel();
  return true;
}

void SelectorCore::unwatch_all() noexcept {
  for (std::size_t fd = 0; fd < watches_.size(); ++fd) {
    if (watches_[fd].ways() != Readiness::none) remove_interest(static_cast<int>(fd));
  }
  drop_callbacks();
}

void SelectorCore::take_over(Core& before) {
  auto* const selector = dynamic_cast<SelectorCore*>(&before);
  if (!selector) return Core::take_over(before);
  for (std::size_t index = 0; index < selector->watches_.size(); ++index) {
    const int fd = static_cast<int>(index);
    const Readiness ways = selector->watched(fd);
    if (ways == Readiness::none) continue;
    bool open = !is_ours(fd);  // else it was closed behind our back, and we have got its number
    try {
      if (open) add_interest(fd, ways);
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::bad_file_descriptor) throw;
      open = false;
    }
    if (!open) found_.push_back({fd, Readiness::closed});
  }
  watches_.swap(selector->watches_);
  std::swap(watched_descriptors_, selector->watched_descriptors_);
  std::swap(watching_, selector->watching_);
}

void SelectorCore::drop_callbacks() noexcept {
  std::vector<Watch> dropped;
  dropped.swap(watches_);  // first, for destroying a callback may come back here with unwatch()
  watched_descriptors_ = 0;
  watching_ = false;
  for (Watch& watch : dropped) {
    if (watch.reader) watch.reader->cancel();
    if (watch.writer) watch.writer->cancel();
  }
}

Readiness SelectorCore::watched(int fd) const noexcept {
  const std::size_t index = static_cast<std::size_t>(fd);
  return fd >= 0 && index < watches_.size() ? watches_[index].ways() : Readiness::none;
}

void SelectorCore::interest_changed(int fd, Readiness before) {
  const Readiness ways = watched(fd);
  if (ways == before) return;
  if (ways == Readiness::none) {
    if (!is_ours(fd)) remove_interest(fd);
    watching_ = --watched_descriptors_ > 0;
  } else {
    change_interest(fd, ways);
  }
}

// ── what was found, into the ready queue ────────────────────────────────────────────────────────────────────────────

void SelectorCore::collect(ReadyQueue& ready) {
  for (const Found& found : found_) {
    if (found.ways == Readiness::closed) {
      schedule_closed(found.fd, ready);
      continue;
    }
    for (const Readiness way : {Readiness::read, Readiness::write}) {
      if ((found.ways & way) != Readiness::none) schedule(found.fd, way, ready);
    }
  }
  found_.clear();
}

void SelectorCore::schedule(int fd, Readiness way, ReadyQueue& ready) {
  if ((watched(fd) & way) == Readiness::none) return;
  detail::WatchState* const callback = watches_[static_cast<std::size_t>(fd)].callback(way).get();
  if (callback->cancelled()) {  // by its handle, and not by unwatch()
    unwatch(fd, way);
  } else {
    callback->schedule(ready);
  }
}

namespace {

class ReportClosedDescriptor final : public Runnable {
 public:
  explicit ReportClosedDescriptor(int fd) : fd_(fd) {}
  void run(Loop& loop) override {
    const std::unique_ptr<ReportClosedDescriptor> self(this);
    ErrorContext context("File descriptor " + std::to_string(fd_) + " was closed while it was watched; " +
                         "call remove_reader() and remove_writer() before closing it");
    loop.call_exception_handler(context.with("fd", std::to_string(fd_)));
  }
  void drop() noexcept override { delete this; }

 private:
  int fd_;
};

}  // namespace

// Somebody closed it behind our back. It would be "ready" in every tick from now on; instead it is forgotten. Its
// callbacks run once more: a task that waits for it then gets its EBADF, and does not wait for ever.
void SelectorCore::schedule_closed(int fd, ReadyQueue& ready) {
  const Readiness before = watched(fd);
  if (before == Readiness::none) return;
  Watch gone;
  std::swap(gone, watches_[static_cast<std::size_t>(fd)]);
  interest_changed(fd, before);
  auto report = std::make_unique<ReportClosedDescriptor>(fd);
  ready.push_back(*report);
  report.release();
  if (gone.reader && !gone.reader->cancelled()) gone.reader->schedule(ready);
  if (gone.writer && !gone.writer->cancelled()) gone.writer->schedule(ready);
}

}  // namespace asyncio

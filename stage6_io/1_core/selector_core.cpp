#include "asyncio/selector_core.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <asyncio/detail/observers.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

// ── waiting, and being woken ────────────────────────────────────────────────────────────────────────────────────────

SelectorCore::SelectorCore() {
  if (detail::sys::wake_pipe(wake_ends_) == -1) {
    detail::throw_system_error(errno, "making the descriptor that wakes the loop");
  }
}

SelectorCore::~SelectorCore() {
  drop_callbacks();  // without remove_interest(): the backend is destroyed already
  SelectorCore::close();
}

void SelectorCore::close() noexcept {
  woken_ = true;  // so that wake() does not write
  if (wake_ends_[1] != wake_ends_[0]) detail::sys::close(wake_ends_[1]);
  if (wake_ends_[0] != -1) detail::sys::close(wake_ends_[0]);
  wake_ends_[0] = wake_ends_[1] = -1;
}

void SelectorCore::wait(std::optional<TimePoint> until) {
  if (until == kDoNotWait) {  // a busy tick
    if (std::exchange(found_something_, false)) return;
    if (Clock::now() - last_look_ < kPollInterval) return;
  }
  look(until);
}

template <class Found>
static void keep_closed(std::vector<Found>& found) noexcept {
  std::erase_if(found, [](const Found& one) { return one.ways != Readiness::closed; });
}

bool SelectorCore::look(std::optional<TimePoint> until) {
  const bool timed = until && *until > TimePoint{};  // otherwise nobody has to read the clock
  const int timeout = timed ? timeout_ms(until, now()) : until ? 0 : -1;
  keep_closed(found_);  // what an exception has left over
  try {
    select(timeout, found_);
  } catch (const std::bad_alloc&) {  // for some of what is ready: it will be as ready in the next look
  }
  last_look_ = Clock::now();

  bool woken = false;
  const auto ours = [this](const Found& found) { return found.fd == wake_fd(); };
  if (const auto wake_up = std::find_if(found_.begin(), found_.end(), ours); wake_up != found_.end()) {
    found_.erase(wake_up);
    woken = true;
    detail::sys::drain_wake_ups(wake_fd());
    // From here on wake() writes again. A wake() just before this did not write, but the loop is awake and sees what
    // its caller has done.
    woken_.exchange(false, std::memory_order_acq_rel);
  }
  found_something_ = !found_.empty();
  return woken || found_something_;
}

void SelectorCore::wake() noexcept {
  if (!woken_.exchange(true, std::memory_order_acq_rel)) detail::sys::write_wake_up(wake_ends_[1]);
}

// Rounded up to a whole millisecond: waking just before a timer is due would be an empty tick.
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
    add_interest(fd, way);  // first: it refuses closed descriptors, so the table grows no larger than needed
    try {
      if (index >= watches_.size()) watches_.resize(std::max(index + 1, 2 * watches_.size()));
    } catch (...) {
      remove_interest(fd);
      throw;
    }
    watching_ = ++watched_descriptors_ > 0;
  } else {
    change_interest(fd, before | way);  // even if nothing changes: the number may belong to another file by now
  }
  const detail::Ref<detail::WatchState> replaced = std::exchange(watches_[index].callback(way), callback);
  if (observers_) [[unlikely]] {
    if (replaced) observers_->descriptor_unwatched(*replaced, fd, way == Readiness::write);
    observers_->descriptor_watched(*callback, fd, way == Readiness::write);
  }
  if (replaced) replaced->cancel();  // last: it destroys the callback's captures, which may call watch() again
  return Handle(std::move(callback));
}

bool SelectorCore::unwatch(int fd, Readiness way) {
  const Readiness before = watched(fd);
  if ((before & way) == Readiness::none) return false;
  detail::Ref<detail::WatchState> removed;
  std::swap(removed, watches_[static_cast<std::size_t>(fd)].callback(way));
  if (observers_) [[unlikely]]
    observers_->descriptor_unwatched(*removed, fd, way == Readiness::write);
  interest_changed(fd, before);
  removed->cancel();
  return true;
}

namespace {

void tell_unwatched(detail::Observers& observers, const auto& watch, int fd) noexcept {
  if (watch.reader) observers.descriptor_unwatched(*watch.reader, fd, false);
  if (watch.writer) observers.descriptor_unwatched(*watch.writer, fd, true);
}

}  // namespace

void SelectorCore::unwatch_all() noexcept {
  for (std::size_t index = 0; index < watches_.size(); ++index) {
    const int fd = static_cast<int>(index);
    if (watches_[index].ways() == Readiness::none) continue;
    remove_interest(fd);
    if (observers_) [[unlikely]]
      tell_unwatched(*observers_, watches_[index], fd);
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
    bool open = !is_ours(fd);  // otherwise it was closed, and our wake descriptor has got its number
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
  dropped.swap(watches_);  // first: destroying a callback may call unwatch()
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

// If there is no memory, what is open will be found again. That something was closed is kept for the next tick.
void SelectorCore::collect(ReadyQueue& ready) {
  try {
    for (Found& found : found_) {
      if (found.ways == Readiness::closed) {
        schedule_closed(found.fd, ready);
        found.ways = Readiness::none;
        continue;
      }
      for (const Readiness way : {Readiness::read, Readiness::write}) {
        if ((found.ways & way) != Readiness::none) schedule(found.fd, way, ready);
      }
    }
    found_.clear();
  } catch (const std::bad_alloc&) {
    keep_closed(found_);
  }
}

void SelectorCore::schedule(int fd, Readiness way, ReadyQueue& ready) {
  if ((watched(fd) & way) == Readiness::none) return;
  detail::WatchState* const callback = watches_[static_cast<std::size_t>(fd)].callback(way).get();
  if (callback->cancelled()) {  // through its handle, not by unwatch()
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

// The descriptor was closed while it was watched. It would be "ready" in every tick, so it is removed. Its callbacks
// run once more: a task that waits for it then gets EBADF.
void SelectorCore::schedule_closed(int fd, ReadyQueue& ready) {
  const Readiness before = watched(fd);
  if (before == Readiness::none) return;
  Watch& watch = watches_[static_cast<std::size_t>(fd)];
  auto report = std::make_unique<ReportClosedDescriptor>(fd);
  ready.push_back(*report);
  report.release();
  if (watch.reader && !watch.reader->cancelled()) watch.reader->schedule(ready);
  if (watch.writer && !watch.writer->cancelled()) watch.writer->schedule(ready);
  // From here on nothing throws. (After an exception, the next tick does all of it again.)
  if (observers_) [[unlikely]]
    tell_unwatched(*observers_, watch, fd);
  const Watch gone = std::exchange(watch, Watch());
  interest_changed(fd, before);
}

}  // namespace asyncio

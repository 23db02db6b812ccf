#ifdef __linux__

#include "asyncio/epoll_core.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace asyncio {

namespace sys = detail::sys;
using detail::throw_system_error;

namespace {

std::uint32_t to_events(Readiness ways) {
  std::uint32_t events = 0;
  if ((ways & Readiness::read) != Readiness::none) events |= EPOLLIN;
  if ((ways & Readiness::write) != Readiness::none) events |= EPOLLOUT;
  return events;
}

// EPOLLHUP and EPOLLERR belong to neither way, and so to both.
Readiness to_readiness(std::uint32_t events) {
  Readiness ways = Readiness::none;
  if (events & ~std::uint32_t{EPOLLOUT}) ways = ways | Readiness::read;
  if (events & ~std::uint32_t{EPOLLIN}) ways = ways | Readiness::write;
  return ways;
}

}  // namespace

EpollCore::EpollCore() : epoll_(sys::epoll_create()) {
  if (epoll_ == -1) throw_system_error(errno, "epoll_create1");
  try {
    EpollCore::add_interest(wake_fd(), Readiness::read);
  } catch (...) {
    sys::close(epoll_);
    throw;
  }
}

EpollCore::~EpollCore() { sys::close(epoll_); }

void EpollCore::add_interest(int fd, Readiness ways) {
  const std::size_t index = static_cast<std::size_t>(fd);
  if (index >= interests_.size()) {
    if (!sys::is_open(fd)) throw_system_error(errno, "watching file descriptor " + std::to_string(fd));
    interests_.resize(std::max(index + 1, 2 * interests_.size()));
  }
  interest(fd).wanted = ways;
  const int error = tell_kernel(fd);
  if (error == 0 || error == EPERM) return;
  remove_interest(fd);
  throw_system_error(error, "watching file descriptor " + std::to_string(fd));
}

void EpollCore::change_interest(int fd, Readiness ways) {
  interest(fd).wanted = ways;
  const int error = tell_kernel(fd);
  if (error == 0 || error == EPERM || error == EBADF) return;  // refused: select() knows what to say of it
  throw_system_error(error, "watching file descriptor " + std::to_string(fd));
}

// A reader that goes mostly comes back, with the next sock_recv() or in the next resume_reading(). So the kernel is left
// in its belief until an event disturbs: the way back is then one EPOLL_CTL_MOD, for which a DEL and an ADD together
// take four times as long. A writer goes when all is written, and its next event would disturb at once.
void EpollCore::remove_interest(int fd) noexcept {
  const std::size_t index = static_cast<std::size_t>(fd);
  if (index >= interests_.size()) return;
  const Readiness before = std::exchange(interests_[index].wanted, Readiness::none);
  std::erase(refused_, fd);
  if (before != Readiness::read) forget(fd);
}

void EpollCore::select(int timeout_ms, std::vector<Found>& found) {
  epoll_event events[kMostEvents];
  const int time = wait_time(timeout_ms);
  const int ready = sys::epoll_wait(epoll_, events, kMostEvents, time);
  if (ready == -1 && errno != EINTR) throw_system_error(errno, "epoll_wait");

  bool stale = false;
  for (int i = 0; i < ready; ++i) {
    const int fd = static_cast<int>(events[i].data.u64 & 0xffffffff);
    const bool current = events[i].data.u64 >> 32 == interest(fd).registrations;
    if (current && interest(fd).wanted != Readiness::none) {
      found.push_back({fd, to_readiness(events[i].events) & interest(fd).wanted});
    } else if (!current || !forget(fd)) {  // the unwanted event; if it cannot be stopped, its file lives on elsewhere
      stale = true;
    }
  }
  if (stale) start_anew();

  audited_ = false;
  if (ready == 0 && (waited_in_vain_ms_ += time) >= kAuditAfter.count()) {
    waited_in_vain_ms_ = 0;
    tell_kernel_everything();
    audited_ = refused_.empty() && time != timeout_ms;  // it goes straight back to sleep
  }
  for (const int fd : refused_) found.push_back({fd, sys::is_open(fd) ? interest(fd).wanted : Readiness::closed});
}

// A sleep that is longer than kAuditAfter is cut in two, for an audit.
int EpollCore::wait_time(int timeout_ms) const noexcept {
  if (!refused_.empty()) return 0;
  const int until_audit = static_cast<int>(kAuditAfter.count()) - waited_in_vain_ms_;
  return !audited_ && (timeout_ms < 0 || timeout_ms > until_audit) ? until_audit : timeout_ms;
}

// ── what the kernel knows ───────────────────────────────────────────────────────────────────────────────────────────

// Registers `fd` for what is wanted: 0, or the error. What can be watched in no way, now or ever, is in refused_ then.
int EpollCore::tell_kernel(int fd) {
  std::erase(refused_, fd);
  Interest& it = interest(fd);
  if (!it.registered || !control(EPOLL_CTL_MOD, fd)) {  // ENOENT: the number is another file's now
    ++it.registrations;
    it.registered = control(EPOLL_CTL_ADD, fd) || (errno == EEXIST && control(EPOLL_CTL_MOD, fd));
    if (!it.registered) {
      const int error = errno;
      if (error == EPERM || error == EBADF) refused_.push_back(fd);
      return error;
    }
  }
  return 0;
}

// What the kernel has forgotten it is told again; what is closed is found out.
void EpollCore::tell_kernel_everything() {
  for (std::size_t index = 0; index < interests_.size(); ++index) {
    const int fd = static_cast<int>(index);
    if (interest(fd).wanted == Readiness::none) continue;
    const int error = tell_kernel(fd);
    if (error != 0 && error != EPERM && error != EBADF) throw_system_error(error, "epoll_ctl");
  }
}

// False if the kernel knows of no such registration.
bool EpollCore::forget(int fd) noexcept {
  return std::exchange(interest(fd).registered, false) && control(EPOLL_CTL_DEL, fd);
}

// A new epoll descriptor, which knows of nothing but what is wanted. Without one to be had the old one has to do.
void EpollCore::start_anew() {
  const int fresh = sys::epoll_create();
  if (fresh == -1) return;
  sys::close(std::exchange(epoll_, fresh));
  for (Interest& it : interests_) it.registered = false;
  tell_kernel_everything();
}

bool EpollCore::control(int operation, int fd) noexcept {
  const std::uint64_t registration = interest(fd).registrations;
  const std::uint64_t data = registration << 32 | static_cast<std::uint32_t>(fd);
  return sys::epoll_ctl(epoll_, operation, fd, to_events(interest(fd).wanted), data) == 0;
}

}  // namespace asyncio

#endif

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

std::uint32_t to_epoll_events(Readiness ways) {
  std::uint32_t events = 0;
  if ((ways & Readiness::read) != Readiness::none) events |= EPOLLIN;
  if ((ways & Readiness::write) != Readiness::none) events |= EPOLLOUT;
  return events;
}

// EPOLLHUP and EPOLLERR count as ready in both ways.
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

EpollCore::~EpollCore() { EpollCore::close(); }

void EpollCore::close() noexcept {
  if (epoll_ != -1) sys::close(std::exchange(epoll_, -1));
  SelectorCore::close();
}

void EpollCore::add_interest(int fd, Readiness ways) {
  const std::size_t index = static_cast<std::size_t>(fd);
  if (index >= interests_.size()) {
    if (!sys::is_open(fd)) throw_system_error(errno, "watching file descriptor " + std::to_string(fd));
    const std::size_t size = std::max(index + 1, 2 * interests_.size());
    refused_.reserve(size);  // so that tell_kernel() needs no memory
    interests_.resize(size);
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
  if (error == 0 || error == EPERM || error == EBADF) return;  // refused: select() reports it
  throw_system_error(error, "watching file descriptor " + std::to_string(fd));
}

// A removed reader usually comes back, with the next sock_recv() or resume_reading(). It stays registered until an
// event disturbs: coming back is then one EPOLL_CTL_MOD, which is much cheaper than a DEL and an ADD. A writer is
// removed when everything is written; its next event would come at once.
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
    } else if (!current || !forget(fd)) {  // unwanted; if it cannot be stopped, a dup of its file is open
      stale = true;
    }
  }
  if (stale) start_anew();

  audited_ = false;
  if (ready == 0 && (waited_in_vain_ms_ += time) >= kAuditAfter.count()) {
    waited_in_vain_ms_ = 0;
    tell_kernel_everything();
    audited_ = refused_.empty() && time != timeout_ms;  // back to sleep at once
  }
  for (const int fd : refused_) found.push_back({fd, sys::is_open(fd) ? interest(fd).wanted : Readiness::closed});
}

// Cuts a sleep that is longer than kAuditAfter in two, to audit in between.
int EpollCore::wait_time(int timeout_ms) const noexcept {
  if (!refused_.empty()) return 0;
  const int until_audit = static_cast<int>(kAuditAfter.count()) - waited_in_vain_ms_;
  return !audited_ && (timeout_ms < 0 || timeout_ms > until_audit) ? until_audit : timeout_ms;
}

// ── what the kernel knows ───────────────────────────────────────────────────────────────────────────────────────────

// Registers `fd` for what is wanted. Returns 0 or the error. A descriptor that epoll cannot watch goes into refused_.
int EpollCore::tell_kernel(int fd) {
  std::erase(refused_, fd);
  Interest& it = interest(fd);
  if (!it.registered || !control(EPOLL_CTL_MOD, fd)) {  // ENOENT: another file has the number now
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

// Registers again what the kernel has forgotten, and finds out what is closed.
void EpollCore::tell_kernel_everything() {
  for (std::size_t index = 0; index < interests_.size(); ++index) {
    const int fd = static_cast<int>(index);
    if (interest(fd).wanted == Readiness::none) continue;
    const int error = tell_kernel(fd);
    if (error != 0 && error != EPERM && error != EBADF) throw_system_error(error, "epoll_ctl");
  }
}

// False if the kernel has no such registration.
bool EpollCore::forget(int fd) noexcept {
  return std::exchange(interest(fd).registered, false) && control(EPOLL_CTL_DEL, fd);
}

// Replaces the epoll descriptor by a new one that knows only what is wanted. Keeps the old one if that fails.
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
  return sys::epoll_ctl(epoll_, operation, fd, to_epoll_events(interest(fd).wanted), data) == 0;
}

}  // namespace asyncio

#endif

#include "asyncio/poll_core.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace asyncio {
namespace {

short to_events(Readiness ways) {
  int events = 0;
  if ((ways & Readiness::read) != Readiness::none) events |= POLLIN;
  if ((ways & Readiness::write) != Readiness::none) events |= POLLOUT;
  return static_cast<short>(events);
}

// POLLHUP and POLLERR count as ready in both ways.
Readiness to_readiness(const pollfd& polled) {
  if (polled.revents & POLLNVAL) return Readiness::closed;
  Readiness ways = Readiness::none;
  if (polled.revents & ~POLLOUT) ways = ways | Readiness::read;
  if (polled.revents & ~POLLIN) ways = ways | Readiness::write;
  const Readiness asked = polled.events & POLLIN ? Readiness::read : Readiness::none;
  return ways & (polled.events & POLLOUT ? asked | Readiness::write : asked);
}

}  // namespace

PollCore::PollCore() { polled_.push_back({wake_fd(), POLLIN, 0}); }

void PollCore::add_interest(int fd, Readiness ways) {
  // poll() itself would fail only in the next wait, when nobody can catch the exception.
  if (!detail::sys::is_open(fd)) detail::throw_system_error(errno, "watching file descriptor " + std::to_string(fd));
  const std::size_t index = static_cast<std::size_t>(fd);
  if (index >= place_.size()) place_.resize(std::max(index + 1, 2 * place_.size()));
  polled_.push_back({fd, to_events(ways), 0});
  place_[index] = polled_.size() - 1;
}

void PollCore::change_interest(int fd, Readiness ways) {
  polled_[place_[static_cast<std::size_t>(fd)]].events = to_events(ways);
}

void PollCore::remove_interest(int fd) noexcept {
  const std::size_t index = static_cast<std::size_t>(fd);
  const std::size_t hole = index < place_.size() ? std::exchange(place_[index], 0) : 0;
  if (hole == 0) return;
  if (hole != polled_.size() - 1) {
    polled_[hole] = polled_.back();
    place_[static_cast<std::size_t>(polled_[hole].fd)] = hole;
  }
  polled_.pop_back();
}

void PollCore::select(int timeout_ms, std::vector<Found>& found) {
  int ready = detail::sys::poll(polled_.data(), polled_.size(), timeout_ms);
  if (ready == -1) {
    if (errno == EINTR) return;
    detail::throw_system_error(errno, "poll");
  }
  for (std::size_t place = 0; ready > 0; ++place) {
    if (polled_[place].revents == 0) continue;
    found.push_back({polled_[place].fd, to_readiness(polled_[place])});
    --ready;
  }
}

}  // namespace asyncio

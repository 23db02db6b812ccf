// `co_await readable(fd)`, `co_await writable(fd)`: a task waits for a descriptor.
// Mirrors: the future, _sock_read_done and _sock_write_done of Lib/asyncio/selector_events.py. Read next: ../socket.h
#pragma once

#include <asyncio/descriptors.h>
#include <asyncio/detail/waiter.h>

namespace asyncio::detail {

/// Watches the descriptor while it waits, and not a tick longer than it takes the task to go on. If somebody else has
/// begun to watch it in the meantime (a new sock_recv, right behind a cancelled one), that one's watch stays.
class ReadyAwaiter final : public Waiter {
 public:
  ReadyAwaiter(int fd, Readiness way) noexcept : fd_(fd), way_(way) {}
  ~ReadyAwaiter() {
    if (loop_ && !watch_.cancelled()) unwatch(*loop_, fd_, way_);
  }

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) {
    Loop& loop = Loop::running();
    check_unclaimed(loop, fd_);
    watch_ = watch(
        loop, fd_, way_, [this] { wake(); }, std::source_location::current());
    loop_ = &loop;
    suspend(frame.promise());
  }

 private:
  int fd_;
  Readiness way_;
  Loop* loop_ = nullptr;
  Handle watch_;
};

class [[nodiscard("co_await it")]] Ready {
 public:
  Ready(int fd, Readiness way) noexcept : fd_(fd), way_(way) {}
  ReadyAwaiter operator co_await() const noexcept { return ReadyAwaiter(fd_, way_); }

 private:
  int fd_;
  Readiness way_;
};

inline Ready readable(int fd) noexcept { return Ready(fd, Readiness::read); }
inline Ready writable(int fd) noexcept { return Ready(fd, Readiness::write); }

}  // namespace asyncio::detail

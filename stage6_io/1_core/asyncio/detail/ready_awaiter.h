// `co_await readable(fd)`, `co_await writable(fd)`: a task waits for a descriptor.
// Mirrors: the future, _sock_read_done and _sock_write_done of Lib/asyncio/selector_events.py.
// Read next: ../../../3_sockets/asyncio/socket.h
#pragma once

#include <asyncio/descriptors.h>
#include <asyncio/detail/frame_future.h>
#include <asyncio/detail/lazy_awaitable.h>

namespace asyncio::detail {

/// Watches the descriptor until the task resumes. If another call watches it by then (a new sock_recv right after a
/// cancelled one), that watch stays.
class ReadyAwaiter final : public FrameFuture {
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
  std::string repr() const override {
    return "<descriptor " + std::to_string(fd_) + (way_ == Readiness::read ? ", to be readable>" : ", to be writable>");
  }

 private:
  int fd_;
  Readiness way_;
  Loop* loop_ = nullptr;
  Handle watch_;
};

using Ready = LazyAwaitable<ReadyAwaiter, int, Readiness>;

inline Ready readable(int fd) noexcept { return Ready(fd, Readiness::read); }
inline Ready writable(int fd) noexcept { return Ready(fd, Readiness::write); }

}  // namespace asyncio::detail

// libcurl on our loop: what its "multi interface" asks of an event loop, and what ours has. It wants to hear when one of
// its sockets is ready, and when some time is over; and it says which sockets and what time, by two callbacks.
// Mirrors: aiohttp's connector.py, as far as that. Read next: ../../../multi.cpp, then transfer.h
#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/handle.h>
#include <asyncio/http/request_options.h>
#include <asyncio/loop.h>

#include <cstddef>
#include <exception>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace asyncio::http {

/// A cookie as the session keeps it.
struct Cookie {
  std::string name;
  std::string value;
  std::string domain;  // "127.0.0.1", or ".example.org" with all below it
  std::string path;
};

namespace detail {

using asyncio::detail::Ref;
class Transfer;

/// What is behind a session: libcurl's handle for many transfers (CURLM), which keeps the connections; and the one for
/// what they share (CURLSH), the cookies. Counted: by the session, and by each transfer.
///
/// libcurl is only ever called from a callback of the loop, or from a task, and its callbacks only note things and wake
/// tasks; so it is never called from within itself, which it would not bear.
///
/// Invariants: (1) sockets_ says which descriptors libcurl wants watched, and so they are, while the loop is open.
/// (2) transfers_ are those that libcurl works on. (3) No exception passes through libcurl, which is C: a callback
/// keeps it in error_, and who called libcurl throws it on, or fails all transfers with it.
class Multi : public asyncio::detail::Pooled {
 public:
  /// Throws std::runtime_error if the loop is closed, std::logic_error if its core cannot watch descriptors.
  Multi(Loop& loop, const SessionOptions& options);
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;

  const SessionOptions& options() const noexcept { return options_; }
  /// Null once it is closed or destroyed.
  Loop* open_loop() const noexcept;
  void* share() const noexcept { return share_; }

  /// Begins to work on it. Throws std::runtime_error("Session is closed"), ClientError.
  void add(Transfer& transfer);
  /// Stops in the middle, if it is in the middle: its connection is closed then. A no-op if it is not being worked on.
  void remove(Transfer& transfer) noexcept;
  /// libcurl has been told something outside of its turn: what has come of it?
  void look_for_finished();

  /// Fails all transfers ("Session is closed"), and takes no others.
  void close();
  bool closed() const noexcept { return closed_; }
  std::size_t size() const noexcept { return transfers_.size(); }

  std::vector<Cookie> cookies() const;
  void clear_cookies();

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }

 private:
  ~Multi();
  static int on_socket(void* easy, int fd, int what, void* self, void* of_socket) noexcept;
  static int on_timer(void* multi, long timeout_ms, void* self) noexcept;
  void watch(int fd, int what);
  void set_timer(long timeout_ms);
  void act(int fd, int events);
  void fail_all(std::exception_ptr error);
  void free_handles() noexcept;

  asyncio::detail::Ref<asyncio::detail::LoopAnchor> anchor_;
  SessionOptions options_;
  void* multi_ = nullptr;  // CURLM; null, like the next two, once it is closed
  void* share_ = nullptr;  // CURLSH
  void* jar_ = nullptr;    // CURL: never sent, for speaking of the cookies
  TimerHandle timer_;
  std::map<int, int> sockets_;  // CURL_POLL_IN, …_OUT or …_INOUT, by descriptor
  std::set<Transfer*> transfers_;
  std::exception_ptr error_;
  std::size_t refs_ = 1;
  bool closed_ = false;
};

}  // namespace detail
}  // namespace asyncio::http

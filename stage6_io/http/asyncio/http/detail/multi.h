// libcurl's "multi interface" on our loop. libcurl names its sockets and its timeout in two callbacks; we tell it when
// a socket is ready, or when the time is over.
// Mirrors: aiohttp's connector.py, in part. Read next: ../../../multi.cpp, then transfer.h
#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/detail/ref_counted.h>
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
  std::string domain;  // "127.0.0.1", or ".example.org" with its subdomains
  std::string path;
};

namespace detail {

using asyncio::detail::Ref;
class Transfer;

/// The state of a session: libcurl's CURLM, which runs many transfers and keeps their connections, and its CURLSH, the
/// cookies that they share. The session holds a reference, and so does each transfer.
///
/// libcurl must not be called from its own callbacks. Therefore only the loop's callbacks and tasks call it, and its
/// callbacks only store things and wake tasks.
///
/// Invariants: (1) sockets_ holds the descriptors that libcurl wants watched; while the loop is open, they are watched.
/// (2) transfers_ holds those that libcurl works on. (3) No exception passes through libcurl, which is C: a callback
/// stores it in error_; the caller of libcurl rethrows it, or fails all transfers with it.
class Multi : public asyncio::detail::Pooled, public asyncio::detail::RefCounted<Multi> {
 public:
  /// Throws std::runtime_error if the loop is closed, std::logic_error if its core cannot watch descriptors.
  Multi(Loop& loop, const SessionOptions& options);
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;

  const SessionOptions& options() const noexcept { return options_; }
  /// Null once the loop is closed or destroyed.
  Loop* open_loop() const noexcept;
  void* share() const noexcept { return share_; }

  /// Starts the transfer. Throws std::runtime_error("Session is closed"), ClientError.
  void add(Transfer& transfer);
  /// Stops the transfer; closes its connection if it is unfinished. A no-op if it was not added, or was removed.
  void remove(Transfer& transfer) noexcept;
  /// Finishes the transfers that libcurl reports as done; fails all if one of libcurl's callbacks has stored an error.
  /// Call it after any call that may advance a transfer.
  void look_for_finished();

  /// Fails all transfers ("Session is closed") and refuses new ones.
  void close();
  bool closed() const noexcept { return closed_; }
  std::size_t size() const noexcept { return transfers_.size(); }

  std::vector<Cookie> cookies() const;
  void clear_cookies();

 private:
  friend RefCounted;
  ~Multi();
  static int on_socket(void* easy, int fd, int what, void* self, void* of_socket) noexcept;
  static int on_timer(void* multi, long timeout_ms, void* self) noexcept;
  void watch(int fd, int what);
  void set_timer(long timeout_ms);
  void act(int fd, int events);
  void fail_all(std::exception_ptr error) noexcept;
  void fail_all_after_error() noexcept;
  void free_handles() noexcept;

  asyncio::detail::Ref<asyncio::detail::WeakLoop> weak_loop_;
  SessionOptions options_;
  void* multi_ = nullptr;  // CURLM; null, like share_ and jar_, once closed
  void* share_ = nullptr;  // CURLSH
  void* jar_ = nullptr;    // CURL: never sent; gives access to the cookies
  TimerHandle timer_;
  std::map<int, int> sockets_;  // CURL_POLL_IN, …_OUT or …_INOUT, by descriptor
  std::set<Transfer*> transfers_;
  std::exception_ptr error_;
  bool failing_ = false;  // fail_all() is under way
  bool closed_ = false;
};

}  // namespace detail
}  // namespace asyncio::http

// What the tests of this stage share: real clocks, and a time limit on everything.
#pragma once

#include "support/test_core.h"

#include <asyncio/descriptors.h>
#include <asyncio/run.h>
#include <asyncio/streams.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace asyncio::testing {

using namespace std::chrono_literals;

/// Null, and so the loop's own choice; with ASYNCIO_TEST_CORE=epoll in the environment, as CTest runs these tests a
/// second time, an EpollCore.
std::unique_ptr<Core> make_io_core();

/// Runs a coroutine function on such a core (or the one given). A test that hangs is ended after 30 s.
template <class F>
void run_io(F main, std::unique_ptr<Core> core = make_io_core()) {
  run(
      [main = std::move(main)]() mutable -> Coro<> {
        TimerHandle watchdog = Loop::running().call_later(30s, [] {
          ADD_FAILURE() << "the test hangs";
          for (const AnyTask& task : all_tasks()) ADD_FAILURE() << task;
          throw KeyboardInterrupt();
        });
        co_await main();
        watchdog.cancel();
      },
      std::move(core));
}

/// Bytes that differ everywhere, so that a lost or a doubled one is seen.
inline std::string pattern(std::size_t size, unsigned seed = 1) {
  std::string data(size, '\0');
  for (char& byte : data) byte = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
  return data;
}

/// Runs `ticks` ticks from inside of a coroutine.
inline Coro<> ticks(int count) {
  for (; count > 0; --count) co_await sleep(0s);
}

/// UBSan asks the kernel, by a pipe, whether memory can be read; without descriptors it takes all objects for broken.
#ifdef __has_feature
#if __has_feature(undefined_behavior_sanitizer)
inline constexpr bool kSanitizerNeedsDescriptors = true;
#define ASYNCIO_UBSAN 1
#endif
#endif
#ifndef ASYNCIO_UBSAN
inline constexpr bool kSanitizerNeedsDescriptors = false;
#endif

/// How many descriptors this process has open.
int open_descriptors();

/// No child of ours is left, running or zombie.
bool no_children();

/// A folder for sockets; it goes with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  /// The path of a file in it.
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// A port that nobody listens on: one that was, a moment ago.
inline int unused_port() {
  const Socket socket = Socket::listening(*Address::numeric("127.0.0.1", 0));
  return socket.local_address().port();
}

/// The code of the std::system_error that `awaitable` throws; no error: success.
template <class A>
Coro<std::error_code> error_of(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const std::system_error& error) {
    co_return error.code();
  }
  co_return std::error_code();
}

/// Whether a task that is cancelled as it waits ends with that.
template <class T>
Coro<bool> cancelled(Task<T> task) {
  co_await ticks(2);
  task.cancel();
  try {
    co_await std::move(task);
  } catch (const CancelledError&) {
    co_return true;
  }
  co_return false;
}

/// Whether the running loop watches any descriptor.
inline bool watching() { return Loop::running().core().watching(); }

inline Address loopback(int port) { return *Address::numeric("127.0.0.1", port); }

}  // namespace asyncio::testing

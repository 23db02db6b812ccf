// Helpers of stage 6's tests, which run in real time with a time limit each.
#pragma once

#include "support/tasks.h"

#include <asyncio/descriptors.h>
#include <asyncio/run.h>
#include <asyncio/streams.h>
#include <asyncio/task_factory.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace asyncio::testing {

using namespace std::chrono_literals;

/// Null, so that the loop chooses its core; an EpollCore if the environment has ASYNCIO_TEST_CORE=epoll, with which
/// CTest runs these tests a second time.
std::unique_ptr<Core> make_io_core();

/// Whether tasks start eagerly: CTest runs these tests a third time with ASYNCIO_TEST_EAGER in the environment.
bool tasks_are_eager();

/// Runs a coroutine function on make_io_core(), or on `core`. Ends a test that hangs after 30 s.
template <class F>
void run_io(F main, std::unique_ptr<Core> core = make_io_core()) {
  run(
      [main = std::move(main)]() mutable -> Coro<> {
        TimerHandle watchdog = Loop::running().call_later(30s, [] {
          ADD_FAILURE() << "the test hangs";
          for (const AnyTask& task : all_tasks()) ADD_FAILURE() << task;
          throw KeyboardInterrupt();
        });
        if (tasks_are_eager()) set_task_factory(Loop::running(), eager_task_factory);
        co_await main();
        watchdog.cancel();
      },
      std::move(core));
}

/// Bytes without a repeating pattern, so that a lost or doubled byte is noticed.
inline std::string pattern(std::size_t size, unsigned seed = 1) {
  std::string data(size, '\0');
  for (char& byte : data) byte = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
  return data;
}

/// UBSan uses a pipe to check whether memory is readable; without free descriptors it reports every object as broken.
#ifdef __has_feature
#if __has_feature(undefined_behavior_sanitizer)
inline constexpr bool kSanitizerNeedsDescriptors = true;
#define ASYNCIO_UBSAN 1
#endif
#endif
#ifndef ASYNCIO_UBSAN
inline constexpr bool kSanitizerNeedsDescriptors = false;
#endif

/// The number of open descriptors of this process.
int open_descriptors();

/// True if this machine speaks IPv6, at least to itself.
bool has_ipv6();
constexpr const char* kNoIPv6 = "this machine has no ::1";

/// True if this process has no child, neither running nor zombie.
bool no_children();

/// A temporary folder for sockets, removed with everything in it.
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

/// A port where nobody listens: a socket that had it was just closed.
inline int unused_port() {
  const Socket socket = Socket::listening(*Address::numeric("127.0.0.1", 0));
  return socket.local_address().port();
}

/// The code of the std::system_error that `awaitable` throws; 0 if it throws none.
template <class A>
Coro<std::error_code> error_of(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const std::system_error& error) {
    co_return error.code();
  }
  co_return std::error_code();
}

/// True if a task that is cancelled while it waits ends as cancelled.
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

/// True if the running loop watches any descriptor.
inline bool watching() { return Loop::running().core().watching(); }

inline Address loopback(int port) { return *Address::numeric("127.0.0.1", port); }

}  // namespace asyncio::testing

// For typed tests: the cores that watch descriptors, and descriptors to watch.
#pragma once

#include <asyncio/epoll_core.h>
#include <asyncio/poll_core.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio::testing {

#ifdef __linux__
using SelectorCores = ::testing::Types<PollCore, EpollCore>;
#else
using SelectorCores = ::testing::Types<PollCore>;
#endif

struct CoreNames {
  template <class SomeCore>
  static std::string GetName(int) {
    return std::is_same_v<SomeCore, PollCore> ? "PollCore" : "EpollCore";
  }
};

/// A pipe: bytes written to [1] make [0] readable.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_), 0); }
  Pipe(Pipe&& other) noexcept : ends_{std::exchange(other.ends_[0], -1), std::exchange(other.ends_[1], -1)} {}
  ~Pipe() {
    close_read();
    close_write();
  }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void fill() { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
  void empty() {
    char byte;
    EXPECT_EQ(::read(ends_[0], &byte, 1), 1);
  }
  void close_read() { close(ends_[0]); }
  void close_write() { close(ends_[1]); }

 private:
  static void close(int& fd) {
    if (fd != -1) ::close(std::exchange(fd, -1));
  }
  int ends_[2] = {-1, -1};
};

/// Raises the limit of open descriptors as far as possible, for one test.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t wanted) {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit raised = before_;
    raised.rlim_cur = std::max(before_.rlim_cur, std::min(wanted, before_.rlim_max));
    setrlimit(RLIMIT_NOFILE, &raised);
    now_ = raised.rlim_cur;
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
  rlim_t now() const { return now_; }

 private:
  rlimit before_;
  rlim_t now_;
};

/// During its lifetime, opening a descriptor fails with EMFILE: it limits the numbers, and fills every gap.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    int highest = 0;
    for (int fd = 0; fd < 10'000; ++fd) {
      if (::fcntl(fd, F_GETFD) != -1) highest = fd;
    }
    rlimit full = before_;
    full.rlim_cur = static_cast<rlim_t>(highest) + 1;
    setrlimit(RLIMIT_NOFILE, &full);
    for (int fd = ::dup(0); fd != -1; fd = ::dup(0)) fillers_.push_back(fd);
  }
  NoDescriptorsLeft(const NoDescriptorsLeft&) = delete;
  NoDescriptorsLeft& operator=(const NoDescriptorsLeft&) = delete;
  ~NoDescriptorsLeft() {
    setrlimit(RLIMIT_NOFILE, &before_);
    for (const int fd : fillers_) ::close(fd);
  }

 private:
  rlimit before_;
  std::vector<int> fillers_;
};

}  // namespace asyncio::testing

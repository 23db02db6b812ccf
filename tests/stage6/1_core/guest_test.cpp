// The loop as a guest: a bare host, a dozen lines around poll(), stands for GLib and the like.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <support/thrown.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::thrown;

/// A loop of somebody else. Its work is `jobs`, one a turn.
struct Host {
  std::deque<std::function<void()>> jobs;
  int turns = 0;

  void turn(Guest& guest) {
    ++turns;
    const std::optional<Duration> limit = guest.timeout();
    int wait = limit ? static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*limit).count()) : 2000;
    if (!jobs.empty()) wait = 0;
    pollfd ours{guest.descriptor(), POLLIN, 0};
    poll(&ours, 1, wait);
    if (!jobs.empty()) {
      const auto job = std::move(jobs.front());
      jobs.pop_front();
      job();
    }
    guest.tick();
  }
  void run(Guest& guest) {
    for (int left = 100'000; left > 0 && !guest.done(); --left) turn(guest);
    ASSERT_TRUE(guest.done());
  }
};

Coro<int> count(int times, std::vector<std::string>& log) {
  for (int i = 0; i < times; ++i) {
    co_await sleep(1ms);
    log.push_back("guest");
  }
  co_return times;
}

TEST(Guest, RunsInAHostAndReturnsTheMainTasksResult) {
  std::vector<std::string> log;
  auto guest = start_guest_run(count(3, log));
  EXPECT_TRUE(log.empty());
  EXPECT_FALSE(guest.done());
  EXPECT_THROW(guest.result(), InvalidStateError);
  Host().run(guest);
  EXPECT_EQ(guest.result(), 3);
  EXPECT_FALSE(guest.tick());
  EXPECT_EQ(guest.timeout(), std::nullopt);
}

TEST(Guest, BothLoopsGoOn) {
  std::vector<std::string> log;
  auto guest = start_guest_run([&]() -> Coro<> {
    for (int i = 0; i < 100; ++i) {
      co_await sleep(0s);
      log.emplace_back("guest");
    }
  });
  Host host;
  for (int i = 0; i < 50; ++i) host.jobs.emplace_back([&] { log.emplace_back("host"); });
  host.run(guest);
  int changes = 0;
  for (std::size_t i = 1; i < log.size(); ++i) changes += log[i] != log[i - 1];
  EXPECT_GT(changes, 50);  // a guest that is never idle does not keep the host from its turns, nor the other way round
}

TEST(Guest, AHostThatWaitsDoesNotSpin) {
  auto guest = start_guest_run([]() -> Coro<> {
    for (int i = 0; i < 5; ++i) co_await sleep(10ms);
    co_await to_thread([] { std::this_thread::sleep_for(10ms); });
  });
  Host host;
  host.run(guest);
  guest.result();
  EXPECT_LT(host.turns, 60);
}

TEST(Guest, ADescriptorWakesTheHost) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  std::string got;
  auto guest = start_guest_run([&]() -> Coro<> {
    auto readable = create_future();
    add_reader(ends[0], [&] {
      char byte = 0;
      EXPECT_EQ(read(ends[0], &byte, 1), 1);
      got += byte;
      if (got.size() == 2) readable.set_result();
    });
    co_await readable;
    remove_reader(ends[0]);
  });
  Host host;
  for (int i = 0; i < 3; ++i) guest.tick();
  EXPECT_EQ(guest.timeout(), std::nullopt);
  std::thread writer([&] {
    EXPECT_EQ(write(ends[1], "a", 1), 1);
    std::this_thread::sleep_for(5ms);
    EXPECT_EQ(write(ends[1], "b", 1), 1);
  });
  host.run(guest);
  writer.join();
  EXPECT_EQ(got, "ab");
  EXPECT_LT(host.turns, 40);
  close(ends[0]);
  close(ends[1]);
}

TEST(Guest, AnotherThreadWakesTheHost) {
  Event event;
  auto guest = start_guest_run([&]() -> Coro<> { co_await event.wait(); });
  Host host;
  for (int i = 0; i < 3; ++i) guest.tick();
  std::thread other([&] { guest.loop().call_soon_threadsafe([&] { event.set(); }); });
  host.run(guest);
  other.join();
  EXPECT_LT(host.turns, 40);
}

TEST(Guest, WhatTheHostSchedulesShortensTheTimeOut) {
  Event event;
  auto guest = start_guest_run([&]() -> Coro<> { co_await event.wait(); });
  EXPECT_EQ(guest.timeout(), 0s);
  for (int i = 0; i < 3; ++i) guest.tick();
  EXPECT_EQ(guest.timeout(), std::nullopt);

  guest.loop().call_later(10s, [] {});
  EXPECT_EQ(guest.timeout(), 0s);  // to look again
  guest.tick();
  const auto left = guest.timeout();
  ASSERT_TRUE(left);
  EXPECT_GT(*left, 5s);
  EXPECT_LE(*left, 10s);

  event.set();
  EXPECT_EQ(guest.timeout(), 0s);
  Host().run(guest);
}

TEST(Guest, AnExceptionIsTheMainTasks) {
  auto guest = start_guest_run([]() -> Coro<int> {
    co_await sleep(0s);
    throw std::runtime_error("of the guest");
  });
  Host().run(guest);
  EXPECT_EQ(thrown<std::runtime_error>([&] { guest.result(); }), "of the guest");
}

TEST(Guest, IsCancelledByTheHost) {
  std::string log;
  auto guest = start_guest_run([&]() -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      log += "cancelled";
      throw;
    }
  });
  Host host;
  for (int i = 0; i < 3; ++i) guest.tick();
  EXPECT_TRUE(guest.cancel());
  host.run(guest);
  EXPECT_THROW(guest.result(), CancelledError);
  EXPECT_EQ(log, "cancelled");
}

Coro<> clean_up_slowly(std::string& log) {
  bool cancelled = false;
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (cancelled) co_await sleep(2ms);
  log += "cleaned up";
}

TEST(Guest, EndsTheTasksThatAreLeftBehindWhileTheHostGoesOn) {
  std::string log;
  auto guest = start_guest_run([&]() -> Coro<> {
    create_task(clean_up_slowly(log));
    co_await sleep(0s);
  });
  Host host;
  host.run(guest);
  EXPECT_EQ(log, "cleaned up");
  EXPECT_GT(host.turns, 3);
}

TEST(Guest, AHostThatQuitsEarlyWaitsForTheCleanUp) {
  std::string log;
  {
    auto guest = start_guest_run(clean_up_slowly(log));
    Host host;
    for (int i = 0; i < 3; ++i) guest.tick();
    EXPECT_EQ(log, "");
  }
  EXPECT_EQ(log, "cleaned up");
  { const auto never_run = start_guest_run(clean_up_slowly(log)); }
  EXPECT_EQ(log, "cleaned up");
}

TEST(Guest, ATickInsideATickDoesNothing) {
  Guest* inner = nullptr;
  auto guest = start_guest_run([&]() -> Coro<> {
    EXPECT_TRUE(inner->tick());
    EXPECT_EQ(inner->timeout(), std::nullopt);
    co_return;
  });
  inner = &guest;
  Host().run(guest);
  guest.result();
}

}  // namespace
}  // namespace asyncio

// Shared by the tests of Barrier.
#pragma once

#include <asyncio/barrier.h>
#include <asyncio/task.h>
#include <gtest/gtest.h>

#include <vector>

namespace asyncio::testing {

inline constexpr int kParties = 5;

/// Runs `body` in `count` tasks until all end.
template <class Body>
Coro<> in_tasks(int count, Body& body) {
  std::vector<Task<>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(create_task(body));
  for (auto& task : tasks) co_await task;
}

inline void expect_empty(const Barrier& barrier) {
  EXPECT_EQ(barrier.n_waiting(), 0u);
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.repr().find("<Barrier [filling, waiters:0/"), 0u) << barrier.repr();
}

}  // namespace asyncio::testing

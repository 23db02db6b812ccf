// After a scenario of TLS: whether all its tasks have ended.
#pragma once

#include <asyncio/sleep.h>
#include <asyncio/task.h>

#include <chrono>
#include <cstddef>
#include <iostream>

namespace asyncio::testing {

using namespace std::chrono_literals;

/// Waits until servers' and clients' other ends have ended as well. Returns the tasks that have not.
inline Coro<std::size_t> tasks_left() {
  for (int i = 0; i < 500; ++i) {
    std::size_t left = 0;
    for (const AnyTask& task : all_tasks()) left += !task.done();
    if (left <= 1) co_return 0;
    co_await sleep(i < 100 ? 0ms : 10ms);
  }
  for (const AnyTask& task : all_tasks()) std::cerr << task << '\n';
  co_return all_tasks().size() - 1;
}

}  // namespace asyncio::testing

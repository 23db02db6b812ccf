// What stage 5 has beyond by_hand/sync.h: see beyond.h, and the table in stage5_sync/README.md.
#include "beyond.h"

#ifdef BY_HAND
#include <by_hand/sync.h>
namespace lib = by_hand;
#else
#include <asyncio/condition.h>
#include <asyncio/event.h>
#include <asyncio/lock.h>
#include <asyncio/priority_queue.h>
#include <asyncio/queue.h>
#include <asyncio/run.h>
namespace lib = asyncio;
#endif

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

using namespace std::chrono_literals;
using lib::Coro;
using lib::Loop;

static bool releasing_a_free_lock_is_an_error() {
  lib::Lock lock;
  try {
    lock.release();
  } catch (const std::runtime_error&) {
    return true;
  }
  return false;
}

static bool task_done_once_too_often_is_an_error() {
  lib::Queue<int> queue;
  queue.put_nowait(1);
  queue.get_nowait();
  queue.task_done();
  try {
    queue.task_done();
  } catch (const std::invalid_argument&) {
    return true;
  }
  return false;
}

static Coro<long> main_of_memory() {
  lib::Lock lock;
  long before = 0;
  for (int i = 0; i < 1100; ++i) {
    if (i == 100) before = beyond::allocations;
    co_await lock.acquire();
    lock.release();
  }
  co_return beyond::allocations - before;
}
static bool a_free_lock_needs_no_memory() { return lib::run(main_of_memory()) == 0; }

static Coro<> get_one(lib::Queue<int>* queue, bool* ended) {
  try {
    co_await queue->get();
  } catch (const lib::CancelledError&) {
    throw;
  } catch (const std::exception&) {
    *ended = true;
  }
}
static void shut_down(auto& queue) {
  if constexpr (requires { queue.shutdown(); }) queue.shutdown();
}
static Coro<bool> main_of_shutdown() {
  lib::Queue<int> queue;
  bool ended = false;
  auto consumer = lib::create_task(get_one(&queue, &ended));
  co_await lib::sleep(0s);
  shut_down(queue);
  co_await lib::sleep(1ms);
  consumer.cancel();
  co_await lib::sleep(1ms);
  co_return ended;
}
static bool a_queue_can_be_shut_down_under_its_consumers() { return lib::run(main_of_shutdown()); }

static Coro<> wait_for_lock(lib::Lock* lock) {
  co_await lock->acquire();
  lock->release();
}
static Coro<> hold(lib::Lock* lock) {
  co_await lock->acquire();
  auto waiter = lib::create_task(wait_for_lock(lock));
  co_await lib::sleep(0s);
  lock->release();
  co_await waiter;
}
static bool a_lock_belongs_to_one_loop() {
  lib::Lock lock;
  lib::run(hold(&lock));
  try {
    lib::run(hold(&lock));
  } catch (const std::runtime_error&) {
    return true;
  }
  return false;
}

static Coro<> wait_for_event(lib::Event* event) { co_await event->wait(); }
static Coro<long> main_of_cancelled_waits() {
  lib::Event event;
  long before = 0;
  for (int i = 0; i < 2000; ++i) {
    if (i == 1000) before = beyond::live_bytes;
    auto task = lib::create_task(wait_for_event(&event));
    co_await lib::sleep(0s);
    task.cancel();
    try {
      co_await task;
    } catch (const lib::CancelledError&) {
    }
  }
  co_return beyond::live_bytes - before;
}
static bool a_cancelled_wait_leaves_nothing_behind() { return lib::run(main_of_cancelled_waits()) < 10'000; }

template <class Condition>
static Coro<bool> main_of_two_conditions() {
  lib::Lock lock;
  bool shared = false;
  // by_hand's could be made of a lock, but would copy it: it is an aggregate that derives from one.
  if constexpr (!std::is_aggregate_v<Condition> && std::is_constructible_v<Condition, lib::Lock&>) {
    Condition first(lock);
    Condition second(lock);
    co_await first.acquire();
    shared = second.locked();
    first.release();
  }
  co_return shared;
}
static bool two_conditions_may_share_a_lock() { return lib::run(main_of_two_conditions<lib::Condition>()); }

int main(int argc, char** argv) {
  static constexpr beyond::Case cases[] = {
      {"releasing_a_free_lock_is_an_error", releasing_a_free_lock_is_an_error},
      {"task_done_once_too_often_is_an_error", task_done_once_too_often_is_an_error},
      {"a_free_lock_needs_no_memory", a_free_lock_needs_no_memory},
      {"a_queue_can_be_shut_down_under_its_consumers", a_queue_can_be_shut_down_under_its_consumers},
      {"a_lock_belongs_to_one_loop", a_lock_belongs_to_one_loop},
      {"a_cancelled_wait_leaves_nothing_behind", a_cancelled_wait_leaves_nothing_behind},
      {"two_conditions_may_share_a_lock", two_conditions_may_share_a_lock},
  };
  return beyond::run_cases(cases, argc, argv);
}

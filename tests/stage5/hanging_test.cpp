// What a task waits for inside a lock, an event, a queue …: the tree of tasks says it.
#include <asyncio/barrier.h>
#include <asyncio/call_graph.h>
#include <asyncio/condition.h>
#include <asyncio/event.h>
#include <asyncio/lock.h>
#include <asyncio/queue.h>
#include <asyncio/semaphore.h>
#include <support/call_graph.h>
#include <support/tasks.h>

#include <memory>
#include <string>
#include <utility>

namespace asyncio {
namespace {

using namespace testing;

/// The last line of the tree of a loop in which one task runs `body`.
template <class Body>
std::string waits_for(Body body) {
  VirtualLoop loop;
  const auto task = create_task(std::move(body), {.loop = &loop});
  loop.run_ticks(2);
  const std::string line = lines_of(format_task_tree(loop)).back();
  task.cancel();
  loop.run_ticks(9);
  const auto at = line.find("└──  ");
  return at == std::string::npos ? line : line.substr(at + std::string("└──  ").size());
}

TEST(HangingAt, EachPrimitiveSaysWhatItIs) {
  Event event;
  EXPECT_EQ(waits_for([&]() -> Coro<> { co_await event.wait(); }), "waits for <Event [unset, waiters:1]>");
  Lock lock;
  EXPECT_EQ(waits_for([&]() -> Coro<> {
              const auto guard = co_await lock.scoped();
              co_await lock.acquire();  // it waits for itself
            }),
            "waits for <Lock [locked, waiters:1]>");
  Semaphore semaphore(0);
  EXPECT_EQ(waits_for([&]() -> Coro<> { co_await semaphore.acquire(); }), "waits for <Semaphore [locked, waiters:1]>");
  Condition condition;
  EXPECT_EQ(waits_for([&]() -> Coro<> {
              const auto guard = co_await condition.scoped();
              co_await condition.wait();
            }),
            "waits for <Condition [unlocked, waiters:1]>");
  Queue<int> queue(1);
  EXPECT_EQ(waits_for([&]() -> Coro<> {
              const int item = co_await queue.get();
              EXPECT_EQ(item, 0);
            }),
            "waits for <Queue maxsize=1 _getters[1]>");
  Queue<int> full(1);
  full.put_nowait(1);
  EXPECT_EQ(waits_for([&]() -> Coro<> { co_await full.put(2); }),
            "waits for <Queue maxsize=1 _queue=[1] _putters[1] tasks=1>");
  Queue<int> unfinished;
  unfinished.put_nowait(1);
  EXPECT_EQ(waits_for([&]() -> Coro<> { co_await unfinished.join(); }), "waits for <Event [unset, waiters:1]>");
  Barrier barrier(2);
  EXPECT_EQ(waits_for([&]() -> Coro<> {
              const std::size_t place = co_await barrier.wait();
              EXPECT_EQ(place, 0u);
            }),
            "waits for <Condition [unlocked, waiters:1]>");
}

TEST(HangingAt, APrimitiveThatIsGoneIsNotAsked) {
  VirtualLoop loop;
  auto event = std::make_unique<Event>();
  const auto task = create_task([&]() -> Coro<> { co_await event->wait(); }, {.loop = &loop});
  loop.run_ticks(2);
  event.reset();
  EXPECT_TRUE(format_task_tree(loop).ends_with("└──  waits for <primitive that was destroyed>"));
  task.cancel();
  loop.run_ticks(2);
}

// A lost wake-up: nobody calls set().
TEST(HangingAt, AnEventThatNobodySets) {
  Event ready;
  const auto main = [&]() -> Coro<> {
    const auto worker = create_task([&]() -> Coro<> { co_await ready.wait(); }, {.name = "worker"});
    co_await worker;
  };
  const std::string message = thrown<std::logic_error>([&] { run_virtual(main); });
  EXPECT_TRUE(
      without_places(message).ends_with("    └──  <lambda> here\n"
                                        "        └── (T) worker\n"
                                        "            └──  <lambda> here\n"
                                        "                └──  waits for <Event [unset, waiters:1]>"))
      << message;
}

}  // namespace
}  // namespace asyncio

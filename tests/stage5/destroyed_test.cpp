// Destroys each primitive at each tick while tasks use it. Woken tasks continue as in CPython, where the object lives
// on; the others can be cancelled; no task touches the destroyed object.
#include <asyncio/barrier.h>
#include <asyncio/condition.h>
#include <asyncio/event.h>
#include <asyncio/lifo_queue.h>
#include <asyncio/lock.h>
#include <asyncio/priority_queue.h>
#include <asyncio/queue.h>
#include <asyncio/run.h>
#include <asyncio/semaphore.h>
#include <asyncio/virtual_core.h>
#include <gtest/gtest.h>
#include <support/cancel_sweep.h>
#include <support/counted.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::CoreWithTicks;
using testing::Counted;

/// Awaits the body and logs its outcome.
Coro<> note(std::string& log, std::string name, std::function<Coro<>()> body) {
  try {
    co_await body();
    log += name + " returned. ";
  } catch (const CancelledError&) {
    log += name + " cancelled. ";
    throw;
  } catch (const QueueShutDown&) {
    log += name + " shut down. ";
  } catch (const std::runtime_error& error) {
    log += name + (std::string(error.what()).find("destroyed") != std::string::npos ? " orphaned. " : error.what());
  }
}

/// Two tasks wait for the object; `wake` wakes one or both, and in the same tick the object is destroyed. Cancels tasks
/// that are pending after a second.
template <class Object, class Wait, class Wake, class... Args>
std::string destroyed_in_its_own_tick(Wait wait, Wake wake, Args... args) {
  std::string log;
  const auto main = [&]() -> Coro<> {
    auto object = std::make_unique<Object>(args...);
    std::vector<Task<>> tasks;
    for (const char* name : {"a", "b"}) {
      tasks.push_back(create_task(note(log, name, [&wait, object = object.get()] { return wait(*object); })));
    }
    co_await sleep(0s);
    wake(*object);
    object.reset();
    co_await sleep(1s);
    for (const Task<>& task : tasks) task.cancel();
    co_await sleep(1s);
    for (const Task<>& task : tasks) EXPECT_TRUE(task.done());
  };
  run(main, std::make_unique<VirtualCore>());
  EXPECT_EQ(Counted::alive, 0);
  return log;
}

TEST(Destroyed, AnEventThatWasSetLetsItsWaitersGo) {
  const auto wait = [](Event& event) -> Coro<> { co_await event.wait(); };
  EXPECT_EQ(destroyed_in_its_own_tick<Event>(wait, [](Event& event) { event.set(); }), "a returned. b returned. ");
  EXPECT_EQ(destroyed_in_its_own_tick<Event>(wait, [](Event&) {}), "a cancelled. b cancelled. ");
}

TEST(Destroyed, AQueueTakesItsItemsWithItAndSaysSo) {
  const auto get = [](Queue<Counted>& queue) -> Coro<> { static_cast<void>(co_await queue.get()); };
  EXPECT_EQ(destroyed_in_its_own_tick<Queue<Counted>>(get, [](Queue<Counted>& queue) { queue.put_nowait(Counted(7)); }),
            "a orphaned. b cancelled. ");
}

TEST(Destroyed, AQueueWhoseWorkIsDoneLetsJoinReturn) {
  const auto join = [](Queue<int>& queue) -> Coro<> {
    if (queue.empty()) queue.put_nowait(1);
    co_await queue.join();
  };
  const auto finish = [](Queue<int>& queue) {
    queue.get_nowait();
    queue.task_done();
  };
  EXPECT_EQ(destroyed_in_its_own_tick<Queue<int>>(join, finish), "a returned. b returned. ");
}

TEST(Destroyed, AConditionGivesBackALockThatIsNotItsOwn) {
  Lock lock;
  const auto wait = [&lock](Condition& condition) -> Coro<> {
    const auto guard = co_await lock.scoped();
    co_await condition.wait();
    EXPECT_TRUE(lock.locked());
  };
  for (const bool notify : {true, false}) {
    std::string log;
    const auto main = [&]() -> Coro<> {
      auto condition = std::make_unique<Condition>(lock);
      std::vector<Task<>> tasks;
      for (const char* name : {"a", "b"}) {
        tasks.push_back(create_task(note(log, name, [&] { return wait(*condition); })));
      }
      co_await sleep(1s);
      {
        const auto guard = co_await lock.scoped();
        if (notify) condition->notify_all();
        condition.reset();
      }
      co_await sleep(1s);
      for (const Task<>& task : tasks) task.cancel();
      co_await sleep(1s);
      EXPECT_FALSE(lock.locked());
    };
    run(main, std::make_unique<VirtualCore>());
    EXPECT_EQ(log, notify ? "a returned. b returned. " : "a cancelled. b cancelled. ");
  }
}

// ── a woken task cannot get a lock or a permit that is gone ─────────────────────────────────────────────────────────

TEST(Destroyed, ALockOrASemaphoreThatIsGoneCannotBeHad) {
  const auto lock = [](Lock& lock) -> Coro<> {
    if (!lock.locked()) co_await lock.acquire();
    co_await lock.acquire();
  };
  EXPECT_EQ(destroyed_in_its_own_tick<Lock>(lock, [](Lock& lock) { lock.release(); }), "a orphaned. b cancelled. ");
  const auto permit = [](Semaphore& semaphore) -> Coro<> { co_await semaphore.acquire(); };
  EXPECT_EQ(destroyed_in_its_own_tick<Semaphore>(
                permit, [](Semaphore& semaphore) { semaphore.release(); }, 0),
            "a orphaned. b cancelled. ");
}

// ── the sweep: at each tick ─────────────────────────────────────────────────────────────────────────────────────────

/// Some tasks use an object while it exists; it is destroyed before tick n; later all tasks are cancelled.
template <class Object, class... Args>
void destroy_at_each_tick(std::function<Coro<>(std::unique_ptr<Object>&, int)> use, Args... args) {
  for (int n = 0; n < 30; ++n) {
    SCOPED_TRACE("destroyed before tick " + std::to_string(n));
    std::unique_ptr<Object> object;
    int tick = 0;
    Runner runner(std::make_unique<CoreWithTicks>([&] {
      if (tick++ == n) object.reset();
    }));
    std::string log;
    std::vector<Task<>> tasks;
    const auto main = [&]() -> Coro<> {
      object = std::make_unique<Object>(args...);
      for (int i = 0; i < 4; ++i) tasks.push_back(create_task(note(log, "", [&, i] { return use(object, i); })));
      co_await sleep(1s);
      for (const Task<>& task : tasks) task.cancel();
      co_await sleep(1s);
      for (const Task<>& task : tasks) EXPECT_TRUE(task.done());
    };
    runner.run(main);
    object.reset();
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Destroyed, AtEachTickNobodyTouchesWhatIsGone) {
  destroy_at_each_tick<Lock>([](std::unique_ptr<Lock>& lock, int) -> Coro<> {
    for (int i = 0; i < 3 && lock; ++i) {
      co_await lock->acquire();
      co_await sleep(0s);
      if (lock) lock->release();
    }
  });
  destroy_at_each_tick<Semaphore>(
      [](std::unique_ptr<Semaphore>& semaphore, int) -> Coro<> {
        for (int i = 0; i < 3 && semaphore; ++i) {
          co_await semaphore->acquire();
          co_await sleep(0s);
          if (semaphore) semaphore->release();
        }
      },
      2);
  destroy_at_each_tick<Event>([](std::unique_ptr<Event>& event, int who) -> Coro<> {
    for (int i = 0; i < 3 && event; ++i) {
      if (who == 0) {
        co_await sleep(0s);
        if (event) event->set();
        if (event) event->clear();
      } else {
        co_await event->wait();
      }
    }
  });
  const auto use_condition = [](std::unique_ptr<Condition>& condition, int who) -> Coro<> {
    struct ReleaseIfThere {
      std::unique_ptr<Condition>& condition;
      ~ReleaseIfThere() {
        if (condition) condition->release();
      }
    };
    for (int i = 0; i < 3 && condition; ++i) {
      co_await condition->acquire();
      const ReleaseIfThere release{condition};
      if (!condition) break;
      if (who == 0) {
        condition->notify(2);
      } else {
        co_await condition->wait();
      }
    }
  };
  destroy_at_each_tick<Condition>(use_condition);
  Lock lock;  // outlives the condition: wait() returns holding it
  destroy_at_each_tick<Condition, std::reference_wrapper<Lock>>(
      [&lock](std::unique_ptr<Condition>& condition, int who) -> Coro<> {
        for (int i = 0; i < 3 && condition; ++i) {
          const auto guard = co_await lock.scoped();
          if (!condition) break;
          if (who == 0) {
            condition->notify(2);
          } else {
            co_await condition->wait();
          }
        }
      },
      std::ref(lock));
  EXPECT_FALSE(lock.locked());
  destroy_at_each_tick<Barrier>(
      [](std::unique_ptr<Barrier>& barrier, int) -> Coro<> {
        for (int i = 0; i < 3 && barrier; ++i) co_await barrier->wait();
      },
      2);
  destroy_at_each_tick<Queue<Counted>>(
      [](std::unique_ptr<Queue<Counted>>& queue, int who) -> Coro<> {
        for (int i = 0; i < 4 && queue; ++i) {
          if (who % 2 == 0) {
            co_await queue->put(Counted(i));
          } else {
            const Counted item = co_await queue->get();
            EXPECT_GE(item.value, 0);
            if (queue) queue->task_done();
          }
        }
      },
      1);
}

}  // namespace
}  // namespace asyncio

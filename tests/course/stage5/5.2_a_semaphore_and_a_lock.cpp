// Semaphore: as many at once as there are permits; the others wait in line. A Lock has one permit.
#include <by_hand/sync.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

Coro<> uses(by_hand::Semaphore& semaphore, std::string name, Duration time) {
  co_await semaphore.acquire();
  log(name + "@" + at());
  co_await by_hand::sleep(time);
  semaphore.release();
}
Coro<> one_after_the_other() {
  by_hand::Lock lock;
  const Task<> a = create_task(uses(lock, "a", 10ms)), b = create_task(uses(lock, "b", 10ms)),
               c = create_task(uses(lock, "c", 10ms));
  co_await c;
  log(lock.locked() ? "locked" : "free");
}
Coro<> two_at_once() {
  by_hand::Semaphore semaphore(2);
  const Task<> a = create_task(uses(semaphore, "a", 10ms)), b = create_task(uses(semaphore, "b", 20ms)),
               c = create_task(uses(semaphore, "c", 20ms)), d = create_task(uses(semaphore, "d", 10ms));
  co_await c;
  co_await d;
}
Coro<> free_lock() {
  by_hand::Lock lock;
  by_hand::Loop::running().call_soon([] { log("next-tick"); });
  co_await lock.acquire();
  log(lock.locked() ? "locked" : "not-locked");
  lock.release();
  log(lock.locked() ? "still-locked" : "free");
  co_await by_hand::Yield();
}
Coro<> jumps_the_queue() {
  by_hand::Lock lock;
  co_await lock.acquire();
  const Task<> other = create_task(uses(lock, "who-waited", 10ms));
  co_await by_hand::sleep(10ms);
  lock.release();
  co_await lock.acquire();
  log("who-came-later@" + at());
  lock.release();
  co_await other;
}
Coro<> one_is_cancelled() {
  by_hand::Lock lock;
  co_await lock.acquire();
  const Task<> a = create_task(uses(lock, "a", 10ms)), b = create_task(uses(lock, "b", 10ms));
  co_await by_hand::sleep(10ms);
  a.cancel();
  co_await by_hand::sleep(10ms);
  lock.release();
  co_await b;
  log(lock.locked() ? "locked" : "free");
}
Coro<int> permits() {
  by_hand::Semaphore semaphore(0);
  semaphore.release();
  semaphore.release();
  int count = 0;
  for (; !semaphore.locked() && count < 10; ++count) co_await semaphore.acquire();
  co_return count;
}
Coro<> many_releases() {
  by_hand::Semaphore semaphore(0);
  const Task<> a = create_task(uses(semaphore, "a", 50ms)), b = create_task(uses(semaphore, "b", 50ms));
  co_await by_hand::sleep(10ms);
  semaphore.release();
  semaphore.release();
  co_await b;
}

}  // namespace

void step() {
  expecting("a lock to let one task in at a time, in the order in which they came: a@0ms b@10ms c@20ms free");
  in_virtual_time(one_after_the_other());
  log.check("a@0ms b@10ms c@20ms free");

  expecting("Semaphore(2) to let two in at a time: a@0ms b@0ms c@10ms d@20ms");
  log.clear();
  in_virtual_time(two_at_once());
  log.check("a@0ms b@0ms c@10ms d@20ms");

  expecting("acquire() of a free lock not to take a tick: locked free next-tick");
  log.clear();
  in_virtual_time(free_lock());
  log.check("locked free next-tick");

  expecting(
      "release() to hand the lock to the task that waits, so that nobody jumps the queue, not even the one who "
      "releases and acquires again at once: who-waited@10ms who-came-later@20ms");
  log.clear();
  in_virtual_time(jumps_the_queue());
  log.check("who-waited@10ms who-came-later@20ms");

  expecting("a task that is cancelled while it waits to leave the line to the next: b@20ms free");
  log.clear();
  in_virtual_time(one_is_cancelled());
  log.check("b@20ms free");

  expecting("release() without anybody waiting to add a permit: two calls, two permits");
  check_equal(in_virtual_time(permits()), 2, "there were ");

  expecting("two calls of release() in one tick to wake two tasks: a@10ms b@10ms");
  log.clear();
  in_virtual_time(many_releases());
  log.check("a@10ms b@10ms");
}

}  // namespace course

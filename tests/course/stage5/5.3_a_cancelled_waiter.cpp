// Between the wake-up of a task and its run there is a tick. If it is cancelled then, the next has to get the permit.
#include <by_hand/sync.h>

#include "tasks.h"

namespace course {
namespace {

Log log;

Coro<> uses(by_hand::Semaphore& semaphore, std::string name) {
  co_await semaphore.acquire();
  log(name + "@" + at());
  semaphore.release();
}
Coro<> the_next_gets_it() {
  by_hand::Lock lock;
  co_await lock.acquire();
  const Task<> a = create_task(uses(lock, "a")), b = create_task(uses(lock, "b"));
  co_await by_hand::sleep(10ms);
  lock.release();  // hands the lock to a …
  a.cancel();      // … which will not use it
  co_await by_hand::sleep(10ms);
  log(a.cancelled() ? "a-cancelled" : "a-not-cancelled");
  if (!b.done()) fail("the lock was lost with the cancelled task: b waits for ever");
  log(lock.locked() ? "locked" : "free");
}
Coro<> nobody_is_next() {
  by_hand::Lock lock;
  co_await lock.acquire();
  const Task<> a = create_task(uses(lock, "a"));
  co_await by_hand::sleep(10ms);
  lock.release();
  a.cancel();
  co_await by_hand::sleep(10ms);
  log(lock.locked() ? "locked" : "free");
}
Coro<> cancelled_before_the_wake_up() {
  by_hand::Semaphore semaphore(0);
  const Task<> a = create_task(uses(semaphore, "a")), b = create_task(uses(semaphore, "b"));
  co_await by_hand::sleep(10ms);
  a.cancel();
  co_await by_hand::sleep(10ms);
  log(b.done() ? "b-has-a-permit-that-nobody-gave" : "b-waits");
  semaphore.release();
  co_await b;
}

}  // namespace

void step() {
  expecting(
      "a lock that was handed to a task, which is cancelled in the same tick, to go on to the next in line: "
      "b@10ms a-cancelled free");
  in_virtual_time(the_next_gets_it());
  log.check("b@10ms a-cancelled free");

  expecting("the lock to be free again if nobody else waits");
  log.clear();
  in_virtual_time(nobody_is_next());
  log.check("free", "it was: ");

  expecting("a task that is cancelled before it is woken to pass nothing on: b-waits b@20ms");
  log.clear();
  in_virtual_time(cancelled_before_the_wake_up());
  log.check("b-waits b@20ms");
}

}  // namespace course

// The notes' programs on synchronisation (003). All times are a tenth of theirs. A sleep takes the place of network
// requests, which come with stage 6.
// Runs on asyncio or, compiled with -DBY_HAND, on the small asyncio of by_hand/: see demo_lib.h.
#include "demo_lib.h"

#include <iostream>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace lib;

// ── lock.py ─────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace lock_program {

void unlock(Lock& lock) {
  std::cout << "callback releasing lock\n";
  lock.release();
}

Coro<> test(std::string locker, Lock& lock) {
  std::cout << locker << " waiting for the lock\n";
  {
    const auto guard = co_await lock.scoped();
    std::cout << locker << " acquired lock\n";
  }
  std::cout << locker << " released lock\n";
}

Coro<> main() {
  Lock lock;
  co_await lock.acquire();
  Loop::running().call_later(10ms, [&] { unlock(lock); });
  std::vector<Task<>> tasks;
  tasks.push_back(create_task(test("l1", lock)));
  tasks.push_back(create_task(test("l2", lock)));
  co_await lib::wait(tasks);
}

}  // namespace lock_program

// ── condition.py ────────────────────────────────────────────────────────────────────────────────────────────────────

namespace condition_program {

Coro<> consumer(Condition& cond, std::string name, std::chrono::milliseconds delay) {
  co_await lib::sleep(delay);
  const auto guard = co_await cond.scoped();
  co_await cond.wait();
  std::cout << name << ": Resource is available to consumer\n";
}

Coro<> producer(Condition& cond) {
  co_await lib::sleep(200ms);
  for (int n = 1; n < 3; ++n) {
    {
      const auto guard = co_await cond.scoped();
      std::cout << "notifying consumer " << n << '\n';
      cond.notify(n);
    }
    co_await lib::sleep(10ms);
  }
}

Coro<> producer2(Condition& cond) {
  co_await lib::sleep(200ms);
  const auto guard = co_await cond.scoped();
  std::cout << "Making resource available\n";
  cond.notify_all();
}

std::vector<Task<>> consumers(Condition& cond) {
  std::vector<Task<>> tasks;
  tasks.push_back(create_task(consumer(cond, "c1", 0ms)));
  tasks.push_back(create_task(consumer(cond, "c2", 100ms)));
  return tasks;
}

Coro<> main() {
  Condition condition;
  Task<> task = create_task(producer(condition));
  co_await lib::wait(consumers(condition));
  task.cancel();
  task = create_task(producer2(condition));
  co_await lib::wait(consumers(condition));
  task.cancel();
}

}  // namespace condition_program

// ── event.py ────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace event_program {

const char* python(bool value) { return value ? "True" : "False"; }

void set_event(Event& event) {
  std::cout << "setting event in callback\n";
  event.set();
}

Coro<> test(std::string name, Event& event) {
  std::cout << name << " waiting for event\n";
  co_await event.wait();
  std::cout << name << " triggered\n";
}

Coro<> main() {
  Event event;
  std::cout << "event start state: " << python(event.is_set()) << '\n';
  Loop::running().call_later(10ms, [&] { set_event(event); });
  std::vector<Task<>> tasks;
  tasks.push_back(create_task(test("e1", event)));
  tasks.push_back(create_task(test("e2", event)));
  co_await lib::wait(tasks);
  std::cout << "event end state: " << python(event.is_set()) << '\n';
}

}  // namespace event_program

// ── Semaphore(3): twelve numbers, three at a time ───────────────────────────────────────────────────────────────────

Coro<int> fetch_async(int a) {
  co_await lib::sleep(50ms);
  co_return a;
}

namespace semaphore_program {

Coro<> print_result(Semaphore& sema, int a) {
  const auto permit = co_await sema.scoped();
  const int r = co_await fetch_async(a);
  std::cout << "fetch(" << a << ") = " << r << '\n';
}

Coro<> main() {
  Semaphore sema(3);
  std::vector<Task<>> tasks;
  for (int num = 0; num < 12; ++num) tasks.push_back(create_task(print_result(sema, num)));
  co_await lib::wait(tasks);
}

}  // namespace semaphore_program

// ── prioqueue.py ────────────────────────────────────────────────────────────────────────────────────────────────────

namespace prioqueue_program {

using Item = std::pair<int, int>;  // priority, number

Coro<int> collect_result(Semaphore& sema, int a) {
  const auto permit = co_await sema.scoped();
  const int result = co_await fetch_async(a);
  co_return result;
}

Coro<> produce(PriorityQueue<Item>& queue) {
  for (const int num : {6, 4, 22, 48, 9, 90, 40}) {  // random in the notes, which show these
    std::cout << "producing " << num << '\n';
    const Item item(num, num);
    co_await queue.put(item);
  }
}

Coro<> consume(PriorityQueue<Item>& queue, Semaphore& sema) {
  for (;;) {
    const Item item = co_await queue.get();
    const int rs = co_await collect_result(sema, item.first);
    std::cout << "consuming " << rs << "...\n";
    queue.task_done();
  }
}

Coro<> run() {
  PriorityQueue<Item> queue;
  Semaphore sema(3);
  const Task<> consumer = create_task(consume(queue, sema));
  co_await produce(queue);
  co_await queue.join();
  consumer.cancel();
}

}  // namespace prioqueue_program

int main() {
  std::cout << "--- lock.py\n";
  run(lock_program::main());
  std::cout << "--- condition.py\n";
  run(condition_program::main());
  std::cout << "--- event.py\n";
  run(event_program::main());
  std::cout << "--- semaphore: fetch 12 numbers, 3 at a time\n";
  run(semaphore_program::main());
  std::cout << "--- prioqueue.py\n";
  run(prioqueue_program::run());
}

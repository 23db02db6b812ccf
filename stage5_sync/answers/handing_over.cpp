// Exercise 2: which program can tell whether release() hands a lock over at once? One that calls locked() or acquire()
// between the release and the next tick. Semaphore(1) hands over at once.
#include <asyncio/lock.h>
#include <asyncio/run.h>
#include <asyncio/semaphore.h>
#include <asyncio/virtual_core.h>

#include <iostream>

using namespace std::chrono_literals;
using asyncio::Coro;

template <class Mutex>
Coro<> hold(Mutex& mutex) {
  co_await mutex.acquire();
  std::cout << "  the waiter has it\n";
  mutex.release();
}

template <class Mutex>
Coro<> look(const char* name) {
  std::cout << name << '\n';
  Mutex mutex;
  co_await mutex.acquire();
  auto waiter = asyncio::create_task(hold(mutex));
  co_await asyncio::sleep(0s);

  mutex.release();
  std::cout << "  after release() it is " << (mutex.locked() ? "locked" : "unlocked") << '\n';
  waiter.cancel();  // it is woken, and cancelled before it runs
  try {
    co_await waiter;
  } catch (const asyncio::CancelledError&) {
    std::cout << "  the waiter was cancelled, and it is " << (mutex.locked() ? "locked" : "unlocked") << '\n';
  }
}

Coro<> main_program() {
  co_await look<asyncio::Lock>("Lock: unlocks, and wakes the first in line");
  co_await look<asyncio::Semaphore>("Semaphore(1): hands over at once");
}

int main() { asyncio::run(main_program(), std::make_unique<asyncio::VirtualCore>()); }

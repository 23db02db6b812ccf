// Exercise 1: many readers or one writer, on a Condition. While a writer waits, no new reader gets in.
#include <asyncio/condition.h>
#include <asyncio/run.h>
#include <asyncio/virtual_core.h>

#include <iostream>
#include <string>

using namespace std::chrono_literals;
using asyncio::Coro;

class ReadWriteLock {
 public:
  Coro<> acquire_read() {
    const auto guard = co_await changed_.scoped();
    const auto free = [this] { return !writing_ && waiting_writers_ == 0; };
    co_await changed_.wait_for(free);
    ++readers_;
  }
  Coro<> acquire_write() {
    const auto guard = co_await changed_.scoped();
    const WaitingWriter waiting(*this);
    const auto free = [this] { return !writing_ && readers_ == 0; };
    co_await changed_.wait_for(free);
    writing_ = true;
  }
  // These do not await: a destructor may call them, and a cancel cannot prevent them.
  void release_read() {
    --readers_;
    notify_later();
  }
  void release_write() {
    writing_ = false;
    notify_later();
  }

 private:
  /// Counts a writer that waits. If the writer is cancelled, the destructor lets the readers behind it continue.
  class WaitingWriter {
   public:
    explicit WaitingWriter(ReadWriteLock& lock) : lock_(lock) { ++lock_.waiting_writers_; }
    ~WaitingWriter() {
      --lock_.waiting_writers_;
      lock_.notify_later();
    }

   private:
    ReadWriteLock& lock_;
  };

  // notify() needs the condition's lock, and acquiring that is an await: a task of its own does it.
  void notify_later() { asyncio::create_task(notify()); }
  Coro<> notify() {
    const auto guard = co_await changed_.scoped();
    changed_.notify_all();
  }

  asyncio::Condition changed_;
  int readers_ = 0;
  int waiting_writers_ = 0;
  bool writing_ = false;
};

Coro<> read(ReadWriteLock& lock, std::string name) {
  co_await lock.acquire_read();
  std::cout << name << " reads\n";
  co_await asyncio::sleep(10ms);
  std::cout << name << " has read\n";
  lock.release_read();
}
Coro<> write(ReadWriteLock& lock, std::string name) {
  co_await lock.acquire_write();
  std::cout << name << " writes\n";
  co_await asyncio::sleep(10ms);
  std::cout << name << " has written\n";
  lock.release_write();
}

Coro<> main_program() {
  ReadWriteLock lock;
  auto first = asyncio::create_task(read(lock, "r1"));
  auto second = asyncio::create_task(read(lock, "r2"));
  co_await asyncio::sleep(1ms);
  auto writer = asyncio::create_task(write(lock, "w"));
  co_await asyncio::sleep(1ms);
  auto third = asyncio::create_task(read(lock, "r3"));  // r1 and r2 are reading, but w came first
  co_await third;

  std::cout << "a writer is cancelled as it waits\n";
  auto fourth = asyncio::create_task(read(lock, "r4"));
  co_await asyncio::sleep(1ms);
  auto impatient = asyncio::create_task(write(lock, "never"));
  co_await asyncio::sleep(1ms);
  auto fifth = asyncio::create_task(read(lock, "r5"));
  co_await asyncio::sleep(1ms);
  impatient.cancel();
  co_await fifth;
  co_await fourth;
}

int main() { asyncio::run(main_program(), std::make_unique<asyncio::VirtualCore>()); }

// Exercise 3: wait for one item of a queue, and take up to n.
#include <asyncio/queue.h>
#include <asyncio/run.h>
#include <asyncio/virtual_core.h>

#include <iostream>
#include <vector>

using namespace std::chrono_literals;
using asyncio::Coro;

template <class T>
Coro<std::vector<T>> get_batch(asyncio::Queue<T>& queue, std::size_t n) {
  std::vector<T> items;
  T first = co_await queue.get();  // only this await can be cancelled, and nothing is taken yet
  items.push_back(std::move(first));
  while (items.size() < n && !queue.empty()) items.push_back(queue.get_nowait());  // each wakes a producer
  co_return items;
}

Coro<> take(const char* name, asyncio::Queue<int>& queue) {
  const auto items = co_await get_batch(queue, 3);
  std::cout << name << " got";
  for (const int item : items) std::cout << ' ' << item;
  std::cout << '\n';
}

Coro<> produce(asyncio::Queue<int>& queue) {
  for (int item = 1; item <= 6; ++item) {
    co_await queue.put(item);
    std::cout << "put " << item << '\n';
  }
}

Coro<> main_program() {
  asyncio::Queue<int> queue(4);
  auto producer = asyncio::create_task(produce(queue));
  co_await asyncio::sleep(1s);  // the queue is full, and the producer waits
  co_await take("main", queue);
  co_await producer;
  co_await take("main", queue);

  std::cout << "two wait, an item comes, and the first of them is cancelled in the same tick\n";
  auto first = asyncio::create_task(take("first", queue));
  auto second = asyncio::create_task(take("second", queue));
  co_await asyncio::sleep(1s);
  queue.put_nowait(7);
  first.cancel();
  co_await second;
}

int main() { asyncio::run(main_program(), std::make_unique<asyncio::VirtualCore>()); }

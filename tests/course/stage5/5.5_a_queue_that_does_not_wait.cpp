// put_nowait() and get_nowait(): first in, first out, and exceptions where there is no room or no item.
#include <by_hand/sync.h>

#include "tasks.h"

namespace course {

void step() {
  by_hand::Queue<int> queue(3);
  expecting("a new queue to be empty");
  check(queue.empty(), "empty() was false");
  for (int i = 1; i <= 3; ++i) queue.put_nowait(i);

  expecting("qsize() to be 3 after three items");
  check_equal(queue.qsize(), 3u);
  expecting("a Queue(3) with three items to be full");
  check(queue.full(), "full() was false");
  expecting("put_nowait() into a full queue to throw QueueFull");
  check(throws<by_hand::QueueFull>([&] { queue.put_nowait(4); }), "it returned");
  expecting("the queue to have its three items after that, still");
  check_equal(queue.qsize(), 3u, "it had ");

  expecting("items to come out in the order in which they went in: 1 2 3");
  std::vector<int> items;
  while (!queue.empty()) items.push_back(queue.get_nowait());
  check(items == std::vector<int>{1, 2, 3}, "they came as " + show(items));
  expecting("get_nowait() of an empty queue to throw QueueEmpty");
  check(throws<by_hand::QueueEmpty>([&] { queue.get_nowait(); }), "it returned");

  expecting("a queue without a maxsize never to be full: 1000 items");
  by_hand::Queue<int> endless;
  for (int i = 0; i < 1000; ++i) endless.put_nowait(i);
  check(!endless.full(), "full() was true");
  check_equal(endless.qsize(), 1000u, "there were ");

  expecting("items that can only be moved to pass");
  by_hand::Queue<std::unique_ptr<int>> pointers;
  pointers.put_nowait(std::make_unique<int>(7));
  const std::unique_ptr<int> item = pointers.get_nowait();
  check(item && *item == 7, "it was null, or not 7");

  expecting("a PriorityQueue to give the smallest first: 1 2 3 3");
  by_hand::PriorityQueue<int> priorities;
  for (const int number : {3, 1, 3, 2}) priorities.put_nowait(number);
  items.clear();
  while (!priorities.empty()) items.push_back(priorities.get_nowait());
  check(items == std::vector<int>{1, 2, 3, 3}, "they came as " + show(items));
}

}  // namespace course

// put() waits for room, get() waits for an item. Nobody who is cancelled takes one along.
#include <by_hand/sync.h>

#include "tasks.h"

namespace course {
namespace {

Log log;
using Queue = by_hand::Queue<int>;

Coro<> puts(Queue& queue, int count) {
  for (int i = 1; i <= count; ++i) {
    co_await queue.put(i);
    log("put" + std::to_string(i) + "@" + at());
  }
}
Coro<> gets(Queue& queue, std::string name) {
  const int item = co_await queue.get();
  log(name + std::to_string(item) + "@" + at());
}
Coro<> waits_for_room() {
  Queue queue(1);
  const Task<> producer = create_task(puts(queue, 3));
  for (int i = 0; i < 3; ++i) {
    co_await by_hand::sleep(10ms);
    co_await gets(queue, "got");
  }
  co_await producer;
}
Coro<> waits_for_an_item() {
  Queue queue;
  const Task<> a = create_task(gets(queue, "a")), b = create_task(gets(queue, "b"));
  co_await by_hand::sleep(10ms);
  co_await queue.put(1);
  co_await queue.put(2);
  co_await a;
  co_await b;
}
Coro<> there_is_one() {
  Queue queue;
  by_hand::Loop::running().call_soon([] { log("next-tick"); });
  co_await queue.put(1);
  co_await gets(queue, "got");
  co_await by_hand::Yield();
}
Coro<> a_getter_is_cancelled() {
  Queue queue;
  const Task<> a = create_task(gets(queue, "a")), b = create_task(gets(queue, "b"));
  co_await by_hand::sleep(10ms);
  queue.put_nowait(1);  // wakes a …
  a.cancel();           // … which will not take it
  co_await by_hand::sleep(10ms);
  if (!b.done()) fail("the wake-up was lost with the cancelled task: b waits, and the item lies in the queue");
}
Coro<> a_putter_is_cancelled() {
  Queue queue(1);
  queue.put_nowait(0);
  const Task<> a = create_task(puts(queue, 1)), b = create_task(puts(queue, 1));
  co_await by_hand::sleep(10ms);
  queue.get_nowait();
  a.cancel();
  co_await by_hand::sleep(10ms);
  if (!b.done()) fail("the wake-up was lost with the cancelled task: b waits, and there is room in the queue");
}
Coro<> somebody_was_faster() {
  Queue queue;
  const Task<> a = create_task(gets(queue, "a"));
  co_await by_hand::sleep(10ms);
  queue.put_nowait(1);                                 // wakes a …
  log("faster" + std::to_string(queue.get_nowait()));  // … and takes the item, before a runs
  co_await by_hand::sleep(10ms);
  log(a.done() ? "a-is-done" : "a-waits");
  queue.put_nowait(2);
  co_await a;
}

}  // namespace

void step() {
  expecting(
      "put() into a full Queue(1) to wait until there is room: "
      "put1@0ms got1@10ms put2@10ms got2@20ms put3@20ms got3@30ms");
  in_virtual_time(waits_for_room());
  log.check("put1@0ms got1@10ms put2@10ms got2@20ms put3@20ms got3@30ms");

  expecting(
      "get() from an empty queue to wait, and those who wait to be served in the order in which they came: "
      "a1@10ms b2@10ms");
  log.clear();
  in_virtual_time(waits_for_an_item());
  log.check("a1@10ms b2@10ms");

  expecting("put() with room, and get() with an item, not to take a tick: got1@0ms next-tick");
  log.clear();
  in_virtual_time(there_is_one());
  log.check("got1@0ms next-tick");

  expecting("a getter that is woken, and cancelled before it runs, to pass its wake-up on: b1@10ms");
  log.clear();
  in_virtual_time(a_getter_is_cancelled());
  log.check("b1@10ms");

  expecting("a putter that is woken, and cancelled before it runs, to pass its wake-up on: put1@10ms");
  log.clear();
  in_virtual_time(a_putter_is_cancelled());
  log.check("put1@10ms");

  expecting("a getter that finds the queue empty when it runs to wait again: faster1 a-waits a2@20ms");
  log.clear();
  in_virtual_time(somebody_was_faster());
  log.check("faster1 a-waits a2@20ms");
}

}  // namespace course

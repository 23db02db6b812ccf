// The program that gdb_test.py lets gdb look at. It prints what it knows itself: the lines at which it waits, and the
// repr() of its objects. Then it stops in stop_here() (argument "stop"), aborts there ("abort"), or hangs ("hang").
#include <asyncio/asyncio.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

/// What gdb is told to print.
struct Shown {
  Future<int> pending = create_future<int>();
  Future<int> number = create_future<int>();
  Future<std::string> text = create_future<std::string>();
  Future<bool> flag = create_future<bool>();
  Future<double> real = create_future<double>();
  Future<> nothing = create_future();
  Future<> failed = create_future();
  Future<> cancelled = create_future();
  Future<> empty;
  AnyFuture gathered;
  Task<int> task;
  AnyTask any_task;
  Task<> done, stubborn;
  Coro<> coro;
  Queue<int> queue{3};
  Queue<std::string> words;
  LifoQueue<int> lifo;
  PriorityQueue<double> priority;
  Lock lock;
  Event event;
  Condition condition;
  Semaphore semaphore{0};
  BoundedSemaphore permits{2};
  StreamReader reader;
  StreamReader at_end;
  Loop* loop = &Loop::running();
};
Shown* shown;  // a plain pointer: to call operator-> is not possible in a core file
static std::string_view mode;
static Task<> circle[2];

/// Tells at which line something waits.
static void at(const char* what, int line) { std::printf("line %s %d\n", what, line); }

[[gnu::noinline]] void stop_here() {
  std::fflush(stdout);
  if (mode == "abort") std::abort();
  asm volatile("" ::: "memory");
}

// ── tasks that wait ──

Coro<int> leaf(Future<int> future, int depth, std::string what) {
  int answer = 42;
  const std::string text = what + "!";
  at("leaf", __LINE__ + 1);
  const int got = co_await future;
  std::puts(text.c_str());
  co_return answer + got + depth;
}

Coro<int> middle(Future<int> future, std::string what) {
  double ratio = 1.5;
  if (ratio > 1) {
    int gone = 7;
    std::printf("# %p\n", static_cast<void*>(&gone));
  }
  at("middle", __LINE__ + 1);
  const int got = co_await leaf(future, 7, what);
  std::printf("%p\n", static_cast<void*>(&ratio));
  const int later = got + static_cast<int>(ratio);
  co_return later;
}

struct Listener {
  int port = 80;

  Coro<> serve(int backlog) {
    int served = 3;
    at("Listener::serve", __LINE__ + 1);
    co_await sleep(3600s);
    std::printf("%d %d %d\n", served, port, backlog);
  }
};

Coro<> waits_in_a_circle(int other) {
  co_await sleep(0s);
  at("waits_in_a_circle", __LINE__ + 1);
  co_await circle[other];
}

Coro<> swallows_a_cancel(Event& event) {
  for (;;) {
    try {
      at("swallows_a_cancel", __LINE__ + 1);
      co_await event.wait();
    } catch (const CancelledError&) {
    }
  }
}

Coro<> holds(Lock& lock, Future<int> future) {
  auto guard = co_await lock.scoped();
  at("holds", __LINE__ + 1);
  co_await future;
}

Coro<> wants(Lock& lock) {
  at("wants", __LINE__ + 1);
  auto guard = co_await lock.scoped();
}

Coro<> gathers(Task<int> one, Future<int> two) {
  auto both = gather(one, two);
  shown->gathered = both;
  at("gathers", __LINE__ + 1);
  co_await both;
}

Coro<> waits(std::vector<AnyTask> tasks) {
  at("waits", __LINE__ + 1);
  co_await wait(std::move(tasks));
}

Coro<> shields(Task<int> task) {
  auto outer = shield(task);
  at("shields", __LINE__ + 1);
  co_await outer;
}

Coro<> completes(std::vector<Task<int>> tasks) {
  for (auto& next : as_completed(std::move(tasks))) {
    at("completes", __LINE__ + 1);
    co_await next;
  }
}

Coro<> in_a_group() {
  at("in_a_group", __LINE__ + 1);
  co_await shown->event.wait();
}

Coro<> groups() {
  const auto body = [](TaskGroup& group) -> Coro<> {
    group.create_task(in_a_group(), {.name = "child"});
    co_return;
  };
  at("groups", __LINE__ + 1);
  co_await task_group(body);
}

Coro<> takes(Semaphore& semaphore) {
  at("takes", __LINE__ + 1);
  co_await semaphore.acquire();
}

Coro<> gets(Queue<std::string>& queue) {
  at("gets", __LINE__ + 1);
  co_await queue.get();
}

Coro<> ends() { co_return; }

// ── the task that runs when gdb looks ──

static void tell() {
  const auto tell_one = [](const char* what, const std::string& repr) {
    std::printf("repr shown->%s %s\n", what, repr.c_str());
  };
  tell_one("pending", shown->pending.repr());
  tell_one("number", shown->number.repr());
  tell_one("text", shown->text.repr());
  tell_one("flag", shown->flag.repr());
  tell_one("real", shown->real.repr());
  tell_one("nothing", shown->nothing.repr());
  tell_one("failed", shown->failed.repr());
  tell_one("cancelled", shown->cancelled.repr());
  tell_one("empty", shown->empty.repr());
  tell_one("gathered", shown->gathered.repr());
  tell_one("task", shown->task.repr());
  tell_one("any_task", shown->any_task.repr());
  tell_one("done", shown->done.repr());
  tell_one("stubborn", shown->stubborn.repr());
  tell_one("queue", shown->queue.repr());
  tell_one("words", shown->words.repr());
  tell_one("lifo", shown->lifo.repr());
  tell_one("priority", shown->priority.repr());
  tell_one("lock", shown->lock.repr());
  tell_one("condition", shown->condition.repr());
  tell_one("event", shown->event.repr());
  tell_one("semaphore", shown->semaphore.repr());
  tell_one("permits", shown->permits.repr());
  std::printf("tasks %zu\n", all_tasks().size());
  std::printf("tree\n%s\nend of tree\n", format_task_tree().c_str());
}

Coro<> inner(std::string where) {
  int local = 11;
  at("inner", __LINE__ + 1);
  stop_here();
  if (mode == "hang") {
    at("inner", __LINE__ + 2);
    std::fflush(stdout);
    co_await shown->event.wait();
  }
  std::printf("%d %s\n", local, where.c_str());
  std::exit(0);
}

Coro<> outer(int n) {
  int twice = 2 * n;
  co_await sleep(0s);
  co_await sleep(0s);
  tell();
  at("outer", __LINE__ + 1);
  co_await inner("here");
  std::printf("%d\n", twice);
}

Coro<> root() {
  shown = new Shown();
  shown->number.set_result(42);
  shown->text.set_result("it's text");
  shown->flag.set_result(true);
  shown->real.set_result(2.5);
  shown->nothing.set_result();
  shown->failed.set_exception(std::runtime_error("oops"));
  shown->cancelled.cancel();
  shown->coro = ends();
  for (int i = 1; i <= 3; ++i) shown->queue.put_nowait(i);
  shown->queue.get_nowait();
  shown->lifo.put_nowait(1);
  shown->lifo.put_nowait(2);
  shown->priority.put_nowait(2);
  shown->priority.put_nowait(1.5);
  shown->reader.feed_data("hello");
  shown->at_end.feed_eof();

  Listener server;
  shown->task = create_task(middle(shown->pending, "hello"), {.name = "middle"});
  shown->any_task = create_task(server.serve(10), {.name = "serve"});
  shown->done = create_task(ends(), {.name = "ends"});
  circle[0] = create_task(waits_in_a_circle(1), {.name = "circle-0"});
  circle[1] = create_task(waits_in_a_circle(0), {.name = "circle-1"});
  const auto stubborn = create_task(swallows_a_cancel(shown->event), {.name = "stubborn"});
  const AnyTask holder = create_task(holds(shown->lock, shown->pending), {.name = "holder"});
  const AnyTask waiter = create_task(wants(shown->lock), {.name = "waiter"});
  const auto gatherer = create_task(gathers(shown->task, shown->pending), {.name = "gatherer"});
  const auto waits_for_two = create_task(waits({holder, waiter}), {.name = "waits-for-two"});
  const auto shielder = create_task(shields(shown->task), {.name = "shielder"});
  const auto completer = create_task(completes({shown->task}), {.name = "completer"});
  const auto grouper = create_task(groups(), {.name = "grouper"});
  const auto taker = create_task(takes(shown->semaphore), {.name = "taker"});
  const auto getter = create_task(gets(shown->words), {.name = "getter"});
  const auto runner = create_task(outer(21), {.name = "runner"});
  co_await sleep(0s);
  Loop::running().set_debug(true);
  at("cancel", __LINE__ + 1);
  stubborn.cancel();
  Loop::running().set_debug(false);
  shown->stubborn = stubborn;
  at("root", __LINE__ + 1);
  co_await runner;
}

int main(int, char** arguments) {
  mode = arguments[1];
  run(root());
}

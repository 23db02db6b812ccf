// Structures as long as memory allows, on a stack of 256 KiB: cancelling, destroying and printing them must not recurse
// once per link.
#include <asyncio/async_generator.h>
#include <asyncio/call_graph.h>
#include <asyncio/exception_group.h>
#include <asyncio/gather.h>
#include <asyncio/run.h>
#include <asyncio/shield.h>
#include <asyncio/task_group.h>
#include <asyncio/virtual_core.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

/// .ci/deep sets ASYNCIO_TEST_DEPTH=1000000; the default is smaller.
int depth() {
  const char* given = std::getenv("ASYNCIO_TEST_DEPTH");
  return given ? std::atoi(given) : ASYNCIO_POOL ? 60'000 : 6'000;
}

/// Runs the function in a thread with a stack of 256 KiB.
void on_a_small_stack(std::function<void()> program) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256 << 10), 0);
  pthread_t thread;
  const auto start = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, start, &program), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

template <class Main>
void run_on_a_small_stack(Main main) {
  on_a_small_stack([&] { run(main, std::make_unique<VirtualCore>()); });
}

Coro<> last() { co_await sleep(1h); }
Coro<> await_it(Task<> next) { co_await next; }
Coro<> gather_it(Task<> next) {
  const std::vector<Task<>> only{next};
  co_await gather(only);
}
Coro<> shield_it(Task<> next) { co_await shield(next); }
Coro<> group_it(int depth) {
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    if (depth > 0) group.create_task(group_it(depth - 1));
    co_await sleep(depth > 0 ? 0h : 1h);
  });
}

/// A chain of tasks; each waits for the next by calling `link`.
Coro<Task<>> chain(Coro<> (*link)(Task<>)) {
  Task<> task = create_task(last());
  for (int i = 0; i < depth(); ++i) task = create_task(link(std::move(task)));
  co_await sleep(0s);
  co_return task;
}

Coro<> cancel_chain(Coro<> (*link)(Task<>)) {
  const Task<> task = co_await chain(link);
  EXPECT_TRUE(task.cancel());
  bool cancelled = false;
  try {
    co_await task;
  } catch (const CancelledError&) {
    cancelled = true;
  }
  EXPECT_TRUE(cancelled);
}

TEST(Depth, CancellingTasksThatAwaitEachOther) {
  run_on_a_small_stack([] { return cancel_chain(await_it); });
}
TEST(Depth, CancellingGathersOfGathers) {
  run_on_a_small_stack([] { return cancel_chain(gather_it); });
}
TEST(Depth, CancellingShieldsOfShields) {
  run_on_a_small_stack([] { return cancel_chain(shield_it); });
}
TEST(Depth, CancellingGroupsInGroups) {
  run_on_a_small_stack([]() -> Coro<> {
    const auto task = create_task(group_it(depth() / 10));
    co_await sleep(1s);
    task.cancel();
    co_await sleep(1s);
    EXPECT_TRUE(task.cancelled());
  });
}

TEST(Depth, ClosingALoopWithSuchChains) {
  for (Coro<> (*link)(Task<>) : {await_it, gather_it, shield_it}) {
    on_a_small_stack([=] {
      Loop loop(std::make_unique<VirtualCore>());
      loop.set_exception_handler([](Loop&, const ErrorContext&) {});
      const auto main = [=]() -> Coro<> { static_cast<void>(co_await chain(link)); };
      loop.run_until_complete(main);
      loop.close();
    });
  }
}

TEST(Depth, DroppingFuturesWhoseCallbacksHoldTheNext) {
  run_on_a_small_stack([]() -> Coro<> {
    Future<> first = create_future();
    Future<> future = first;
    for (int i = 0; i < depth(); ++i) {
      const Future<> next = create_future();
      future.add_done_callback([next](Future<>&) { next.set_result(); });
      future = next;
    }
    co_return;
  });
}

Coro<> wrap(Coro<> inner) { co_await std::move(inner); }

TEST(Depth, DroppingCoroutinesThatHoldCoroutines) {
  on_a_small_stack([] {
    for (const bool close : {false, true}) {
      Coro<> coroutine = last();
      for (int i = 0; i < depth(); ++i) coroutine = wrap(std::move(coroutine));
      if (close) coroutine.close();
    }
  });
}

AsyncGenerator<int> numbers(AsyncGenerator<int> inner) {
  co_yield 1;
  static_cast<void>(inner);
}

TEST(Depth, DroppingGeneratorsThatHoldGenerators) {
  on_a_small_stack([] {
    AsyncGenerator<int> generator;
    for (int i = 0; i < depth(); ++i) generator = numbers(std::move(generator));
  });
}

TEST(Depth, ExceptionGroupsInExceptionGroups) {
  on_a_small_stack([] {
    std::exception_ptr error = std::make_exception_ptr(std::runtime_error("the innermost"));
    for (int i = 0; i < depth(); ++i) {
      error = std::make_exception_ptr(ExceptionGroup("level", std::vector<std::exception_ptr>{std::move(error)}));
    }
    try {
      std::rethrow_exception(std::exchange(error, nullptr));
    } catch (const ExceptionGroup& group) {
      EXPECT_EQ(group.matching<std::runtime_error>().size(), 1u);
      EXPECT_LT(group.to_string().size(), 1'000u);
    }
  });
}

TEST(Depth, ManyCallbacksOfOneFutureAndManyChildrenOfOneGather) {
  run_on_a_small_stack([]() -> Coro<> {
    const Future<> future = create_future();
    std::vector<Task<>> tasks;
    int called = 0;
    for (int i = 0; i < depth(); ++i) {
      future.add_done_callback([&called](Future<>&) { ++called; });
      tasks.push_back(create_task(last()));
    }
    const auto all = gather(tasks);
    co_await sleep(0s);
    future.set_result();
    all.cancel();
    co_await sleep(1s);
    EXPECT_TRUE(all.done());
    EXPECT_TRUE(all.exception());
    EXPECT_EQ(called, depth());
  });
}

// cancel() of a circle throws, each time; the first throw changes nothing.
/// How often `part` stands in the text.
std::size_t count_in(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

TEST(Depth, PrintingWhoWaitsForWhom) {
  on_a_small_stack([] {
    Loop loop(std::make_unique<VirtualCore>());
    loop.set_exception_handler([](Loop&, const ErrorContext&) {});  // the tasks are pending at the end
    const Task<> end = create_task(last(), {.loop = &loop});
    Task<> task = end;
    for (int i = 0; i < depth(); ++i) task = create_task(await_it(std::move(task)), {.loop = &loop});
    loop.call_soon([&] { loop.stop(); });
    loop.run_forever();
    const auto tasks = static_cast<std::size_t>(depth()) + 1;
    std::string text = format_task_tree(loop);
    EXPECT_EQ(count_in(text, "└── (T) Task-") - count_in(text, "(continued below)"), tasks);
    text = format_task_table(loop);
    EXPECT_EQ(count_in(text, "\n"), 1 + tasks);
    text = format_call_graph(end);
    EXPECT_EQ(count_in(text, "* Task(") - count_in(text, "(continued below)"), tasks);
    EXPECT_TRUE(find_cycles(loop).empty());
    loop.close();
  });
}

TEST(Depth, FindingTheCycleOfManyTasks) {
  for (const bool debug : {false, true}) {
    on_a_small_stack([=] {
      Loop loop(std::make_unique<VirtualCore>());
      std::size_t reports = 0;
      loop.set_debug(debug);
      loop.slow_callback_duration = 24h;
      loop.set_exception_handler([&](Loop&, const ErrorContext& error) {
        reports += error.message.starts_with("Tasks wait for each other in a circle: ");
      });
      std::vector<Task<>> ring(static_cast<std::size_t>(depth()));
      const auto link = [](const Task<>& next) -> Coro<> { co_await next; };
      for (std::size_t i = 0; i < ring.size(); ++i) {
        ring[i] = create_task(link(ring[(i + 1) % ring.size()]), {.loop = &loop});
      }
      loop.run_until_complete(sleep(1h));
      EXPECT_EQ(reports, debug ? 1u : 0u);
      const auto cycles = find_cycles(loop);
      EXPECT_EQ(cycles.size(), 1u);
      EXPECT_EQ(cycles.at(0).size(), ring.size());
      EXPECT_EQ(count_in(format_task_tree(loop), "cycle: "), 1u);
      loop.close();
    });
  }
}

TEST(Depth, ACircleOfTasksAndGathersIsRefused) {
  on_a_small_stack([] {
    Loop loop(std::make_unique<VirtualCore>());
    Task<> second;
    const auto waits_for_second = [&]() -> Coro<> {
      co_await sleep(0s);
      const std::vector<Task<>> only{second};
      co_await gather(only);
    };
    const Task<> first = create_task(waits_for_second, {.loop = &loop});
    second = create_task(await_it(first), {.loop = &loop});
    loop.run_until_complete(sleep(1s));
    for (int i = 0; i < 2; ++i) EXPECT_THROW(first.cancel(), std::runtime_error);
    EXPECT_FALSE(first.done());
    first.set_log_destroy_pending(false);
    second.set_log_destroy_pending(false);
  });
}

}  // namespace
}  // namespace asyncio

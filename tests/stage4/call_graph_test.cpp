// The edges of the call graph that lead through the combinators.
#include <asyncio/as_completed.h>
#include <asyncio/call_graph.h>
#include <asyncio/gather.h>
#include <asyncio/shield.h>
#include <asyncio/task_group.h>
#include <asyncio/timeouts.h>
#include <asyncio/wait.h>
#include <asyncio/wait_for.h>
#include <support/call_graph.h>
#include <support/tasks.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace testing;

using Graph = std::optional<FutureCallGraph>;

Coro<> deep(Graph& graph) {
  co_await tick();
  FutureCallGraph captured = co_await capture_call_graph();
  graph = captured;
}
Coro<> c1(Graph& graph) {
  co_await tick();
  co_await deep(graph);
}
Coro<> c2() { co_await ticks(3); }

/// What `main(graph)` captures, on one line.
std::string captured_by(std::function<Coro<>(Graph&)> main) {
  Graph graph;
  run(main(graph), make_core());
  return graph ? walk(*graph) : "nothing was captured";
}

Coro<> await_task(const Task<>& task) { co_await task; }

Coro<> group_main(Graph& graph) {
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    static Task<> task;
    task = group.create_task(c1(graph), {.name = "c2_root"});
    group.create_task(await_task(task), {.name = "sub_main_1"});
    group.create_task(await_task(task), {.name = "sub_main_2"});
    co_return;
  });
}
Coro<> in_group(Graph& graph) { co_await group_main(graph); }

// test_graph.py: CallStackTestBase.test_stack_tgroup
TEST(CallGraphOf, ATaskGroup) {
  const std::string parent = "T<anon> (a asyncio::task_group, a group_main, a in_group) []";
  EXPECT_EQ(captured_by(in_group), "T<c2_root> (a deep, a c1) [" + parent + ", T<sub_main_1> (a await_task) [" +
                                       parent + "], T<sub_main_2> (a await_task) [" + parent + "]]");
}

Coro<> gather_main(Graph& graph) { co_await gather(c1(graph), c2()); }
Coro<> in_gather(Graph& graph) { co_await gather_main(graph); }

// test_graph.py: CallStackTestBase.test_stack_gather
TEST(CallGraphOf, AGather) {
  EXPECT_EQ(captured_by(in_gather), "T<anon> (a deep, a c1) [T<anon> (a gather_main, a in_gather) []]");
}

Coro<> shield_main(Graph& graph) { co_await shield(c1(graph)); }
Coro<> in_shield(Graph& graph) { co_await shield_main(graph); }

// test_graph.py: CallStackTestBase.test_stack_shield
TEST(CallGraphOf, AShield) {
  EXPECT_EQ(captured_by(in_shield), "T<anon> (a deep, a c1) [T<anon> (a shield_main, a in_shield) []]");
}

Coro<> with_timeout(Graph& graph) {
  co_await timeout(1s, [&]() -> Coro<> {
    co_await tick();
    co_await deep(graph);
  });
}
Coro<> timeout_main(Graph& graph) { co_await shield(with_timeout(graph)); }

// test_graph.py: CallStackTestBase.test_stack_timeout
TEST(CallGraphOf, ATimeout) {
  EXPECT_EQ(captured_by(timeout_main),
            "T<anon> (a deep, a <lambda>, a asyncio::detail::run_in_timeout, a with_timeout) "
            "[T<anon> (a timeout_main) []]");
}

Coro<> wait_main(const Task<>& t1, const Task<>& t2) {
  std::vector<Task<>> tasks;
  tasks.push_back(t1);
  tasks.push_back(t2);
  auto result = co_await wait(tasks);
  EXPECT_TRUE(result.pending.empty());
}
Coro<> in_wait(Graph& graph) {
  const auto t1 = create_task(c1(graph));
  const auto t2 = create_task(c2());
  co_await wait_main(t1, t2);
}

// test_graph.py: CallStackTestBase.test_stack_wait
TEST(CallGraphOf, AWait) {
  EXPECT_EQ(captured_by(in_wait), "T<anon> (a deep, a c1) [T<anon> (a asyncio::wait, a wait_main, a in_wait) []]");
}

Coro<> b1(const Future<>& future) { co_await future; }
Coro<> a2(const Future<>& future) { co_await future; }
Coro<> a1(const Future<>& future) { co_await a2(future); }

// test_graph.py: CallStackTestBase.test_stack_future
TEST(CallGraphOf, AFutureThatTwoTasksOfAGroupAwait) {
  std::string found, text;
  const auto main = [&]() -> Coro<> {
    const auto future = create_future();
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(a1(future), {.name = "task A"});
      group.create_task(b1(future), {.name = "task B"});
      co_await ticks(5);
      found = walk(capture_call_graph(future));
      text = format_call_graph(future);
      future.set_result();
    });
  };
  run_virtual(main);
  // The parent makes a step, in the group's body. So only its outermost coroutine is known.
  const std::string parent = "T<anon> (a <lambda>) []";
  EXPECT_EQ(found, "F () [T<task A> (a a2, a a1) [" + parent + "], T<task B> (a b1) [" + parent + "]]");
  EXPECT_TRUE(text.starts_with("* Future(id=")) << text;
}

Coro<> wait_for_main(Graph& graph) {
  const auto task = create_task(c1(graph), {.name = "work"});
  co_await wait_for(task, 1h);
}
TEST(CallGraphOf, AWaitFor) {
  EXPECT_EQ(captured_by(wait_for_main),
            "T<work> (a deep, a c1) [T<anon> (a asyncio::detail::run_in_timeout, a wait_for_main) []]");
}

// CPython has no edge here: gh-157058.
Coro<> cleans_up(Graph& graph) {
  bool cancelled = false;
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (cancelled) co_await deep(graph);
}
Coro<> no_time_main(Graph& graph) {
  const auto task = create_task(cleans_up(graph), {.name = "cleans up"});
  co_await tick();
  co_await wait_for(task, 0s);
}
TEST(CallGraphOf, AWaitForWithoutTime) {
  EXPECT_EQ(captured_by(no_time_main),
            "T<cleans up> (a deep, a cleans_up) [T<anon> (a asyncio::detail::cancel_and_wait, "
            "a asyncio::detail::wait_for_no_time, a no_time_main) []]");
}

// Nor here: gh-156523.
Coro<> completed_main(Graph& graph) {
  std::vector<Task<>> tasks;
  tasks.push_back(create_task(c1(graph), {.name = "first"}));
  tasks.push_back(create_task(c2()));
  for (auto& next : as_completed(tasks)) co_await next;
}
TEST(CallGraphOf, AsCompleted) {
  EXPECT_EQ(captured_by(completed_main), "T<first> (a deep, a c1) [T<anon> (a completed_main) []]");
}

TEST(CallGraphOf, CombinatorsInsideOfCombinators) {
  run_virtual([]() -> Coro<> {
    const auto future = create_future();
    const auto nested = [&]() -> Coro<> {
      const auto inner = gather(future);
      co_await gather(shield(inner), tick());
    };
    const auto task = create_task(nested, {.name = "task"});
    co_await ticks(2);
    EXPECT_EQ(walk(capture_call_graph(future)), "F () [T<task> (a <lambda>) []]");
    future.set_result();
    co_await task;
  });
}

TEST(CallGraphOf, AGatherThatNobodyAwaitsHasNoAwaiter) {
  run_virtual([]() -> Coro<> {
    const auto future = create_future();
    const auto gathered = gather(future);
    EXPECT_EQ(walk(capture_call_graph(future)), "F () []");
    future.set_result();
    co_await gathered;
  });
}

TEST(CallGraphOf, AChainOfShieldsIsNotTooDeep) {
  VirtualLoop loop;
  const Future<> future(loop);
  std::vector<Future<>> chain{future};
  while (chain.size() < 60'000) chain.push_back(shield(chain.back()));
  const auto task = create_task([&]() -> Coro<> { co_await chain.back(); }, {.name = "waits", .loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(walk(capture_call_graph(future)), "F () [T<waits> (a <lambda>) []]");
  future.set_result();
  loop.run_until_complete(task);
}

// ── the tree ────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> awaiter3(const Task<>& timer) { co_await timer; }
Coro<> awaiter2(const Task<>& timer) { co_await awaiter3(timer); }
Coro<> awaiter(const Task<>& timer) { co_await awaiter2(timer); }
Coro<> bloch(const Task<>& timer, std::string one, std::string two) {
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(awaiter(timer), {.name = one});
    group.create_task(awaiter(timer), {.name = two});
    co_return;
  });
}
Coro<> tree_main(Task<>& timer) {
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(bloch(timer, "child1_1", "child2_1"), {.name = "root1"});
    group.create_task(bloch(timer, "child1_2", "child2_2"), {.name = "root2"});
    co_return;
  });
}

// test_tools.py: TestAsyncioToolsTree.test_asyncio_utils
// test_tools.py: TestAsyncioToolsTable.test_asyncio_utils
TEST(TaskTreeOf, TasksGroupsAndWhatTheyAwait) {
  VirtualLoop loop;
  Task<> timer = create_task([]() -> Coro<> { co_await sleep(1h); }, {.name = "timer", .loop = &loop});
  const auto main = create_task(tree_main(timer), {.name = "Task-1", .loop = &loop});
  loop.run_ticks(4);
  const std::string tree = without_places(format_task_tree(loop));
  EXPECT_EQ(tree,
            "└── (T) Task-1\n"
            "    └──  tree_main here\n"
            "        └──  asyncio::task_group there\n"
            "            ├── (T) root1\n"
            "            │   └──  bloch here\n"
            "            │       └──  asyncio::task_group there\n"
            "            │           ├── (T) child1_1\n"
            "            │           │   └──  awaiter here\n"
            "            │           │       └──  awaiter2 here\n"
            "            │           │           └──  awaiter3 here\n"
            "            │           │               └── (T) timer\n"
            "            │           │                   └──  <lambda> here\n"
            "            │           │                       └──  waits for <TimerHandle when=3600.000000 of sleep()>\n"
            "            │           └── (T) child2_1\n"
            "            │               └──  awaiter here\n"
            "            │                   └──  awaiter2 here\n"
            "            │                       └──  awaiter3 here\n"
            "            │                           └── (T) timer (see above)\n"
            "            └── (T) root2\n"
            "                └──  bloch here\n"
            "                    └──  asyncio::task_group there\n"
            "                        ├── (T) child1_2\n"
            "                        │   └──  awaiter here\n"
            "                        │       └──  awaiter2 here\n"
            "                        │           └──  awaiter3 here\n"
            "                        │               └── (T) timer (see above)\n"
            "                        └── (T) child2_2\n"
            "                            └──  awaiter here\n"
            "                                └──  awaiter2 here\n"
            "                                    └──  awaiter3 here\n"
            "                                        └── (T) timer (see above)");
  const auto table = lines_of(format_task_table(loop));
  EXPECT_EQ(table.size(), 2u + 4 + 1 + 2 + 4);  // timer has four awaiters, Task-1 none
  EXPECT_NE(table[2].find(" <lambda>                                           awaiter3 -> awaiter2 -> awaiter "),
            std::string::npos)
      << table[2];
  main.cancel();
  loop.run_ticks(9);
}

TEST(TaskTreeOf, AGroupWhoseBodyWaitsForSomethingElse) {
  VirtualLoop loop;
  const Future<> future(loop);
  const auto main = create_task(
      [&]() -> Coro<> {
        co_await task_group([&](TaskGroup& group) -> Coro<> {
          group.create_task(ticks(20), {.name = "child"});
          co_await future;
        });
      },
      {.name = "main", .loop = &loop});
  loop.run_ticks(3);
  EXPECT_EQ(without_places(format_task_tree(loop)),
            "└── (T) main\n"
            "    └──  <lambda> here\n"
            "        └──  asyncio::task_group there\n"
            "            └──  <lambda> here\n"
            "                ├──  waits for <Future pending>\n"
            "                └── (T) child\n"
            "                    └──  asyncio::testing::ticks there");
  future.set_result();
  loop.run_until_complete(main);
}

TEST(TaskTreeOf, AGatherOfFutures) {
  VirtualLoop loop;
  const Future<> future(loop);
  const auto task = create_task([&]() -> Coro<> { co_await gather(future); }, {.name = "task", .loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(without_places(format_task_tree(loop)),
            "└── (T) task\n"
            "    └──  <lambda> here\n"
            "        └──  waits for <_GatheringFuture pending>");
  future.set_result();
  loop.run_until_complete(task);
}

}  // namespace
}  // namespace asyncio

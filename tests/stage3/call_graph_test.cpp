// capture_call_graph() and its kin, as far as they need only tasks. Those of the combinators: ../stage4.
#include <asyncio/async_generator.h>
#include <asyncio/call_graph.h>
#include <asyncio/run.h>
#include <support/call_graph.h>
#include <support/tasks.h>

#include <optional>
#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace testing;

std::uint32_t line_here(std::source_location where = std::source_location::current()) { return where.line(); }

// (A task whose result is a graph with the task in it would keep itself alive.)
Coro<> inner(std::optional<FutureCallGraph>& graph) {
  co_await tick();
  FutureCallGraph captured = co_await capture_call_graph();
  graph = captured;
}

Coro<> c1(std::optional<FutureCallGraph>& graph) { co_await inner(graph); }

Coro<> c2(std::optional<FutureCallGraph>& graph) { co_await create_task(c1(graph), {.name = "there there"}); }

Coro<> outer(std::optional<FutureCallGraph>& graph) { co_await c2(graph); }

// test_graph.py: CallStackTestBase.test_stack_task
TEST(CallGraph, ShowsTheCoroutinesOfATaskAndWhoAwaitsIt) {
  std::optional<FutureCallGraph> graph;
  run(outer(graph), make_core());
  EXPECT_EQ(walk(*graph), "T<there there> (a inner, a c1) [T<anon> (a c2, a outer) []]");
}

AsyncGenerator<int> numbers(std::optional<FutureCallGraph>& graph, std::string& text) {
  for (int i = 0; i < 2; ++i) {
    co_yield i;
    if (i == 0) continue;
    FutureCallGraph captured = co_await capture_call_graph();
    graph = captured;
    std::string formatted = co_await format_call_graph();
    text = formatted;
  }
}

Coro<> iterate(std::optional<FutureCallGraph>& graph, std::string& text) {
  const auto all = numbers(graph, text);
  while (const auto number = co_await all.next()) EXPECT_LT(*number, 2);
}

// test_graph.py: CallStackTestBase.test_stack_async_gen
TEST(CallGraph, GoesThroughAsynchronousGenerators) {
  std::optional<FutureCallGraph> graph;
  std::string text;
  run(iterate(graph, text), make_core());
  EXPECT_EQ(walk(*graph), "T<anon> (ag numbers, a iterate) []");
  EXPECT_NE(text.find(", in async generator numbers()\n"), std::string::npos) << text;
}

AsyncGenerator<int> waiting_numbers(const Future<>& future) {
  co_await future;
  co_yield 1;
}

Coro<> wait_for_number(const Future<>& future) {
  const auto all = waiting_numbers(future);
  const auto number = co_await all.next();
  EXPECT_TRUE(number);
}

TEST(CallGraph, OfATaskThatWaitsInsideAGeneratorIsNotCut) {
  run_virtual([]() -> Coro<> {
    const auto future = create_future();
    const auto task = create_task(wait_for_number(future), {.name = "reader"});
    co_await tick();
    EXPECT_EQ(walk(capture_call_graph(task)), "T<reader> (ag waiting_numbers, a wait_for_number) []");
    EXPECT_EQ(walk(capture_call_graph(future)), "F () [T<reader> (ag waiting_numbers, a wait_for_number) []]");
    future.set_result();
    co_await task;
  });
}

std::uint32_t awaits_in_line = 0;

Coro<> wait_here(const Future<>& future) {
  awaits_in_line = line_here() + 1;
  co_await future;
}

TEST(CallGraph, TellsFileAndLineOfTheAwait) {
  run_virtual([]() -> Coro<> {
    const auto future = create_future();
    const auto task = create_task(wait_here(future));
    const std::vector<FrameCallGraphEntry> before = task.get_stack();
    EXPECT_EQ(before.size(), 1u);
    EXPECT_EQ(before[0].line, before[0].where.line());  // it has not begun: the line of the function
    co_await tick();
    const FutureCallGraph graph = capture_call_graph(task);
    EXPECT_EQ(graph.call_stack().size(), 1u);
    EXPECT_EQ(graph.call_stack()[0].function(), "wait_here");
    EXPECT_EQ(graph.call_stack()[0].file(), "call_graph_test.cpp");
    EXPECT_EQ(graph.call_stack()[0].line, awaits_in_line);
    EXPECT_FALSE(graph.call_stack()[0].is_generator);
    EXPECT_EQ(graph.future(), task);
    future.set_result();
    co_await task;
    EXPECT_EQ(walk(capture_call_graph(task)), "T<anon> () []");  // done: no frames, and no crash
    EXPECT_EQ(walk(capture_call_graph(future)), "F () []");
  });
}

TEST(CallGraph, HasTheFormOfCPython) {
  run_virtual([]() -> Coro<> {
    const auto future = create_future();
    const auto task = create_task(wait_here(future), {.name = "it's"});
    co_await tick();
    std::ostringstream address, task_address;
    address << static_cast<const void*>(&future.state());
    task_address << static_cast<const void*>(&task.state());
    const std::string text = "* Future(id=" + address.str() + ")\n" +
                             "  + Awaited by:\n"
                             "    * Task(name=\"it's\", id=" +
                             task_address.str() + ")\n" +
                             "      + Call stack:\n"
                             "      |   File 'call_graph_test.cpp', line " +
                             std::to_string(awaits_in_line) + ", in async wait_here()";
    EXPECT_EQ(format_call_graph(future), text);
    std::ostringstream printed;
    print_call_graph(future, printed);
    EXPECT_EQ(printed.str(), text + "\n");
    future.set_result();
    co_await task;
  });
}

TEST(CallGraph, OfTheCallingTaskIsPrintedByAnAwait) {
  run_virtual([]() -> Coro<> {
    std::ostringstream printed;
    std::string formatted = co_await format_call_graph();
    co_await print_call_graph(printed);
    const auto lines = lines_of(printed.str());
    EXPECT_EQ(lines.size(), 4u) << printed.str();  // the last is empty
    EXPECT_TRUE(lines[0].starts_with("* Task(name='Task-"));
    EXPECT_EQ(lines[1], "  + Call stack:");
    EXPECT_TRUE(lines[2].starts_with("  |   File 'call_graph_test.cpp', line ")) << lines[2];
    EXPECT_TRUE(lines[2].ends_with(", in async <lambda>()")) << lines[2];
    EXPECT_EQ(lines_of(formatted)[0], lines[0]);
  });
}

Coro<> f3(const CallGraphOptions& options, std::string& stack, const Future<>& future) {
  FutureCallGraph graph = co_await capture_call_graph(options);
  stack = walk(graph);
  co_await future;
}
Coro<> f2(const CallGraphOptions& options, std::string& stack, const Future<>& future) {
  co_await f3(options, stack, future);
}
Coro<> f1(const CallGraphOptions& options, std::string& stack, const Future<>& future) {
  co_await f2(options, stack, future);
}

TEST(CallGraph, LimitAndDepthMeanWhatTheyMeanInCPython) {
  const auto stacks = [](CallGraphOptions options) {
    std::string own, others;
    run_virtual([&]() -> Coro<> {
      const auto future = create_future();
      const auto task = create_task(f1(options, own, future), {.name = "task"});
      co_await tick();
      others = walk(capture_call_graph(task, options));
      future.set_result();
      co_await task;
    });
    return own + " " + others;
  };
  const auto both = [](const std::string& stack) { return "T<task> (" + stack + ") [] T<task> (" + stack + ") []"; };
  EXPECT_EQ(stacks({}), both("a f3, a f2, a f1"));
  EXPECT_EQ(stacks({.limit = 2}), both("a f2, a f1"));
  EXPECT_EQ(stacks({.limit = 9}), both("a f3, a f2, a f1"));
  EXPECT_EQ(stacks({.limit = -2}), both("a f3, a f2"));
  EXPECT_EQ(stacks({.limit = -9}), both("a f3, a f2, a f1"));
  EXPECT_EQ(stacks({.limit = 0}), both(""));
  EXPECT_EQ(stacks({.depth = 2}), "T<task> (a f2, a f1) [] T<task> (a f3, a f2, a f1) []");
  EXPECT_EQ(stacks({.depth = 9}), "T<task> () [] T<task> (a f3, a f2, a f1) []");
}

Coro<> bar(std::optional<Task<>>& task, std::vector<FrameCallGraphEntry>& stack, std::string& text) {
  stack = task->get_stack(1);
  std::ostringstream out;
  task->print_stack(1, &out);
  text = out.str();
  co_return;
}
Coro<> foo(std::optional<Task<>>& task, std::vector<FrameCallGraphEntry>& stack, std::string& text) {
  co_await bar(task, stack, text);
}

// test_tasks.py: BaseTaskTests.test_get_stack
// test_pep492.py: CoroutineTests.test_task_print_stack
TEST(TaskStack, OfTheRunningTaskIsItsOutermostCoroutine) {
  std::optional<Task<>> task;
  std::vector<FrameCallGraphEntry> stack;
  std::string text;
  run_virtual([&]() -> Coro<> {
    task = create_task(foo(task, stack, text));
    co_await *task;
  });
  ASSERT_EQ(stack.size(), 1u);
  EXPECT_EQ(stack[0].function(), "foo");
  EXPECT_NE(text.find("foo() running at "), std::string::npos) << text;
  EXPECT_NE(text.find("(most recent call last):\n  File \"call_graph_test.cpp\", line "), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with(", in foo\n")) << text;
}

TEST(TaskStack, IsOldestFirstAndEmptyInTheEnd) {
  run_virtual([]() -> Coro<> {
    const auto future = create_future();
    std::string ignored;
    const CallGraphOptions options;
    const auto task = create_task(f1(options, ignored, future));
    co_await tick();
    const auto names = [&](std::optional<std::size_t> limit) {
      std::string all;
      for (const FrameCallGraphEntry& frame : task.get_stack(limit)) all += frame.function() + " ";
      return all;
    };
    EXPECT_EQ(names({}), "f1 f2 f3 ");
    EXPECT_EQ(names(2), "f2 f3 ");
    EXPECT_EQ(names(9), "f1 f2 f3 ");
    EXPECT_EQ(AnyTask(task).get_stack().size(), 3u);
    future.set_result();
    co_await task;
    EXPECT_EQ(names({}), "");
    std::ostringstream out;
    task.print_stack({}, &out);
    EXPECT_TRUE(out.str().starts_with("No stack for <Task finished ")) << out.str();
  });
}

// A frame that the running task has left is gone, and must not be looked at.
Coro<> leave_a_frame() { co_await tick(); }
Coro<> look_after_it(std::vector<FrameCallGraphEntry>& stack) {
  co_await leave_a_frame();
  stack = current_task().get_stack();
}

TEST(TaskStack, DoesNotLookIntoFramesThatMayBeGone) {
  std::vector<FrameCallGraphEntry> stack;
  run(look_after_it(stack), make_core());
  ASSERT_EQ(stack.size(), 1u);
  EXPECT_EQ(stack[0].function(), "look_after_it");
}

// As an eager task makes its first step, its creator is in the midst of one, too.
Coro<> look_at(const AnyTask& creator, std::string& seen) {
  for (const FrameCallGraphEntry& frame : creator.get_stack()) seen += frame.function();
  FutureCallGraph own = co_await capture_call_graph();
  seen += " " + walk(own);
}
Coro<> create_eagerly(std::string& seen) {
  co_await leave_a_frame();
  const AnyTask creator = current_task();
  const auto eager = create_task(look_at(creator, seen), {.name = "eager", .eager_start = true});
  co_await eager;
}

TEST(TaskStack, OfACreatorOfAnEagerTask) {
  std::string seen;
  run(create_eagerly(seen), make_core());
  EXPECT_EQ(seen, "create_eagerly T<eager> (a look_at) []");
}

// ── edges that somebody draws ───────────────────────────────────────────────────────────────────────────────────────

TEST(AwaitedBy, CanBeToldAndTakenBack) {
  run_virtual([]() -> Coro<> {
    const auto future = create_future<int>();
    const auto task = create_task(value_after(1h, 1), {.name = "combinator"});
    const auto combined = create_future<int>();
    co_await tick();
    future_add_to_awaited_by(future, task);
    future_add_to_awaited_by(future, task);  // counts once
    future_add_to_awaited_by(future, combined);
    EXPECT_EQ(walk(capture_call_graph(future, {.limit = 0})), "F () [F () [], T<combinator> () []]");
    future_discard_from_awaited_by(future, task);
    EXPECT_EQ(walk(capture_call_graph(future, {.limit = 0})), "F () [F () []]");
    future_discard_from_awaited_by(future, task);  // no effect
    future.set_result(1);
    EXPECT_EQ(walk(capture_call_graph(future)), "F () []");
    future_add_to_awaited_by(future, combined);  // done: nobody waits for it any more
    EXPECT_EQ(walk(capture_call_graph(future)), "F () []");
    co_await tick();
  });
}

TEST(AwaitedBy, EndsWithTheFuture) {
  run_virtual([]() -> Coro<> {
    const auto waiter = create_future();
    {
      const auto future = create_future();
      future_add_to_awaited_by(future, waiter);
      EXPECT_FALSE(waiter.state().unique());
    }
    EXPECT_TRUE(waiter.state().unique());
    co_return;
  });
}

// ── circles, diamonds, and depth ────────────────────────────────────────────────────────────────────────────────────

Coro<> await_ref(const Task<>& other) { co_await other; }
Coro<> await_future(const Future<>& future) { co_await future; }

/// A loop whose tasks need not end: closing it says nothing.
class QuietLoop : public VirtualLoop {
 public:
  QuietLoop() {
    set_exception_handler([](Loop&, const ErrorContext&) {});
  }
};

TEST(CallGraph, ACycleEnds) {
  QuietLoop loop;
  Task<> ping, pong;
  ping = create_task(await_ref(pong), {.name = "ping", .loop = &loop});
  pong = create_task(await_ref(ping), {.name = "pong", .loop = &loop});
  loop.run_ticks(1);
  const FutureCallGraph graph = capture_call_graph(ping);
  EXPECT_EQ(graph.awaited_by()[0].future(), pong);
  EXPECT_EQ(graph.awaited_by()[0].awaited_by()[0].future(), ping);
  const std::string text = format_call_graph(ping);
  EXPECT_EQ(lines_of(text).size(), 9u) << text;
  EXPECT_TRUE(text.ends_with(" (see above)")) << text;
}

// Each task awaits the two of the rung below: 2^40 ways lead from the top to the bottom.
Coro<> await_both(const Task<>& a, const Task<>& b) {
  future_add_to_awaited_by(a, current_task());
  co_await b;
}

TEST(CallGraph, ALadderOfDiamondsIsPrintedOnce) {
  constexpr int kRungs = 40;
  QuietLoop loop;
  const Future<> future(loop);
  std::vector<Task<>> a, b;
  a.reserve(kRungs);
  b.reserve(kRungs);
  a.push_back(create_task(await_future(future), {.loop = &loop}));
  b.push_back(create_task(await_future(future), {.loop = &loop}));
  for (std::size_t i = 1; i < kRungs; ++i) {
    a.push_back(create_task(await_both(a[i - 1], b[i - 1]), {.loop = &loop}));
    b.push_back(create_task(await_both(a[i - 1], b[i - 1]), {.loop = &loop}));
  }
  loop.run_ticks(1);
  EXPECT_LT(lines_of(format_call_graph(future)).size(), 6u * 2 * kRungs);
  EXPECT_LT(lines_of(format_task_tree(loop)).size(), 6u * 2 * kRungs);
}

TEST(CallGraph, AChainAsLongAsMemoryAllowsIsNotTooDeep) {
  constexpr std::size_t kTasks = 60'000;
  QuietLoop loop;
  const Future<> future(loop);
  std::vector<Task<>> tasks;
  tasks.reserve(kTasks);
  tasks.push_back(create_task(await_future(future), {.loop = &loop}));
  while (tasks.size() < kTasks) tasks.push_back(create_task(await_ref(tasks.back()), {.loop = &loop}));
  loop.run_ticks(1);
  const std::string graph = format_call_graph(future, {.limit = 1});
  EXPECT_LT(graph.size(), 1000 * kTasks);  // not the square of it
  EXPECT_NE(graph.find(tasks.back().get_name()), std::string::npos);
  const std::string tree = format_task_tree(loop);
  EXPECT_LT(tree.size(), 1000 * kTasks);
  EXPECT_NE(tree.find("(T) " + tasks.front().get_name() + "\n"), std::string::npos);
  EXPECT_EQ(tree.find("cycle"), std::string::npos);
}

Coro<> nested(int depth, const Future<>& future) {
  if (depth > 0) co_await nested(depth - 1, future);
  co_await future;
}

TEST(CallGraph, OfManyFramesTheTreeShowsBothEnds) {
  QuietLoop loop;
  const Future<> future(loop);
  const auto task = create_task(nested(999, future), {.name = "deep", .loop = &loop});
  loop.run_ticks(1);
  const auto lines = lines_of(format_task_tree(loop));
  EXPECT_EQ(lines.size(), 1u + 32 + 1 + 1);
  EXPECT_TRUE(lines[17].ends_with("└──  … 968 more …")) << lines[17];
  EXPECT_EQ(capture_call_graph(task).call_stack().size(), 1000u);
}

// ── all tasks of a loop ─────────────────────────────────────────────────────────────────────────────────────────────

// test_tools.py: TestAsyncioToolsBasic.test_empty_input_tree
// test_tools.py: TestAsyncioToolsBasic.test_empty_input_table
TEST(TaskTree, OfALoopWithoutTasksIsEmpty) {
  VirtualLoop loop;
  EXPECT_EQ(format_task_tree(loop), "");
  const auto lines = lines_of(format_task_table(loop));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0],
            "tid        task id              task name            coroutine stack                                    "
            "awaiter chain                                      awaiter name    awaiter id     ");
  EXPECT_EQ(lines[1], std::string(180, '-'));
}

// test_tools.py: TestAsyncioToolsBasic.test_only_independent_tasks_tree
// test_tools.py: TestAsyncioToolsBasic.test_only_independent_tasks_table
// test_tools.py: TestAsyncioToolsBasic.test_single_task_tree
// test_tools.py: TestAsyncioToolsBasic.test_single_task_table
TEST(TaskTree, TasksThatNobodyAwaitsAreRoots) {
  QuietLoop loop;
  const Future<> future(loop);
  const auto a = create_task(await_future(future), {.name = "taskA", .loop = &loop});
  const auto b = create_task(await_future(future), {.name = "taskB", .loop = &loop});
  EXPECT_EQ(without_places(format_task_tree(loop)),
            "└── (T) taskA\n"
            "    └──  await_future here\n"
            "└── (T) taskB\n"
            "    └──  await_future here");
  loop.run_ticks(1);
  EXPECT_EQ(without_places(format_task_tree(loop)),
            "└── (T) taskA\n"
            "    └──  await_future here\n"
            "        └──  waits for <Future pending>\n"
            "└── (T) taskB\n"
            "    └──  await_future here\n"
            "        └──  waits for <Future pending>");
  const auto lines = lines_of(format_task_table(loop));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines[2].ends_with(" taskA                await_future" + std::string(38 + 1 + 50 + 1 + 15 + 1, ' ') +
                                 "0x0            "))
      << lines[2];
}

// test_tools.py: TestAsyncioToolsBasic.test_complex_tree
// test_tools.py: TestAsyncioToolsBasic.test_complex_table
// test_tools.py: TestAsyncioToolsBasic.test_table_output_format
TEST(TaskTree, ATaskStandsBelowTheLineThatAwaitsIt) {
  QuietLoop loop;
  const Future<> future(loop);
  const auto leaf = create_task(nested(1, future), {.name = "leaf", .loop = &loop});
  const auto middle = create_task(await_ref(leaf), {.name = "middle", .loop = &loop});
  const auto root = create_task(await_ref(middle), {.name = "root", .loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(without_places(format_task_tree(loop)),
            "└── (T) root\n"
            "    └──  await_ref here\n"
            "        └── (T) middle\n"
            "            └──  await_ref here\n"
            "                └── (T) leaf\n"
            "                    └──  nested here\n"
            "                        └──  nested here\n"
            "                            └──  waits for <Future pending>");
  const auto id = [](const Task<>& task) {
    std::ostringstream text;
    text << static_cast<const void*>(&task.state());
    return text.str();
  };
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text + ' ';
  };
  const auto lines = lines_of(format_task_table(loop));
  ASSERT_EQ(lines.size(), 5u);
  const std::string row = padded(id(leaf), 20) + padded("leaf", 20) + padded("nested -> nested", 50) +
                          padded("await_ref", 50) + padded("middle", 15) + padded(id(middle), 14);
  EXPECT_TRUE(lines[2].ends_with(row)) << lines[2] << "\n" << row;
}

// The expected texts are those of CPython's repr(), of bytes decoded with surrogateescape.
TEST(TaskRepr, QuotesTheNameAsPythonDoes) {
  struct Row {
    std::string name, repr;
  };
  const std::vector<Row> rows = {
      {"plain", "'plain'"},
      {"it's", "\"it's\""},
      {"say \"hi\"", "'say \"hi\"'"},
      {"both ' and \"", "'both \\' and \"'"},
      {"a\012b\015\011c", "'a\\nb\\r\\tc'"},
      {"back\\slash", "'back\\\\slash'"},
      {std::string("nul\000", 4), "'nul\\x00'"},
      {"\033[31m\177", "'\\x1b[31m\\x7f'"},
      {"\303\251 \346\274\242 \360\237\231\202", "'\303\251 \346\274\242 \360\237\231\202'"},
      {"\302\205\302\240\302\255", "'\\x85\\xa0\\xad'"},
      {"\342\200\250\342\200\256\342\200\213\357\273\277", "'\\u2028\\u202e\\u200b\\ufeff'"},
      {"\363\240\200\201", "'\\U000e0001'"},
      {"", "''"},
      {"\377\300\257x\355\240\200\342\202", "'\\udcff\\udcc0\\udcafx\\udced\\udca0\\udc80\\udce2\\udc82'"},
  };
  QuietLoop loop;
  const Future<> future(loop);
  for (const Row& row : rows) {
    const auto task = create_task(nested(0, future), {.name = row.name, .loop = &loop});
    const std::string name = row.name.empty() ? "'" + task.get_name() + "'" : row.repr;  // "": it is given a name
    EXPECT_EQ(task.repr().find(" name=" + name + " coro=<"), std::string("<Task pending").size()) << task.repr();
    EXPECT_TRUE(format_call_graph(task).starts_with("* Task(name=" + name + ", id=0x")) << format_call_graph(task);
  }
}

TEST(TaskRepr, TheTextOfAnErrorStaysOnItsLine) {
  QuietLoop loop;
  const Future<> future(loop);
  future.set_exception(std::make_exception_ptr(std::runtime_error("first\nsecond")));
  EXPECT_EQ(future.repr(), "<Future finished exception='std::runtime_error: first\\nsecond'>");
  EXPECT_NE(future.exception(), nullptr);  // retrieved
}

// A name with a line break would forge rows.
TEST(TaskTree, ANameStaysOnItsLine) {
  QuietLoop loop;
  const Future<> future(loop);
  const auto leaf = create_task(nested(1, future), {.name = "leaf\n└── (T) forged", .loop = &loop});
  const auto root = create_task(await_ref(leaf), {.name = "it's\troot", .loop = &loop});
  loop.run_ticks(1);
  const std::string tree = format_task_tree(loop), table = format_task_table(loop);
  EXPECT_EQ(tree.find("└── (T) \"it's\\troot\"\n"), 0u) << tree;
  EXPECT_NE(tree.find("(T) 'leaf\\n└── (T) forged'\n"), tree.npos) << tree;
  EXPECT_EQ(lines_of(table).size(), 4u) << table;
}

// test_tools.py: TestAsyncioToolsBasic.test_deep_coroutine_chain
TEST(TaskTree, ShowsTheOutermostCoroutineFirst) {
  QuietLoop loop;
  const Future<> future(loop);
  const CallGraphOptions options;
  std::string ignored;
  const auto leaf = create_task(f1(options, ignored, future), {.name = "root", .loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(without_places(format_task_tree(loop)),
            "└── (T) root\n"
            "    └──  f1 here\n"
            "        └──  f2 here\n"
            "            └──  f3 here\n"
            "                └──  waits for <Future pending>");
}

// test_tools.py: TestAsyncioToolsEdgeCases.test_duplicate_coroutine_frames
TEST(TaskTree, ATaskThatTwoAwaitIsShownBelowBothButOnceInFull) {
  QuietLoop loop;
  const Future<> future(loop);
  const auto both = create_task(await_future(future), {.name = "Task-of-both", .loop = &loop});
  const auto a = create_task(await_ref(both), {.name = "a", .loop = &loop});
  const auto b = create_task(await_ref(both), {.name = "b", .loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(without_places(format_task_tree(loop)),
            "└── (T) a\n"
            "    └──  await_ref here\n"
            "        └── (T) Task-of-both\n"
            "            └──  await_future here\n"
            "                └──  waits for <Future pending>\n"
            "└── (T) b\n"
            "    └──  await_ref here\n"
            "        └── (T) Task-of-both (see above)");
  EXPECT_EQ(lines_of(format_task_table(loop)).size(), 2u + 2 + 1 + 1);  // a line for each who waits
}

// test_tools.py: TestAsyncioToolsBasic.test_cycle_detection
// test_tools.py: TestAsyncioToolsTree.test_asyncio_utils_cycles
TEST(TaskTree, CyclesAreNamedFirst) {
  QuietLoop loop;
  Task<> ping, pong;
  const auto main = create_task(await_ref(ping), {.name = "main", .loop = &loop});
  ping = create_task(await_ref(pong), {.name = "ping", .loop = &loop});
  pong = create_task(await_ref(ping), {.name = "pong", .loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(without_places(format_task_tree(loop)),
            "ERROR: await-graph contains cycles\n"
            "\n"
            "cycle: ping → pong → ping\n"
            "\n"
            "└── (T) main\n"
            "    └──  await_ref here\n"
            "        └── (T) ping\n"
            "            └──  await_ref here\n"
            "                └── (T) pong\n"
            "                    └──  await_ref here\n"
            "                        └── (T) ping (see above)");
  EXPECT_EQ(lines_of(format_task_table(loop)).size(), 2u + 1 + 2 + 1);
}

// test_tools.py: TestAsyncioToolsBasic.test_multiple_cycles_same_node
TEST(TaskTree, TwoCyclesThroughOneTaskAreTwo) {
  QuietLoop loop;
  Task<> a, b, c;
  a = create_task(await_ref(c), {.name = "A", .loop = &loop});
  b = create_task(await_both(c, a), {.name = "B", .loop = &loop});
  c = create_task(await_ref(b), {.name = "C", .loop = &loop});
  loop.run_ticks(1);
  const auto lines = lines_of(format_task_tree(loop));
  EXPECT_EQ(lines[2], "cycle: A → C → B → A");
  EXPECT_EQ(lines[3], "cycle: C → B → C");
  EXPECT_EQ(lines[4], "");
}

// test_tools.py: TestAsyncioToolsEdgeCases.test_task_awaits_self
TEST(TaskTree, ATaskThatWaitsForItselfIsACycle) {
  QuietLoop loop;
  const Future<> future(loop);
  const auto task = create_task(await_future(future), {.name = "Self-Awaiter", .loop = &loop});
  loop.run_ticks(1);
  future_add_to_awaited_by(task, task);  // an await would throw
  EXPECT_EQ(lines_of(format_task_tree(loop))[2], "cycle: Self-Awaiter → Self-Awaiter");
  future_discard_from_awaited_by(task, task);
}

// test_tools.py: TestAsyncioToolsEdgeCases.test_task_with_missing_awaiter_id
TEST(TaskTree, APlainFutureThatWaitsHasARowButNoPlaceInTheTree) {
  QuietLoop loop;
  const Future<> future(loop), combined(loop);
  const auto task = create_task(await_future(future), {.name = "task", .loop = &loop});
  future_add_to_awaited_by(task, combined);
  const auto lines = lines_of(format_task_table(loop));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[2].find(" Future          0x"), std::string::npos) << lines[2];
  EXPECT_EQ(lines_of(format_task_tree(loop)).size(), 2u);
}

TEST(TaskTree, TellsWhatASleepingTaskWaitsFor) {
  QuietLoop loop;
  const auto sleeper = create_task(ticks(1), {.name = "yields", .loop = &loop});
  const auto other = create_task([]() -> Coro<> { co_await sleep(2s); }, {.name = "sleeps", .loop = &loop});
  loop.run_ticks(1);
  EXPECT_EQ(without_places(format_task_tree(loop)),
            "└── (T) yields\n"
            "    └──  asyncio::testing::ticks there\n"  // it waits for nothing but its turn
            "└── (T) sleeps\n"
            "    └──  <lambda> here\n"
            "        └──  waits for <TimerHandle when=2.000000 of sleep()>");
}

// ── programs that hang ──────────────────────────────────────────────────────────────────────────────────────────────

TEST(Hanging, ALoopThatWouldWaitForEverSaysWhoWaitsForWhom) {
  const auto forgotten = []() -> Coro<> {
    const auto reply = create_future<int>();
    const auto reader = create_task([&]() -> Coro<> { co_await reply; }, {.name = "reader"});
    co_await reader;
  };
  const std::string message = thrown<std::logic_error>([&] { run_virtual(forgotten); });
  EXPECT_NE(message.find("the loop would wait for ever\n└── (T) Task-"), std::string::npos) << message;
  EXPECT_TRUE(
      without_places(message).ends_with("\n    └──  <lambda> here\n"
                                        "        └── (T) reader\n"
                                        "            └──  <lambda> here\n"
                                        "                └──  waits for <Future pending>"))
      << message;
}

TEST(Hanging, RunInDebugModeReportsATaskThatSwallowsItsCancel) {
  std::vector<ErrorContext> errors;
  const auto stubborn = []() -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (...) {  // also CancelledError
    }
    co_await sleep(1h);
  };
  const auto main = [&]() -> Coro<> {
    Loop::running().set_exception_handler([&](Loop&, const ErrorContext& error) { errors.push_back(error); });
    create_task(stubborn, {.name = "stubborn"});
    co_await tick();
  };
  run(main, make_core(), false);
  EXPECT_TRUE(errors.empty());  // not without debug mode
  run(main, make_core(), true);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].message, "asyncio.run() has cancelled all tasks, and still waits for some of them to end");
  EXPECT_EQ(without_places(errors[0].detail("tasks")),
            "\n└── (T) stubborn (cancelled at there)\n"
            "    └──  <lambda> here\n"
            "        └──  waits for <TimerHandle when=3600.000000 of sleep()>");
}

TEST(Hanging, ACleanUpThatEndsInTimeIsNotReported) {
  std::vector<ErrorContext> errors;
  const auto main = [&]() -> Coro<> {
    Loop::running().set_exception_handler([&](Loop&, const ErrorContext& error) { errors.push_back(error); });
    create_task([]() -> Coro<> {
      bool cancelled = false;
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        cancelled = true;
      }
      if (cancelled) co_await sleep(4s);
    });
    co_await tick();
  };
  run(main, make_core(), true);
  EXPECT_TRUE(errors.empty());
}

}  // namespace
}  // namespace asyncio

// Compiles and runs every form of coroutine code in our README, lessons and demos. g++ 12 silently miscompiles some
// forms near co_await: it destroys temporaries twice or never. Counted values reveal this.
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/test_core.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::Counted;
using testing::make_core;
using testing::MoveOnly;

Coro<Counted> make(int value) {
  co_await sleep(0s);
  co_return Counted(value);
}
Coro<std::string> text(std::string value) {
  co_await sleep(0s);
  co_return value;
}
Coro<std::vector<Counted>> several(int count) {
  std::vector<Counted> values;
  for (int i = 0; i < count; ++i) {
    Counted value = co_await make(i);
    values.push_back(std::move(value));
  }
  co_return values;
}

/// Runs the body; checks that each object made in it is destroyed once.
template <class Body>
auto checked(Body body) {
  Counted::reset();
  struct CheckAtEnd {
    ~CheckAtEnd() { EXPECT_EQ(Counted::alive, 0); }
  } const check;
  return run(body, make_core());
}

// ── the one rule: await into a named variable, at statement level ──

TEST(Forms, AwaitIntoANamedVariable) {
  auto body = []() -> Coro<int> {
    Counted first = co_await make(1);
    const Counted second = co_await make(2);
    auto third = co_await make(3);
    const auto& fourth = co_await make(4);  // the temporary lives as long as the reference
    co_return first.value + second.value + third.value + fourth.value;
  };
  EXPECT_EQ(checked(body), 10);
}

TEST(Forms, AwaitIntoAnExistingVariable) {
  auto body = []() -> Coro<int> {
    Counted value(0);
    value = co_await make(1);
    int number = 0;
    number += (co_await make(2)).value;
    co_return value.value + number;
  };
  EXPECT_EQ(checked(body), 3);
}

TEST(Forms, AwaitAsAStatementDropsTheValue) {
  auto body = []() -> Coro<> {
    co_await make(1);
    EXPECT_EQ(Counted::alive, 0);
    static_cast<void>(co_await make(2));
    EXPECT_EQ(Counted::alive, 0);
  };
  checked(body);
}

TEST(Forms, AwaitInAReturn) {
  auto pass_on = []() -> Coro<Counted> { co_return co_await make(5); };
  auto body = [&]() -> Coro<int> {
    Counted value = co_await pass_on();
    co_return value.value;
  };
  EXPECT_EQ(checked(body), 5);
}

TEST(Forms, AwaitInAnArithmeticExpression) {
  auto number = [](int value) -> Coro<int> {
    co_await sleep(0s);
    co_return value;
  };
  auto body = [&]() -> Coro<int> {
    int sum = co_await number(1) + co_await number(2) * 10;
    co_return sum;
  };
  EXPECT_EQ(checked(body), 21);
}

TEST(Forms, AwaitAsAFunctionArgument) {
  auto add = [](const Counted& a, const Counted& b) { return a.value + b.value; };
  auto body = [&]() -> Coro<int> {
    int sum = add(co_await make(1), co_await make(2));
    co_return sum;
  };
  EXPECT_EQ(checked(body), 3);
}

TEST(Forms, AwaitWithArgumentsThatAreTemporaries) {
  auto join = [](std::string a, const std::string& b, Counted) -> Coro<std::string> {
    co_await sleep(0s);
    co_return a + b;
  };
  auto body = [&]() -> Coro<std::string> {
    std::string joined = co_await join("a longer text that is on the heap ", std::string(30, 'x'), Counted(1));
    co_return joined;
  };
  EXPECT_EQ(checked(body).size(), 64u);
}

TEST(Forms, AwaitInAConditionOnceTheBodyHasALocalVariable) {
  auto body = []() -> Coro<int> {
    int rounds = 0;
    while ((co_await make(rounds)).value < 3) ++rounds;
    if ((co_await make(rounds)).value == 3) rounds += 10;
    co_return rounds;
  };
  EXPECT_EQ(checked(body), 13);
}

TEST(Forms, AwaitInALoopOverWhatAnAwaitGave) {
  auto body = []() -> Coro<int> {
    int sum = 0;
    for (const Counted& value : co_await several(4)) sum += value.value;
    for (Counted& value : co_await several(4)) {
      Counted more = co_await make(value.value);
      sum += more.value;
    }
    co_return sum;
  };
  EXPECT_EQ(checked(body), 12);
}

TEST(Forms, AwaitWithStructuredBindings) {
  auto pair = []() -> Coro<std::pair<Counted, std::string>> {
    co_await sleep(0s);
    co_return {Counted(1), "one"};
  };
  auto tuple = []() -> Coro<std::tuple<Counted, int>> { co_return {Counted(2), 3}; };
  auto body = [&]() -> Coro<int> {
    auto [value, name] = co_await pair();
    const auto& [other, number] = co_await tuple();
    EXPECT_EQ(name, "one");
    co_return value.value + other.value + number;
  };
  EXPECT_EQ(checked(body), 6);
}

TEST(Forms, AwaitInATryBlockAndRethrow) {
  Counted::reset();
  auto body = []() -> Coro<std::string> {
    Counted local(1);
    try {
      Counted inner(2);
      co_await sleep(0s);
      throw std::runtime_error("text of the error");
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
  };
  EXPECT_EQ(checked(body), "text of the error");
}

// ── lambdas ──

TEST(Forms, ALambdaThatCapturesByReferenceInline) {
  auto body = []() -> Coro<int> {
    Counted local(1);
    int seen = 0;
    Task<> task = create_task([&]() -> Coro<> {
      co_await sleep(1s);
      seen = local.value;
    });
    co_await task;
    co_await create_task([&]() -> Coro<> {
      seen += 10;
      co_return;
    });
    co_return seen;
  };
  EXPECT_EQ(checked(body), 11);
}

TEST(Forms, ANamedLambdaThatCapturesByValueCopiedOrMovedIn) {
  auto body = []() -> Coro<int> {
    auto work = [value = Counted(4), name = std::string(40, 'n')]() -> Coro<int> {
      co_await sleep(1s);
      co_return value.value + static_cast<int>(name.size());
    };
    int copied = co_await create_task(work);
    int moved = co_await create_task(std::move(work));
    co_return copied + moved;
  };
  EXPECT_EQ(checked(body), 88);
}

TEST(Forms, ALambdaThatCapturesByValueInAStatementWithoutAwait) {
  auto body = []() -> Coro<int> {
    Task<int> task = create_task([value = Counted(6)]() -> Coro<int> {
      co_await sleep(1s);
      co_return value.value;
    });
    int value = co_await task;
    co_return value;
  };
  EXPECT_EQ(checked(body), 6);
}

TEST(Forms, ACallbackThatCapturesByValue) {
  auto body = []() -> Coro<int> {
    int seen = 0;
    Future<> called = create_future();
    Loop::running().call_soon([&seen, called, value = Counted(7)] {
      seen = value.value;
      called.set_result();
    });
    co_await called;
    Loop::running().call_later(1s, [&seen, value = Counted(10)] { seen += value.value; });
    co_await sleep(2s);
    co_return seen;
  };
  EXPECT_EQ(checked(body), 17);
}

TEST(Forms, ALambdaWithParametersAsACoroutine) {
  auto body = []() -> Coro<int> {
    auto worker = [](std::string name, Counted value) -> Coro<int> {
      co_await sleep(1s);
      co_return static_cast<int>(name.size()) + value.value;
    };
    int sum = co_await worker("name", Counted(1));
    Task<int> task = create_task(worker("longer name", Counted(2)));
    sum += co_await task;
    co_return sum;
  };
  EXPECT_EQ(checked(body), 18);
}

// ── options, handles, futures ──

TEST(Forms, OptionsWithDesignatedInitialisersNextToAnAwait) {
  auto body = []() -> Coro<int> {
    Counted first = co_await create_task(make(1), {.name = "first"});
    const std::string name = "second";
    Counted second = co_await create_task(make(2), {.name = name, .loop = &Loop::running()});
    Counted third = co_await create_task(make(3), TaskOptions{.name = std::string("third") + " task"});
    co_return first.value + second.value + third.value;
  };
  EXPECT_EQ(checked(body), 6);
}

TEST(Forms, AwaitOfANewTaskAndOfAMovedOne) {
  auto body = []() -> Coro<int> {
    Counted first = co_await create_task(make(1));
    Task<Counted> task = create_task(make(2));
    Counted second = co_await std::move(task);
    co_return first.value + second.value;
  };
  EXPECT_EQ(checked(body), 3);
}

TEST(Forms, AwaitOfAFutureThatIsCopiedForTheAwait) {
  auto body = []() -> Coro<int> {
    Future<Counted> future = create_future<Counted>();
    Loop::running().call_soon([future] { future.set_result(Counted(3)); });
    Counted value = co_await Future<Counted>(future);
    const Counted& same = co_await future;
    co_return value.value + same.value;
  };
  EXPECT_EQ(checked(body), 6);
}

TEST(Forms, VectorsOfTasksFilledInALoopAndAwaitedInOrder) {
  auto body = []() -> Coro<int> {
    std::vector<Task<Counted>> tasks;
    for (int i = 0; i < 5; ++i) tasks.push_back(create_task(make(i)));
    int sum = 0;
    for (const Task<Counted>& task : tasks) {
      const Counted& value = co_await task;
      sum += value.value;
    }
    co_return sum;
  };
  EXPECT_EQ(checked(body), 10);
}

TEST(Forms, AwaitIntoElementsOfContainers) {
  auto body = []() -> Coro<std::string> {
    std::map<int, std::string> names;
    std::vector<std::string> list;
    for (int i = 0; i < 3; ++i) {
      std::string name = co_await text(std::string(20, static_cast<char>('a' + i)));
      names[i] = name;
      list.push_back(std::move(name));
    }
    co_return names[0].substr(0, 1) + list[2].substr(0, 1);
  };
  EXPECT_EQ(checked(body), "ac");
}

TEST(Forms, AwaitOfACoroHeldInAVariable) {
  auto body = []() -> Coro<int> {
    Coro<Counted> later = make(1);
    co_await sleep(1s);
    Counted value = co_await std::move(later);
    co_return value.value;
  };
  EXPECT_EQ(checked(body), 1);
}

TEST(Forms, AnOptionalAndAUniquePtrFromAnAwait) {
  auto maybe = [](bool yes) -> Coro<std::optional<Counted>> {
    if (!yes) co_return std::nullopt;
    co_return Counted(1);
  };
  auto owned = []() -> Coro<std::unique_ptr<Counted>> { co_return std::make_unique<Counted>(2); };
  auto body = [&]() -> Coro<int> {
    std::optional<Counted> some = co_await maybe(true);
    std::optional<Counted> none = co_await maybe(false);
    std::unique_ptr<Counted> pointer = co_await owned();
    co_return some->value + pointer->value + (none ? 100 : 0);
  };
  EXPECT_EQ(checked(body), 3);
}

TEST(Forms, AGuardHeldAcrossAwaits) {
  class Guard {
   public:
    explicit Guard(int& depth) : depth_(&depth) { ++*depth_; }
    Guard(Guard&& other) noexcept : depth_(std::exchange(other.depth_, nullptr)) {}
    Guard& operator=(Guard&&) = delete;
    ~Guard() {
      if (depth_) --*depth_;
    }

   private:
    int* depth_;
  };
  auto body = []() -> Coro<int> {
    int depth = 0;
    auto enter = [&]() -> Coro<Guard> {
      co_await sleep(0s);
      co_return Guard(depth);
    };
    {
      auto guard = co_await enter();
      co_await sleep(1s);
      EXPECT_EQ(depth, 1);
    }
    co_return depth;
  };
  EXPECT_EQ(checked(body), 0);
}

TEST(Forms, AMemberFunctionOfAClassWithAConstructor) {
  class Client {
   public:
    explicit Client(std::string name) : name_(std::move(name)) {}
    Coro<std::string> fetch(int number) {
      std::string page = co_await text(name_ + " " + std::to_string(number));
      co_return page;
    }

   private:
    std::string name_;
  };
  auto body = []() -> Coro<std::string> {
    Client client("a client with a long name");
    Task<std::string> task = create_task(client.fetch(1));
    std::string direct = co_await client.fetch(2);
    std::string& page = direct;
    const std::string& other = co_await task;
    co_return page.substr(page.size() - 1) + other.substr(other.size() - 1);
  };
  EXPECT_EQ(checked(body), "21");
}

}  // namespace
}  // namespace asyncio

// Context variables: contexts themselves, and the callbacks that run in them.
#include <asyncio/loop.h>
#include <gtest/gtest.h>
#include <support/counted.h>
#include <support/test_core.h>
#include <support/thrown.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::Counted;
using testing::ErrorLog;
using testing::thrown;
using testing::VirtualLoop;

const ContextVar<int> number("number");
const ContextVar<std::string> name("name", "nobody");

TEST(ContextVar, GivesItsValueItsDefaultOrTheFallback) {
  const Context context;
  context.run([] {
    EXPECT_EQ(name.get(), "nobody");
    EXPECT_EQ(name.get("you"), "you");
    EXPECT_EQ(number.get(3), 3);
    EXPECT_EQ(thrown<LookupError>([] { number.get(); }), "context variable 'number' has no value");
    number.set(7);
    EXPECT_EQ(number.get(), 7);
    EXPECT_EQ(number.get(3), 7);
  });
  EXPECT_EQ(number.name(), "number");
}

TEST(ContextVar, ATokenTakesASetBack) {
  Context().run([] {
    auto first = number.set(1);
    auto second = number.set(2);
    number.reset(second);
    EXPECT_EQ(number.get(), 1);
    number.reset(first);
    EXPECT_THROW(number.get(), LookupError);
    EXPECT_EQ(thrown<std::runtime_error>([&] { number.reset(first); }), "the token has already been used once");
  });
}

TEST(ContextVar, AScopedTokenTakesASetBackAtItsEnd) {
  Context().run([] {
    {
      const auto token = number.scoped(1);
      {
        const auto inner = number.scoped(2);
        EXPECT_EQ(number.get(), 2);
      }
      EXPECT_EQ(number.get(), 1);
    }
    EXPECT_THROW(number.get(), LookupError);
    EXPECT_THROW(
        {
          const auto token = name.scoped("in here");
          EXPECT_EQ(name.get(), "in here");
          throw std::runtime_error("x");
        },
        std::runtime_error);
    EXPECT_EQ(name.get(), "nobody");
  });
}

TEST(ContextVar, AScopedTokenLeavesWhatWasSetOfOthers) {
  Context().run([] {
    {
      const auto token = number.scoped(1);
      name.set("set inside");
      number.set(5);
    }
    EXPECT_EQ(number.get(-1), -1);
    EXPECT_EQ(name.get(), "set inside");
  });
}

TEST(ContextVar, AScopedTokenRestoresTheContextInWhichItWasSet) {
  const Context first;
  using Token = decltype(number.scoped(0));
  std::unique_ptr<Token> token;
  first.run([&] { token.reset(new Token(number.scoped(1))); });
  EXPECT_EQ(first.get(number), 1);
  const Context second;
  second.run([&] {
    number.set(2);
    token.reset();
    EXPECT_EQ(number.get(), 2);
  });
  EXPECT_EQ(first.get(number), std::nullopt);
}

TEST(ContextVar, ATokenOfAnotherVariableOrContextIsRefused) {
  const ContextVar<int> other("other");
  Context().run([&] {
    auto token = number.set(1);
    // Tokens of two variables of one type look alike to the compiler.
    EXPECT_EQ(thrown<std::invalid_argument>([&] { other.reset(token); }),
              "the token was created by a different ContextVar");
    copy_context().run([&] {
      EXPECT_EQ(thrown<std::invalid_argument>([&] { number.reset(token); }),
                "the token was created in a different Context");
    });
    number.reset(token);
  });
}

TEST(Context, KeepsWhatIsSetInItAndNothingElseDoes) {
  const Context context;
  context.run([] { number.set(5); });
  EXPECT_EQ(context.get(number), 5);
  EXPECT_EQ(context.get(name), std::nullopt);
  EXPECT_EQ(context.size(), 1u);
  EXPECT_THROW(number.get(), LookupError);  // not out here
  EXPECT_EQ(context.run([] { return number.get(); }), 5);
}

TEST(Context, ACopySharesTheValuesUntilOneIsChanged) {
  const Context context;
  context.run([] { number.set(1); });
  const Context copy = context.copy();
  copy.run([] {
    number.set(2);
    name.set("copy");
  });
  EXPECT_EQ(context.get(number), 1);
  EXPECT_EQ(context.size(), 1u);
  EXPECT_EQ(copy.get(number), 2);
  EXPECT_EQ(copy.get(name), "copy");
  EXPECT_FALSE(context == copy);
}

TEST(Context, CannotBeEnteredTwice) {
  const Context context;
  context.run([&] {
    const char* const error = "cannot enter context: it is already entered";
    EXPECT_EQ(thrown<std::runtime_error>([&] { context.run([] {}); }), error);
    Context().run([&] { EXPECT_EQ(thrown<std::runtime_error>([&] { context.run([] {}); }), error); });
  });
  context.run([] {});  // and again it can
}

TEST(Context, AnExceptionLeavesItInOrder) {
  const Context context;
  EXPECT_THROW(context.run([] {
    number.set(1);
    throw std::runtime_error("x");
  }),
               std::runtime_error);
  EXPECT_THROW(number.get(), LookupError);
  EXPECT_EQ(context.get(number), 1);
  context.run([] {});
}

TEST(Context, ValuesLiveAsLongAsAContextThatHasThem) {
  Counted::reset();
  const ContextVar<std::shared_ptr<Counted>> held("held", nullptr);
  {
    Context context;
    context.run([&] { held.set(std::make_shared<Counted>()); });
    const Context copy = context.copy();
    context.run([&] { held.set(nullptr); });
    EXPECT_EQ(Counted::alive, 1);
  }
  EXPECT_EQ(Counted::alive, 0);
}

// ── callbacks ──

TEST(CallbackContext, IsACopyOfTheOneInWhichItWasScheduled) {
  VirtualLoop loop;
  std::vector<int> seen;
  Context().run([&] {
    number.set(1);
    loop.call_soon([&] {
      seen.push_back(number.get());
      number.set(100);  // its own: nobody else sees it, but what it schedules
      loop.call_soon([&] { seen.push_back(number.get()); });
    });
    number.set(2);
    loop.call_later(0s, [&] { seen.push_back(number.get()); });
    loop.call_soon_threadsafe([&] { seen.push_back(number.get()); });
    number.set(3);
  });
  loop.call_soon([&] { seen.push_back(number.get(-1)); });
  loop.run_ticks(3);
  EXPECT_EQ(seen, (std::vector{1, 2, -1, 2, 100}));
}

// test_events.py: EventLoopTestsMixin.test_call_soon
TEST(CallbackContext, CanBeGivenAndThenKeepsWhatTheCallbackSets) {
  VirtualLoop loop;
  const Context context;
  loop.call_soon([] { number.set(1); }, context);
  loop.call_later(
      0s, [] { number.set(number.get() + 10); }, context);
  loop.call_soon_threadsafe([] { number.set(number.get() + 100); }, context);
  loop.call_at(
      loop.time(), [] { number.set(number.get() * 2); }, context);
  loop.run_ticks(1);
  EXPECT_EQ(context.get(number), 222);
}

TEST(CallbackContext, IsWhatItsHandleTells) {
  VirtualLoop loop;
  const Context context;
  EXPECT_TRUE(loop.call_soon([] {}, context).get_context() == context);
  Handle handle = loop.call_soon([] { number.set(5); });
  const Context own = handle.get_context();
  EXPECT_EQ(own.size(), 0u);
  EXPECT_TRUE(handle.get_context() == own);
  loop.run_ticks(1);
  EXPECT_EQ(own.get(number), 5);
}

// test_base_events.py: BaseEventLoopTests.test_set_exc_handler_custom
// test_futures2.py: FutureTests.test_handle_exc_handler_correct_context
TEST(CallbackContext, IsTheOneInWhichTheExceptionHandlerRuns) {
  VirtualLoop loop;
  std::vector<int> seen;
  loop.set_exception_handler([&](Loop&, const ErrorContext&) { seen.push_back(number.get(-1)); });
  loop.call_soon([] {
    number.set(4);
    throw std::runtime_error("x");
  });
  loop.call_soon([] { throw std::runtime_error("x"); });
  loop.run_ticks(1);
  EXPECT_EQ(seen, (std::vector{4, -1}));
}

TEST(CallbackContext, EachThreadHasItsOwn) {
  VirtualLoop loop;
  int seen = 0;
  number.set(1);
  std::thread([&] {
    EXPECT_THROW(number.get(), LookupError);
    number.set(2);
    loop.call_soon_threadsafe([&] { seen = number.get(); });
  }).join();
  loop.run_ticks(1);
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(number.get(), 1);
}

}  // namespace
}  // namespace asyncio

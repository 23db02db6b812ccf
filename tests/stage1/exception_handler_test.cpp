// Errors that nobody can catch: the exception handler, the default one, and errors inside handlers.
#include <asyncio/loop.h>
#include <gtest/gtest.h>

#include <string>

#include "support/test_core.h"
#include "support/thrown.h"

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

/// What `action` prints to stderr.
template <class F>
std::string stderr_of(F&& action) {
  ::testing::internal::CaptureStderr();
  action();
  return ::testing::internal::GetCapturedStderr();
}

// test_base_events.py: BaseEventLoopTests.test_default_exc_handler_callback
// test_events.py: HandleTests.test_callback_with_exception
TEST(ExceptionHandler, AnExceptionInACallbackIsReportedAndTheTickGoesOn) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  std::string order;
  loop.call_soon([&] { order += 'a'; });
  const std::string line = std::to_string(__LINE__ + 1);
  loop.call_soon([] { throw std::runtime_error("disk full"); });
  loop.call_soon([&] { order += 'b'; });
  loop.run_ticks(1);
  EXPECT_EQ(order, "ab");
  ASSERT_EQ(errors.contexts.size(), 1u);
  const ErrorContext& context = errors.contexts[0];
  EXPECT_EQ(context.message, "Exception in callback scheduled at exception_handler_test.cpp:" + line);
  EXPECT_EQ(describe(context.exception), "std::runtime_error: disk full");
  EXPECT_EQ(context.detail("handle"), "<Handle created at exception_handler_test.cpp:" + line + ">");
  EXPECT_EQ(context.detail("nothing"), "");
}

TEST(ExceptionHandler, TimersAndThreadsafeCallbacksAreReportedToo) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  loop.call_later(0s, [] { throw std::logic_error("t"); });
  loop.call_soon_threadsafe([] { throw 42; });
  loop.run_ticks(1);
  ASSERT_EQ(errors.contexts.size(), 2u);
  EXPECT_EQ(describe(errors.contexts[0].exception), "int");
  EXPECT_EQ(describe(errors.contexts[1].exception), "std::logic_error: t");
  EXPECT_EQ(errors.contexts[1].detail("handle").substr(0, 17), "<TimerHandle when");
}

TEST(ExceptionHandler, ACallbackThatCancelledItselfIsReportedAsCancelled) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  Handle handle = loop.call_soon([&] {
    handle.cancel();
    throw std::runtime_error("x");
  });
  loop.run_ticks(1);
  ASSERT_EQ(errors.contexts.size(), 1u);
  EXPECT_EQ(errors.contexts[0].detail("handle"), "<Handle cancelled>");
}

// test_base_events.py: BaseEventLoopTests.test_set_exc_handler_custom
TEST(ExceptionHandler, MayBeSetAndReset) {
  VirtualLoop loop;
  EXPECT_FALSE(loop.get_exception_handler());
  Loop* seen = nullptr;
  loop.set_exception_handler([&](Loop& which, const ErrorContext&) { seen = &which; });
  EXPECT_TRUE(loop.get_exception_handler());
  loop.call_exception_handler(ErrorContext("x"));
  EXPECT_EQ(seen, &loop);
  loop.set_exception_handler(nullptr);
  EXPECT_FALSE(loop.get_exception_handler());
  seen = nullptr;
  EXPECT_EQ(stderr_of([&] { loop.call_exception_handler(ErrorContext("by default")); }), "by default\n");
  EXPECT_EQ(seen, nullptr);
}

TEST(ExceptionHandler, MayReplaceItselfWhileItRuns) {
  VirtualLoop loop;
  std::string order;
  loop.set_exception_handler([&order, held = std::string(100, 'x')](Loop& which, const ErrorContext&) {
    which.set_exception_handler([&](Loop&, const ErrorContext&) { order += 'b'; });
    order += held.size() == 100 ? 'a' : '?';
  });
  loop.call_exception_handler(ErrorContext("1"));
  loop.call_exception_handler(ErrorContext("2"));
  EXPECT_EQ(order, "ab");
}

TEST(ExceptionHandler, TheDefaultPrintsMessageDetailsAndException) {
  VirtualLoop loop;
  const std::string line = std::to_string(__LINE__ + 1);
  loop.call_soon([] { throw std::runtime_error("disk full"); });
  EXPECT_EQ(stderr_of([&] { loop.run_ticks(1); }),
            "Exception in callback scheduled at exception_handler_test.cpp:" + line +
                "\nhandle: <Handle created at exception_handler_test.cpp:" + line +
                ">\nstd::runtime_error: disk full\n");
}

TEST(ExceptionHandler, TheDefaultSortsTheDetailsByKey) {
  ErrorContext context("", nullptr);
  context.with("task", "T").with("future", "F").with("handle", "H");
  EXPECT_EQ(stderr_of([&] { Loop::default_exception_handler(context); }),
            "Unhandled exception in event loop\nfuture: F\nhandle: H\ntask: T\n");
}

// test_base_events.py: BaseEventLoopTests.test_set_exc_handler_broken
TEST(ExceptionHandler, AnErrorInTheHandlerGoesToTheDefault) {
  VirtualLoop loop;
  loop.set_exception_handler([](Loop&, const ErrorContext&) { throw std::logic_error("broken"); });
  bool ran = false;
  loop.call_soon([] { throw std::runtime_error("x"); });
  loop.call_soon([&] { ran = true; });
  const std::string text = stderr_of([&] { loop.run_ticks(1); });
  EXPECT_EQ(text.substr(0, text.find("scheduled")),
            "Unhandled error in exception handler\ncontext: Exception in callback ");
  EXPECT_NE(text.find("\nstd::logic_error: broken\n"), std::string::npos);
  EXPECT_TRUE(ran);
}

TEST(ExceptionHandler, FatalExceptionsOfTheHandlerLeaveTheLoop) {
  VirtualLoop loop;
  loop.set_exception_handler([](Loop&, const ErrorContext&) { throw KeyboardInterrupt(); });
  loop.call_soon([] { throw std::runtime_error("x"); });
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  EXPECT_FALSE(loop.is_running());
  loop.set_exception_handler([](Loop&, const ErrorContext&) { throw SystemExit(2); });
  EXPECT_THROW(loop.call_exception_handler(ErrorContext("x")), SystemExit);
}

TEST(ExceptionHandler, FatalExceptionsOfACallbackNeverReachIt) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  for (int i = 0; i < 3; ++i) {
    if (i == 0) loop.call_soon([] { throw KeyboardInterrupt(); });
    if (i == 1) loop.call_later(0s, [] { throw KeyboardInterrupt(); });
    if (i == 2) loop.call_soon_threadsafe([] { throw KeyboardInterrupt(); });
    EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  }
  EXPECT_TRUE(errors.contexts.empty());
}

TEST(ExceptionHandler, DescribeNamesTypeAndText) {
  struct Own {};
  EXPECT_EQ(describe(nullptr), "no exception");
  EXPECT_EQ(describe(std::make_exception_ptr(std::out_of_range("far"))), "std::out_of_range: far");
  EXPECT_EQ(describe(std::make_exception_ptr(7)), "int");
  EXPECT_NE(describe(std::make_exception_ptr(Own())).find("Own"), std::string::npos);
  EXPECT_EQ(describe(std::make_exception_ptr(KeyboardInterrupt())), "asyncio::KeyboardInterrupt");
}

}  // namespace
}  // namespace asyncio::testing

// Futures: their states, their results, and what is reported when nobody looks.
#include <asyncio/future.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/counted.h"
#include "support/test_core.h"
#include "support/thrown.h"

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;

std::runtime_error error(const char* text) { return std::runtime_error(text); }

/// The message of the CancelledError that `call` throws.
template <class F>
std::string cancelled_with(F&& call) {
  try {
    call();
  } catch (const CancelledError& cancelled) {
    return cancelled.has_message() ? std::string(cancelled.message()) : "(no message)";
  }
  return "(not cancelled)";
}

// ── states ──────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_futures.py: BaseFutureTests.test_initial_state
TEST(Future, IsPendingAtFirst) {
  VirtualLoop loop;
  const Future<int> future(loop);
  EXPECT_FALSE(future.done());
  EXPECT_FALSE(future.cancelled());
  EXPECT_EQ(&future.get_loop(), &loop);
}

// test_futures.py: BaseFutureTests.test_result
TEST(Future, HasAResultOnceItIsSet) {
  VirtualLoop loop;
  const Future<int> future(loop);
  EXPECT_EQ(thrown<InvalidStateError>([&] { future.result(); }), "Result is not ready.");
  EXPECT_EQ(thrown<InvalidStateError>([&] { future.exception(); }), "Exception is not set.");
  future.set_result(42);
  EXPECT_TRUE(future.done());
  EXPECT_FALSE(future.cancelled());
  EXPECT_EQ(future.result(), 42);
  EXPECT_EQ(future.exception(), nullptr);
  EXPECT_EQ(future.result(), 42);
}

// test_futures.py: BaseFutureTests.test_exception
TEST(Future, HasAnExceptionOnceItIsSet) {
  VirtualLoop loop;
  const Future<int> future(loop);
  future.set_exception(error("disk full"));
  EXPECT_TRUE(future.done());
  EXPECT_FALSE(future.cancelled());
  EXPECT_EQ(describe(future.exception()), "std::runtime_error: disk full");
  EXPECT_EQ(thrown<std::runtime_error>([&] { future.result(); }), "disk full");
}

// test_futures2.py: FutureTests.test_future_traceback
TEST(Future, ThrowsItsExceptionEachTimeItIsAsked) {
  VirtualLoop loop;
  const Future<> future(loop);
  future.set_exception(error("again"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(thrown<std::runtime_error>([&] { future.result(); }), "again");
}

TEST(Future, TakesAnyExceptionObjectAndAnExceptionPtr) {
  VirtualLoop loop;
  const Future<> number(loop), pointer(loop);
  number.set_exception(42);
  EXPECT_THROW(number.result(), int);
  const auto same = std::make_exception_ptr(error("x"));
  pointer.set_exception(same);
  EXPECT_EQ(pointer.exception(), same);
}

TEST(Future, RefusesANullException) {
  VirtualLoop loop;
  const Future<> future(loop);
  EXPECT_THROW(future.set_exception(std::exception_ptr()), std::invalid_argument);
  EXPECT_THROW(future.set_exception(nullptr), std::invalid_argument);
  EXPECT_FALSE(future.done());
}

TEST(Future, IsCompletedOnlyOnce) {
  VirtualLoop loop;
  const Future<int> finished(loop), failed(loop), cancelled(loop);
  finished.set_result(1);
  failed.set_exception(error("x"));
  cancelled.cancel();
  EXPECT_EQ(thrown<InvalidStateError>([&] { finished.set_result(2); }), "FINISHED: <Future finished result=1>");
  EXPECT_EQ(thrown<InvalidStateError>([&] { finished.set_exception(error("y")); }),
            "FINISHED: <Future finished result=1>");
  EXPECT_EQ(thrown<InvalidStateError>([&] { failed.set_result(2); }),
            "FINISHED: <Future finished exception=std::runtime_error: x>");
  EXPECT_EQ(thrown<InvalidStateError>([&] { cancelled.set_result(2); }), "CANCELLED: <Future cancelled>");
  EXPECT_EQ(thrown<InvalidStateError>([&] { cancelled.set_exception(error("y")); }), "CANCELLED: <Future cancelled>");
  EXPECT_EQ(finished.result(), 1);
  EXPECT_EQ(thrown<std::runtime_error>([&] { failed.result(); }), "x");
}

// test_futures.py: BaseFutureTests.test_cancel
TEST(Future, CancelWorksOnce) {
  VirtualLoop loop;
  const Future<int> future(loop);
  EXPECT_TRUE(future.cancel());
  EXPECT_TRUE(future.cancelled());
  EXPECT_TRUE(future.done());
  EXPECT_EQ(cancelled_with([&] { future.result(); }), "(no message)");
  EXPECT_EQ(cancelled_with([&] { future.exception(); }), "(no message)");
  EXPECT_FALSE(future.cancel());
}

// test_futures.py: BaseFutureTests.test_future_cancel_message_getter
TEST(Future, CancelCarriesAMessageAndTheFirstOneStays) {
  VirtualLoop loop;
  const Future<int> future(loop);
  EXPECT_TRUE(future.cancel("too slow"));
  EXPECT_FALSE(future.cancel("later"));
  EXPECT_EQ(cancelled_with([&] { future.result(); }), "too slow");
  EXPECT_EQ(cancelled_with([&] { future.exception(); }), "too slow");
  EXPECT_EQ(cancelled_with([&] { std::move(Future<int>(future)).result(); }), "too slow");
}

TEST(Future, CancelOfADoneFutureChangesNothing) {
  VirtualLoop loop;
  const Future<int> future(loop);
  future.set_result(7);
  EXPECT_FALSE(future.cancel());
  EXPECT_FALSE(future.cancelled());
  EXPECT_EQ(future.result(), 7);
}

TEST(Future, ACancelledErrorAsExceptionIsNoCancellation) {
  VirtualLoop loop;
  const Future<> future(loop);
  future.set_exception(CancelledError("inner"));
  EXPECT_FALSE(future.cancelled());
  EXPECT_EQ(cancelled_with([&] { future.result(); }), "inner");
}

TEST(CancelledError, IsNoStandardException) {
  EXPECT_FALSE((std::is_base_of_v<std::exception, CancelledError>));
  EXPECT_TRUE(std::is_nothrow_copy_constructible_v<CancelledError>);
  EXPECT_STREQ(CancelledError("why").what(), "why");
  EXPECT_STREQ(CancelledError().what(), "");
  EXPECT_FALSE(CancelledError("").has_message());
}

// ── handles ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Future, CopiesSpeakOfTheSameFuture) {
  VirtualLoop loop;
  const Future<int> one(loop);
  const Future<int> two = one, other(loop);
  EXPECT_EQ(one, two);
  EXPECT_NE(one, other);
  one.set_result(1);
  EXPECT_EQ(two.result(), 1);
  EXPECT_FALSE(other.done());
}

TEST(Future, AnEmptyHandleIsAnInvalidState) {
  VirtualLoop loop;
  Future<int> full(loop);
  const Future<int> moved = std::move(full);
  const Future<int> made;
  for (const Future<int>* empty : {&std::as_const(full), &made}) {
    EXPECT_FALSE(*empty);
    const std::string message = "this Future is empty: it was default-constructed or moved from";
    EXPECT_EQ(thrown<InvalidStateError>([&] { empty->done(); }), message);
    EXPECT_THROW(empty->cancelled(), InvalidStateError);
    EXPECT_THROW(empty->cancel(), InvalidStateError);
    EXPECT_THROW(empty->result(), InvalidStateError);
    EXPECT_THROW(empty->exception(), InvalidStateError);
    EXPECT_THROW(empty->set_result(1), InvalidStateError);
    EXPECT_THROW(empty->set_exception(error("x")), InvalidStateError);
    EXPECT_THROW(empty->get_loop(), InvalidStateError);
    EXPECT_THROW(empty->add_done_callback([](Future<int>&) {}), InvalidStateError);
    EXPECT_THROW(empty->remove_done_callback(CallbackId{1}), InvalidStateError);
    EXPECT_THROW(loop.run_until_complete(*empty), InvalidStateError);
    EXPECT_EQ(empty->repr(), "<Future empty>");
  }
  EXPECT_TRUE(moved);
  EXPECT_FALSE(moved.done());
}

TEST(AnyFuture, WaitsCancelsAndPrintsWithoutTheType) {
  VirtualLoop loop;
  const Future<int> number(loop);
  const Future<std::string> text(loop);
  std::vector<AnyFuture> all{number, text};
  EXPECT_EQ(all[0], number);
  EXPECT_NE(all[0], all[1]);
  int calls = 0;
  for (const AnyFuture& any : all) any.add_done_callback([&](AnyFuture& done) { calls += done.done(); });
  number.set_result(5);
  EXPECT_TRUE(all[0].done());
  EXPECT_EQ(all[0].exception(), nullptr);
  EXPECT_TRUE(all[1].cancel("enough"));
  EXPECT_EQ(cancelled_with([&] { text.result(); }), "enough");
  loop.run_ticks(1);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(all[0].repr(), "<Future finished result=5>");
}

// test_futures.py: BaseFutureTests.test_constructor_without_loop
// test_futures.py: BaseFutureTests.test_constructor_use_running_loop
TEST(CreateFuture, BelongsToTheRunningLoop) {
  EXPECT_EQ(thrown<std::runtime_error>([] { create_future<int>(); }), "no running event loop");
  VirtualLoop loop;
  Loop* owner = nullptr;
  loop.call_soon([&] { owner = &create_future().get_loop(); });
  loop.run_ticks(1);
  EXPECT_EQ(owner, &loop);
}

// ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

struct NoDefault {
  explicit NoDefault(int value) : value(value) {}
  int value;
};

TEST(FutureValue, AnyMovableTypeWillDo) {
  VirtualLoop loop;
  const Future<> nothing(loop);
  nothing.set_result();
  nothing.result();
  EXPECT_TRUE(std::is_void_v<decltype(nothing.result())>);
  const Future<NoDefault> no_default(loop);
  no_default.set_result(NoDefault(3));
  EXPECT_EQ(no_default.result().value, 3);
  const Future<std::unique_ptr<int>> move_only(loop);
  move_only.set_result(std::make_unique<int>(4));
  EXPECT_EQ(*move_only.result(), 4);  // seen, not taken
  EXPECT_EQ(*move_only.result(), 4);
  const Future<std::vector<int>> list(loop);
  list.set_result({1, 2, 3});
  EXPECT_EQ(list.result().size(), 3u);
  const Future<std::string> converted(loop);
  converted.set_result("text");
  EXPECT_EQ(converted.result(), "text");
}

TEST(FutureValue, ResultOfAnLvalueIsSeenNotCopied) {
  VirtualLoop loop;
  Counted::reset();
  const Future<Counted> future(loop);
  future.set_result(Counted(5));
  const Counted& one = future.result();
  EXPECT_EQ(one.value, 5);
  EXPECT_EQ(&one, &future.result());
  EXPECT_EQ(Counted::copies, 0);
  EXPECT_EQ(Counted::alive, 1);
}

TEST(FutureValue, ResultOfTheLastHandleIsMovedOut) {
  VirtualLoop loop;
  Counted::reset();
  Future<Counted> future(loop);
  future.set_result(Counted(5));
  EXPECT_EQ(std::move(future).result().value, 5);
  EXPECT_EQ(Counted::copies, 0);
}

TEST(FutureValue, ResultThatAnotherHandleSeesIsCopied) {
  VirtualLoop loop;
  Counted::reset();
  Future<Counted> future(loop);
  const Future<Counted> other = future;
  future.set_result(Counted(5));
  EXPECT_EQ(std::move(future).result().value, 5);
  EXPECT_EQ(Counted::copies, 1);
  EXPECT_EQ(other.result().value, 5);
}

TEST(FutureValue, ResultThatAScheduledCallbackWillSeeIsCopied) {
  VirtualLoop loop;
  Counted::reset();
  Future<Counted> future(loop);
  int seen = 0;
  future.add_done_callback([&](Future<Counted>& done) { seen = done.result().value; });
  future.set_result(Counted(5));
  EXPECT_EQ(std::move(future).result().value, 5);
  loop.run_ticks(1);
  EXPECT_EQ(seen, 5);
}

TEST(FutureValue, AMoveOnlyResultIsMovedOutAndGoneForTheOthers) {
  VirtualLoop loop;
  Future<std::unique_ptr<int>> future(loop);
  const Future<std::unique_ptr<int>> other = future;
  future.set_result(std::make_unique<int>(5));
  EXPECT_EQ(*std::move(future).result(), 5);
  EXPECT_EQ(thrown<InvalidStateError>([&] { other.result(); }),
            "Result was moved out already, by the await or result() of an rvalue.");
  EXPECT_TRUE(other.done());
  EXPECT_EQ(other.exception(), nullptr);
  EXPECT_EQ(other.repr(), "<Future finished result=<moved out>>");
}

TEST(FutureValue, IsDestroyedWithTheLastHandle) {
  VirtualLoop loop;
  Counted::reset();
  {
    Future<Counted> one(loop);
    one.set_result(Counted());
    const Future<Counted> two = one;
    one = Future<Counted>();
    EXPECT_EQ(Counted::alive, 1);
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(FutureValue, AConstructorThatThrowsLeavesTheFuturePending) {
  struct Picky {
    explicit Picky(int value) {
      if (value < 0) throw std::out_of_range("negative");
    }
  };
  VirtualLoop loop;
  const Future<Picky> future(loop);
  EXPECT_THROW(future.set_result(-1), std::out_of_range);
  EXPECT_FALSE(future.done());
  future.set_result(1);
  EXPECT_TRUE(future.done());
}

// ── exceptions that nobody looked at ────────────────────────────────────────────────────────────────────────────────

// test_futures.py: BaseFutureTests.test_tb_logger_exception_unretrieved
// test_futures.py: BaseFutureTests.test_future_exception_never_retrieved
TEST(Future, AnRvalueGivesTheExceptionAwayIfNobodyElseCanSeeIt) {
  Loop loop;
  Future<> future(loop);
  future.set_exception(std::runtime_error("disk full"));
  {
    const Future<> other = future;
    EXPECT_EQ(describe(std::move(future).exception()), "std::runtime_error: disk full");
    EXPECT_EQ(thrown<std::runtime_error>([&] { other.result(); }), "disk full");
  }
  EXPECT_EQ(describe(std::move(future).exception()), "std::runtime_error: disk full");
  EXPECT_THROW(future.result(), InvalidStateError);
}

TEST(FutureNeverRetrieved, IsReportedWhenTheLastHandleGoes) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  {
    const Future<int> future(loop);
    const Future<int> copy = future;
    future.set_exception(error("disk full"));
  }
  ASSERT_EQ(errors.contexts.size(), 1u);
  EXPECT_EQ(errors.contexts[0].message, "Future exception was never retrieved");
  EXPECT_EQ(describe(errors.contexts[0].exception), "std::runtime_error: disk full");
  EXPECT_EQ(errors.contexts[0].detail("future"), "<Future finished exception=std::runtime_error: disk full>");
}

// test_futures.py: BaseFutureTests.test_tb_logger_abandoned
// test_futures.py: BaseFutureTests.test_tb_logger_not_called_after_cancel
// test_futures.py: BaseFutureTests.test_tb_logger_result_unretrieved
// test_futures.py: BaseFutureTests.test_tb_logger_result_retrieved
// test_futures.py: BaseFutureTests.test_tb_logger_exception_retrieved
// test_futures.py: BaseFutureTests.test_tb_logger_exception_result_retrieved
TEST(FutureNeverRetrieved, IsNotReportedWhenThereIsNothingToTell) {
  VirtualLoop loop;
  ErrorLog errors(loop);
  { const Future<int> abandoned(loop); }
  {
    const Future<int> cancelled(loop);
    cancelled.cancel();
  }
  {
    const Future<int> cancelled_afterwards(loop);
    cancelled_afterwards.set_exception(error("x"));
    EXPECT_FALSE(cancelled_afterwards.cancel());
  }
  {
    const Future<int> unread(loop), read(loop);
    unread.set_result(1);
    read.set_result(1);
    EXPECT_EQ(read.result(), 1);
  }
  {
    const Future<int> asked(loop), thrown_once(loop), thrown_as_rvalue(loop);
    asked.set_exception(error("x"));
    EXPECT_NE(asked.exception(), nullptr);
    thrown_once.set_exception(error("x"));
    EXPECT_THROW(thrown_once.result(), std::runtime_error);
    thrown_as_rvalue.set_exception(error("x"));
    EXPECT_THROW(Future<int>(thrown_as_rvalue).result(), std::runtime_error);
  }
  EXPECT_TRUE(errors.contexts.empty());
}

TEST(FutureNeverRetrieved, AHandlerThatThrowsDoesNoHarm) {
  VirtualLoop loop;
  int calls = 0;
  loop.set_exception_handler([&](Loop&, const ErrorContext&) {
    if (++calls == 1) throw KeyboardInterrupt();
    throw std::runtime_error("broken handler");
  });
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) Future<int>(loop).set_exception(error("x"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "Unhandled error in exception handler\ncontext: Future exception was never retrieved\n"
            "std::runtime_error: broken handler\n");
  EXPECT_EQ(calls, 2);
}

TEST(FutureNeverRetrieved, GoesToStderrWhenTheLoopIsGone) {
  Future<int> future;
  {
    VirtualLoop loop;
    future = Future<int>(loop);
    future.set_exception(error("late"));
  }
  ::testing::internal::CaptureStderr();
  future = Future<int>();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "Future exception was never retrieved\n"
            "future: <Future finished exception=std::runtime_error: late>\nstd::runtime_error: late\n");
}

// ── a future and the end of its loop ────────────────────────────────────────────────────────────────────────────────

TEST(FutureAndItsLoop, AFutureMayOutliveItsLoop) {
  Future<int> with_callback, without, cancelled;
  Counted::reset();
  {
    VirtualLoop loop;
    with_callback = without = cancelled = Future<int>(loop);
    without = Future<int>(loop);
    cancelled = Future<int>(loop);
    with_callback.add_done_callback([held = Counted()](Future<int>&) { FAIL(); });
  }
  EXPECT_EQ(Counted::alive, 1);
  EXPECT_EQ(thrown<std::runtime_error>([&] { without.get_loop(); }), "Event loop is closed and destroyed");
  without.set_result(1);
  EXPECT_EQ(without.result(), 1);
  EXPECT_TRUE(cancelled.cancel());
  EXPECT_EQ(thrown<std::runtime_error>([&] { with_callback.set_result(1); }), "Event loop is closed and destroyed");
  EXPECT_FALSE(with_callback.done());
  EXPECT_EQ(thrown<std::runtime_error>([&] { without.add_done_callback([](Future<int>&) {}); }),
            "Event loop is closed and destroyed");
  with_callback = Future<int>();
  EXPECT_EQ(Counted::alive, 0);
}

TEST(FutureAndItsLoop, CompletingOneOfAClosedLoopWithCallbacksIsRefusedAndChangesNothing) {
  Counted::reset();
  VirtualLoop loop;
  ErrorLog errors(loop);
  {
    const Future<Counted> future(loop);
    const CallbackId id = future.add_done_callback([](Future<Counted>&) {});
    loop.close();
    EXPECT_EQ(thrown<std::runtime_error>([&] { future.set_exception(error("x")); }), "Event loop is closed");
    EXPECT_EQ(thrown<std::runtime_error>([&] { future.cancel("x"); }), "Event loop is closed");
    EXPECT_EQ(thrown<std::runtime_error>([&] { future.set_result(Counted(1)); }), "Event loop is closed");
    EXPECT_FALSE(future.done());
    EXPECT_EQ(future.repr(), "<Future pending>");
    EXPECT_EQ(thrown<InvalidStateError>([&] { future.result(); }), "Result is not ready.");
    EXPECT_EQ(future.remove_done_callback(id), 1u);
    future.set_result(Counted(2));  // without callbacks there is nothing to schedule
    EXPECT_EQ(future.result().value, 2);
  }
  EXPECT_TRUE(errors.contexts.empty());
  EXPECT_EQ(Counted::alive, 0);
}

TEST(FutureAndItsLoop, CallbacksScheduledButNotRunAtCloseAreDropped) {
  Counted::reset();
  std::vector<std::string> messages;
  {
    VirtualLoop loop;
    ErrorLog errors(loop);
    Future<int> future(loop);
    future.add_done_callback([held = Counted()](Future<int>&) { FAIL(); });
    future.set_exception(error("x"));
    future = Future<int>();
    EXPECT_TRUE(errors.contexts.empty());  // the scheduled callback still holds it
    loop.close();
    messages = errors.messages();
  }
  EXPECT_EQ(messages, std::vector<std::string>{"Future exception was never retrieved"});
  EXPECT_EQ(Counted::alive, 0);
}

// ── printing ────────────────────────────────────────────────────────────────────────────────────────────────────────

template <class T>
std::string printed(Loop& loop, T value) {
  const Future<T> future(loop);
  future.set_result(std::move(value));
  const std::string text = future.repr();
  const std::string start = "<Future finished result=";
  return text.substr(0, start.size()) == start ? text.substr(start.size(), text.size() - start.size() - 1) : text;
}

// test_futures.py: BaseFutureTests.test_future_repr
TEST(FutureRepr, ShowsTheState) {
  VirtualLoop loop;
  const Future<> future(loop), cancelled(loop), failed(loop);
  EXPECT_EQ(future.repr(), "<Future pending>");
  future.set_result();
  EXPECT_EQ(future.repr(), "<Future finished result=None>");
  cancelled.cancel("why");
  EXPECT_EQ(cancelled.repr(), "<Future cancelled>");
  failed.set_exception(error("x"));
  EXPECT_EQ(failed.repr(), "<Future finished exception=std::runtime_error: x>");
  EXPECT_FALSE(failed.cancel());
  std::ostringstream out;
  out << future << ' ' << AnyFuture();
  EXPECT_EQ(out.str(), "<Future finished result=None> <Future empty>");
}

TEST(FutureRepr, ShowsNumbersAndTextsAsPythonDoes) {
  VirtualLoop loop;
  EXPECT_EQ(printed(loop, 42), "42");
  EXPECT_EQ(printed(loop, -7L), "-7");
  EXPECT_EQ(printed(loop, ~0ULL), "18446744073709551615");
  EXPECT_EQ(printed(loop, true), "True");
  EXPECT_EQ(printed(loop, false), "False");
  EXPECT_EQ(printed(loop, std::string("text")), "'text'");
  EXPECT_EQ(printed(loop, "literal"), "'literal'");
  EXPECT_EQ(printed(loop, std::string_view("view")), "'view'");
  EXPECT_EQ(printed(loop, std::string("it's")), "\"it's\"");
  EXPECT_EQ(printed(loop, std::string("'\"")), "'\\'\"'");
  EXPECT_EQ(printed(loop, std::string("a\nb\t\\\r\x01\x7f")), "'a\\nb\\t\\\\\\r\\x01\\x7f'");
  EXPECT_EQ(printed(loop, std::string("步骤")), "'步骤'");
  EXPECT_EQ(printed(loop, static_cast<const char*>(nullptr)), "None");
}

TEST(FutureRepr, ShowsFloatsAsPythonDoes) {  // each line was asked of Python
  VirtualLoop loop;
  EXPECT_EQ(printed(loop, 0.1), "0.1");
  EXPECT_EQ(printed(loop, 1.0), "1.0");
  EXPECT_EQ(printed(loop, -0.0), "-0.0");
  EXPECT_EQ(printed(loop, 100000.0), "100000.0");
  EXPECT_EQ(printed(loop, 1e15), "1000000000000000.0");
  EXPECT_EQ(printed(loop, 1e16), "1e+16");
  EXPECT_EQ(printed(loop, 1.5e300), "1.5e+300");
  EXPECT_EQ(printed(loop, 0.0001), "0.0001");
  EXPECT_EQ(printed(loop, 0.00001), "1e-05");
  EXPECT_EQ(printed(loop, 1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(printed(loop, 2.5f), "2.5");
  EXPECT_EQ(printed(loop, std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(printed(loop, std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(FutureRepr, ShowsOtherValuesByType) {
  VirtualLoop loop;
  EXPECT_EQ(printed(loop, MoveOnly(1)), "<asyncio::testing::MoveOnly>");
}

}  // namespace
}  // namespace asyncio::testing

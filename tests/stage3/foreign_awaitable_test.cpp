// Awaitable accepts only awaitables made for tasks (see also tests/build/refused). A coroutine that ends without
// co_return throws.
#include <asyncio/async_generator.h>
#include <asyncio/run.h>
#include <gtest/gtest.h>
#include <support/test_core.h>
#include <support/thrown.h>

#include <coroutine>
#include <memory>
#include <stdexcept>
#include <type_traits>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::make_core;
using testing::thrown;

struct KeepsAnyHandle {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<>) {}
  int await_resume() const { return 42; }
};
struct LeadsToIt {
  KeepsAnyHandle operator co_await() const { return {}; }
};
struct NeverSuspends {
  bool await_ready() const { return true; }
  int await_resume() const { return 42; }
};

// Those that take a handle of any promise, but not of none.
struct NeedsAPromise {
  bool await_ready() const { return false; }
  template <class P>
    requires(!std::is_void_v<P>)
  void await_suspend(std::coroutine_handle<P>) {}
  int await_resume() const { return 42; }
};
struct CallsPromise {
  bool await_ready() const { return false; }
  template <class P>
    requires requires(std::coroutine_handle<P> handle) { handle.promise(); }
  bool await_suspend(std::coroutine_handle<P>) const {
    return true;
  }
  int await_resume() const { return 42; }
};
struct CallsWhatEveryPromiseHas {
  bool await_ready() const { return false; }
  template <class P>
    requires requires(P& promise) {
      promise.initial_suspend();
      promise.final_suspend();
      promise.unhandled_exception();
    }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) {
    return handle;
  }
  int await_resume() const { return 42; }
};
struct LeadsToCallsPromise {
  CallsPromise operator co_await() const { return {}; }
};
template <class A>
struct Wraps {  // as one writes it for an awaitable of ours
  A inner;
  bool await_ready() { return inner.await_ready(); }
  template <class P>
    requires requires(A& awaiter, std::coroutine_handle<P> handle) { awaiter.await_suspend(handle); }
  auto await_suspend(std::coroutine_handle<P> handle) {
    return inner.await_suspend(handle);
  }
  auto await_resume() { return inner.await_resume(); }
};

static_assert(!Awaitable<NeedsAPromise> && !Awaitable<CallsPromise> && !Awaitable<const CallsPromise&>);
static_assert(!Awaitable<CallsWhatEveryPromiseHas> && !Awaitable<LeadsToCallsPromise>);
static_assert(!Awaitable<Wraps<CallsPromise>> && !Awaitable<Wraps<std::suspend_always>>);
static_assert(Awaitable<Wraps<decltype(detail::get_awaiter(sleep(1s)))>>, "what awaits one of ours in its place");
static_assert(!Awaitable<std::suspend_always> && !Awaitable<KeepsAnyHandle> && !Awaitable<LeadsToIt>);
static_assert(!Awaitable<NeverSuspends>, "no await_suspend: no awaiter");
static_assert(Awaitable<Coro<>> && Awaitable<Future<int>> && Awaitable<Task<>&> && Awaitable<decltype(sleep(1s))>);

// ── a coroutine that ends without co_return ─────────────────────────────────────────────────────────────────────────

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wreturn-type"
#endif
Coro<int> forgetful(bool wait, bool give = false) {
  if (wait) co_await sleep(0s);
  if (give) co_return 42;
}
Coro<std::unique_ptr<int>> forgetful_with_pointer() { co_await sleep(0s); }
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

void expect_complaint(const std::string& what, const std::string& coroutine) {
  EXPECT_EQ(what.rfind("coroutine '" + coroutine + "' defined at foreign_awaitable_test.cpp:", 0), 0u) << what;
  EXPECT_NE(what.find(" ended without co_return of a value"), what.npos) << what;
}

TEST(MissingReturn, IsALogicErrorForWhoeverAwaitsTheCoroutine) {
  for (const bool wait : {false, true}) {
    auto main = [wait]() -> Coro<std::string> {
      std::string what;
      try {
        const int value = co_await forgetful(wait);
        what = std::to_string(value);
      } catch (const std::logic_error& error) {
        what = error.what();
      }
      co_return what;
    };
    expect_complaint(run(main, make_core()), "forgetful");
  }
  EXPECT_EQ(run(forgetful(true, true), make_core()), 42);
}

TEST(MissingReturn, IsTheExceptionOfItsTask) {
  for (const bool wait : {false, true}) {
    expect_complaint(thrown<std::logic_error>([&] { run(forgetful(wait), make_core()); }), "forgetful");
  }
  expect_complaint(thrown<std::logic_error>([&] { run(forgetful_with_pointer(), make_core()); }),
                   "forgetful_with_pointer");
}

TEST(MissingReturn, OfATaskThatIsCancelledBeforehandIsACancel) {
  auto main = []() -> Coro<bool> {
    const auto task = create_task(forgetful(true));
    task.cancel();
    co_await sleep(0s);
    co_return task.cancelled();
  };
  EXPECT_TRUE(run(main, make_core()));
}

// ── results with an operator& of their own ──────────────────────────────────────────────────────────────────────────

struct NoAddress {
  explicit NoAddress(int value) : value(value) {}
  void operator&() const = delete;
  int value;
};

Coro<NoAddress> no_address(int value) { co_return NoAddress(value); }

AsyncGenerator<NoAddress> no_addresses() {
  co_yield NoAddress(1);
  co_yield NoAddress(2);
}

struct CallableWithoutAddress {
  void operator&() const = delete;
  void operator()() const { ++*calls; }
  template <class F>
  void operator()(F&) const {
    ++*calls;
  }
  int* calls;
};

TEST(DeletedAddressOperator, DoesNotDisturbResultsItemsAndCallbacks) {
  auto main = []() -> Coro<int> {
    const NoAddress awaited = co_await no_address(1);
    const auto task = create_task(no_address(2));
    const NoAddress& of_task = co_await task;
    int sum = awaited.value + of_task.value;
    const auto generator = no_addresses();
    while (auto item = co_await generator.next()) sum += item->value;
    int calls = 0;
    const CallableWithoutAddress callable{std::addressof(calls)};
    Loop::running().call_soon(callable);
    Loop::running().call_later(1s, callable);
    Loop::running().call_soon_threadsafe(callable);
    task.add_done_callback(callable);
    Loop::running().call_soon(callable).cancel();
    co_await sleep(2s);
    co_return sum * 10 + calls;
  };
  EXPECT_EQ(run(main, make_core()), 64);
}

}  // namespace
}  // namespace asyncio

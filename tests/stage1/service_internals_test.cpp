// What higher stages hang on a loop: services, and the weak_loop of what may outlive it.
#include <asyncio/loop.h>
#include <gtest/gtest.h>

#include <string>

#include "support/test_core.h"
#include "support/thrown.h"

namespace asyncio::testing {
namespace {

std::string log_;

class First : public LoopService {
 public:
  explicit First(Loop& loop) : loop(loop) { log_ += "+1 "; }
  ~First() override { log_ += "-1 "; }
  void on_close() noexcept override { log_ += "close1 "; }
  Loop& loop;
};

class Second : public LoopService {
 public:
  explicit Second(Loop& loop) : first(loop.service<First>()) { log_ += "+2 "; }
  ~Second() override { log_ += "-2 "; }
  void on_close() noexcept override {
    log_ += "close2 ";
    first.loop.call_soon([] { log_ += "never "; });  // allowed, and comes to nothing
  }
  First& first;
};

TEST(LoopService, IsMadeAtTheFirstCallAndClosedOnceAndLivesAsLongAsTheLoop) {
  log_.clear();
  {
    VirtualLoop loop;
    First& first = loop.service<First>();
    EXPECT_EQ(log_, "+1 ");
    EXPECT_EQ(&loop.service<First>(), &first);
    EXPECT_EQ(log_, "+1 ");
    EXPECT_EQ(&first.loop, &loop);
    loop.close();
    EXPECT_EQ(log_, "+1 close1 ");
    EXPECT_EQ(&loop.service<First>(), &first);  // still there
    loop.close();
  }
  EXPECT_EQ(log_, "+1 close1 -1 ");
}

TEST(LoopService, OneThatStandsOnAnotherIsClosedBeforeIt) {
  log_.clear();
  VirtualLoop loop;
  loop.service<Second>();
  EXPECT_EQ(log_, "+1 +2 ");
  loop.close();
  EXPECT_EQ(log_, "+1 +2 close2 close1 ");
}

TEST(LoopService, EachLoopHasItsOwn) {
  VirtualLoop a, b;
  EXPECT_NE(&a.service<First>(), &b.service<First>());
}

TEST(LoopService, AClosedLoopMakesNone) {
  VirtualLoop loop;
  loop.close();
  log_.clear();
  EXPECT_EQ(thrown<std::runtime_error>([&] { loop.service<First>(); }), "Event loop is closed");
}

TEST(WeakLoop, SaysWhetherTheLoopIsStillThere) {
  detail::Ref<detail::WeakLoop> weak_loop;
  {
    VirtualLoop loop;
    weak_loop = detail::Ref<detail::WeakLoop>(&loop.weak_loop());
    EXPECT_EQ(weak_loop->loop(), &loop);
    loop.close();
    EXPECT_EQ(weak_loop->loop(), &loop);  // closed, not destroyed
  }
  EXPECT_EQ(weak_loop->loop(), nullptr);
}

}  // namespace
}  // namespace asyncio::testing

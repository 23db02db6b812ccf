// The main() that repeats the tests of stages 1 to 5 on stage 6's core. Time is virtual, but every tick really polls,
// because the core watches a descriptor that never becomes ready.
#include "support/test_core.h"

#include <asyncio/poll_core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace {

using namespace asyncio;

class VirtualPollCore final : public PollCore {
 public:
  explicit VirtualPollCore(bool with_a_descriptor) {
    if (!with_a_descriptor) return;
    const auto no_one = [] { ADD_FAILURE() << "the descriptor that is never ready was"; };
    using Node = detail::WatchNode<std::decay_t<decltype(no_one)>>;
    watch(never_ready(), Readiness::read,
          detail::Ref<detail::WatchState>(new Node(no_one, std::source_location::current()), detail::adopt));
  }
  ~VirtualPollCore() override { unwatch_all(); }

  TimePoint now() override { return now_; }

  /// As in VirtualCore, but polls the descriptors before the clock jumps.
  void wait(std::optional<TimePoint> until) override {
    if (look(kDoNotWait)) return;
    if (!until) {
      throw NeverWakes("VirtualPollCore: nothing is ready and no timer is pending; the loop would wait for ever");
    }
    now_ = std::max(now_, *until);
  }

 private:
  /// Shared by all cores: a core that replaces another watches the same descriptors.
  static int never_ready() {
    static const int end = [] {
      int ends[2];
      if (::pipe(ends) == -1) throw std::system_error(errno, std::generic_category(), "pipe");
      return ends[0];
    }();
    return end;
  }

  TimePoint now_{};
};

// One test needs an unused core.
std::unique_ptr<Core> make_poll_core() {
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const bool fresh = test && std::string_view(test->name()).starts_with("AFreshCoreWatchesNothing");
  return std::make_unique<VirtualPollCore>(!fresh);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, SIG_DFL);  // what a script starts in the background inherits that it is ignored
  ::testing::InitGoogleTest(&argc, argv);
  asyncio::testing::core_factory = make_poll_core;
  return RUN_ALL_TESTS();
}

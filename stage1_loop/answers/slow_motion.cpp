// Exercise 2: a core in slow motion. Its clock runs at a tenth of the speed of the core inside.
#include <asyncio/loop.h>
#include <asyncio/virtual_core.h>

#include <iostream>

using namespace std::chrono_literals;

class SlowMotion final : public asyncio::Core {
 public:
  explicit SlowMotion(std::unique_ptr<asyncio::Core> inner) : inner_(std::move(inner)), start_(inner_->now()) {}

  asyncio::TimePoint now() override { return start_ + (inner_->now() - start_) / kFactor; }

  void wait(std::optional<asyncio::TimePoint> until) override {
    // Two kinds of time cannot be stretched: one that is past ("do not wait"), and one so far away that it would overflow.
    if (until && *until > start_ && *until - start_ < asyncio::Duration::max() / kFactor) {
      until = start_ + (*until - start_) * kFactor;
    }
    inner_->wait(until);
  }
  void wake() noexcept override { inner_->wake(); }

 private:
  static constexpr int kFactor = 10;
  std::unique_ptr<asyncio::Core> inner_;
  asyncio::TimePoint start_;
};

int main() {
  auto world = std::make_unique<asyncio::VirtualCore>();  // so that the test of it takes no time
  asyncio::Core& outside = *world;
  asyncio::Loop loop(std::make_unique<SlowMotion>(std::move(world)));

  const auto seconds = [](asyncio::TimePoint time) { return time.time_since_epoch() / 1s; };
  for (const auto delay : {1s, 2s}) {
    loop.call_later(delay, [&] {
      std::cout << seconds(loop.time()) << " s for the loop, " << seconds(outside.now()) << " s outside\n";
    });
  }
  loop.call_later(3s, [&] { loop.stop(); });
  loop.run_forever();
}

#include "asyncio/barrier.h"

#include "asyncio/condition.h"

namespace asyncio {

/// Shared by the barrier and the tasks at it. Their frames hold the condition's lock by a guard, and may outlive the
/// barrier if a loop is closed early. The coroutines that take `self` keep the state alive, and await the others.
class Barrier::State {
 public:
  explicit State(std::size_t parties) noexcept : parties_(parties) {}

  static Coro<std::size_t> wait(std::shared_ptr<State> self) {
    const auto guard = co_await self->condition_.scoped();
    co_await self->block();
    const std::size_t index = self->count_++;
    try {
      if (index + 1 == self->parties_) {
        self->release();
      } else {
        co_await self->wait_until_full();
      }
    } catch (...) {
      self->exit();
      throw;
    }
    self->exit();
    co_return index;
  }

  static Coro<> reset(std::shared_ptr<State> self) {
    const auto guard = co_await self->condition_.scoped();
    self->phase_ = self->count_ > 0 ? Phase::resetting : Phase::filling;
    self->condition_.notify_all();
  }

  static Coro<> abort(std::shared_ptr<State> self) {
    const auto guard = co_await self->condition_.scoped();
    self->phase_ = Phase::broken;
    self->condition_.notify_all();
  }

  std::size_t parties() const noexcept { return parties_; }
  std::size_t n_waiting() const noexcept { return phase_ == Phase::filling ? count_ : 0; }
  bool broken() const noexcept { return phase_ == Phase::broken; }
  std::string repr() const {
    static constexpr const char* names[] = {"filling", "draining", "resetting", "broken"};
    std::string text = names[static_cast<int>(phase_)];
    if (!broken()) text += ", waiters:" + std::to_string(n_waiting()) + "/" + std::to_string(parties_);
    return "<Barrier [" + text + "]>";
  }

 private:
  enum class Phase { filling, draining, resetting, broken };

  /// Waits until the tasks of the last round have left.
  Coro<> block() {
    co_await condition_.wait_for([this] { return phase_ != Phase::draining && phase_ != Phase::resetting; });
    if (broken()) throw BrokenBarrierError("Barrier aborted");
  }
  void release() {
    phase_ = Phase::draining;
    condition_.notify_all();
  }
  Coro<> wait_until_full() {
    co_await condition_.wait_for([this] { return phase_ != Phase::filling; });
    if (broken() || phase_ == Phase::resetting) throw BrokenBarrierError("Abort or reset of barrier");
  }
  /// The last task to leave lets in the tasks in block().
  void exit() {
    if (--count_ > 0) return;
    if (phase_ == Phase::resetting || phase_ == Phase::draining) phase_ = Phase::filling;
    condition_.notify_all();
  }

  Condition condition_;  // notified whenever the phase changes
  const std::size_t parties_;
  Phase phase_ = Phase::filling;
  std::size_t count_ = 0;  // tasks inside
};

Barrier::Barrier(std::ptrdiff_t parties) {
  if (parties < 1) throw std::invalid_argument("parties must be >= 1");
  state_ = std::make_shared<State>(static_cast<std::size_t>(parties));
}
Barrier::~Barrier() = default;

Coro<std::size_t> Barrier::wait() { return State::wait(state_); }
Coro<> Barrier::reset() { return State::reset(state_); }
Coro<> Barrier::abort() { return State::abort(state_); }

std::size_t Barrier::parties() const noexcept { return state_->parties(); }
std::size_t Barrier::n_waiting() const noexcept { return state_->n_waiting(); }
bool Barrier::broken() const noexcept { return state_->broken(); }
std::string Barrier::repr() const { return state_->repr(); }

}  // namespace asyncio

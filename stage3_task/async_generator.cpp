#include "asyncio/async_generator.h"

namespace asyncio {
namespace detail {

void throw_empty_generator() { throw std::runtime_error("this AsyncGenerator is empty: it was moved from"); }

// ── to and fro between next() and co_yield ──────────────────────────────────────────────────────────────────────────

bool NextAwaiterBase::await_ready() const {
  if (state_->phase_ == GeneratorState::Phase::running) {
    throw std::runtime_error("anext(): asynchronous generator is already running");
  }
  return state_->phase_ == GeneratorState::Phase::ended;
}

std::coroutine_handle<> NextAwaiterBase::resume(PromiseBase& caller) {
  GeneratorState& state = *state_;
  Loop& loop = Loop::running();
  if (state.phase_ == GeneratorState::Phase::fresh) loop.service<GeneratorRegistry>().add(state);
  state.phase_ = GeneratorState::Phase::running;
  state.value_ = nullptr;
  state.thrown_ = std::move(thrown_);
  set_callee(state.promise_);
  return begin(caller);
}

std::coroutine_handle<> YieldBase::yield(GeneratorPromiseBase& generator, void* value) noexcept {
  state_ = generator.state_;
  state_->value_ = value;
  state_->phase_ = GeneratorState::Phase::waiting;
  return generator.caller()->frame();
}

void YieldBase::await_resume() {
  if (state_->thrown_) std::rethrow_exception(std::exchange(state_->thrown_, nullptr));
}

void* NextAwaiterBase::take_value() {
  PromiseBase* const generator = disown();  // the frame is the GeneratorState's
  if (!generator) return nullptr;           // it had ended before
  if (!generator->frame().done()) return state_->value_;
  const std::exception_ptr error = generator->take_exception();
  state_->destroy_frame();
  if (error) std::rethrow_exception(error);
  return nullptr;
}

std::string GeneratorState::repr() const {
  return "<async_generator " + std::string(coroutine_name(where_)) + "() defined at " + file_and_line(where_) + ">";
}

// ── closing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {
class CloseAwaiter final : public NextAwaiterBase {
 public:
  explicit CloseAwaiter(Ref<GeneratorState> state)
      : NextAwaiterBase(std::move(state), std::make_exception_ptr(GeneratorExit())) {}
  template <std::derived_from<PromiseBase> P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) {
    return resume(caller.promise());
  }
  bool await_resume() { return take_value() != nullptr; }  // whether it has yielded once more
};

}  // namespace

Coro<> close_generator(Ref<GeneratorState> state) {
  using Phase = GeneratorState::Phase;
  if (state->phase_ == Phase::running) {
    throw std::runtime_error("aclose(): asynchronous generator is already running");
  }
  if (state->phase_ == Phase::fresh) state->destroy_frame();
  if (state->phase_ == Phase::ended) co_return;
  bool yielded = false;
  try {
    yielded = co_await LazyAwaitable<CloseAwaiter, Ref<GeneratorState>>(state);
  } catch (const GeneratorExit&) {
  }
  if (yielded) throw std::runtime_error("async generator ignored GeneratorExit");
}

void GeneratorState::frame_destroyed() noexcept {
  promise_ = nullptr;
  phase_ = Phase::ended;
  if (!weak_loop_) return;
  if (Loop* loop = weak_loop_->loop()) loop->service<GeneratorRegistry>().remove(*this);
  weak_loop_ = {};
}

void GeneratorState::destroy_frame() noexcept {
  if (promise_) promise_->frame().destroy();
}

void GeneratorState::unreferenced() noexcept {
  add_ref();  // what follows may take references and release them
  if (phase_ == Phase::waiting) {
    Loop* loop = weak_loop_->loop();
    if (loop && loop->service<GeneratorRegistry>().close_later(*this)) {
      release();
      return;
    }
  }
  // What it iterates may be a generator as well, and so on: beyond some depth they go later, one after the other.
  constexpr int kDeepest = 32;
  static constinit thread_local int depth = 0;
  static constinit thread_local GeneratorState* later = nullptr;  // linked by value_, which nobody asks for any more
  if (depth == kDeepest) {
    value_ = std::exchange(later, this);
    return;
  }
  ++depth;
  destroy_frame();
  delete this;
  while (depth == 1 && later) {
    GeneratorState* const next = later;
    later = static_cast<GeneratorState*>(std::exchange(next->value_, nullptr));
    next->destroy_frame();
    delete next;
  }
  --depth;
}

// ── the generators of a loop ────────────────────────────────────────────────────────────────────────────────────────

void GeneratorRegistry::add(GeneratorState& generator) {
  if (shut_down_) {
    loop_.call_exception_handler(ErrorContext("asynchronous generator " + generator.repr() +
                                              " was scheduled after loop.shutdown_asyncgens() call"));
  }
  generator.weak_loop_ = Ref<WeakLoop>(&loop_.weak_loop());
  generators_.push_back(generator);
}

void GeneratorRegistry::remove(GeneratorState& generator) noexcept {
  if (generator.linked()) generators_.remove(generator);
}

bool GeneratorRegistry::close_later(GeneratorState& generator) noexcept {
  if (closed_) return false;
  remove(generator);  // a task of its own closes it, not begin_shutdown()
  try {
    loop_.call_soon([state = Ref<GeneratorState>(&generator)] { create_task(close_generator(state)); });
  } catch (...) {  // no memory: it is destroyed without a clean-up
    return false;
  }
  return true;
}

std::vector<Ref<GeneratorState>> GeneratorRegistry::begin_shutdown() {
  shut_down_ = true;
  std::vector<Ref<GeneratorState>> all;
  for (GeneratorState& generator : generators_) all.emplace_back(&generator);
  return all;
}

}  // namespace detail

Coro<> shutdown_asyncgens(Loop& loop) {
  const std::vector<detail::Ref<detail::GeneratorState>> generators =
      loop.service<detail::GeneratorRegistry>().begin_shutdown();
  if (generators.empty()) co_return;
  std::vector<AnyTask> closing;
  for (const auto& generator : generators) {
    const auto task = create_task(detail::close_generator(generator));
    closing.push_back(task);
  }
  co_await detail::all_done(closing, loop);
  for (std::size_t i = 0; i < closing.size(); ++i) {
    if (closing[i].cancelled() || !closing[i].exception()) continue;
    const std::string which = generators[i]->repr();
    loop.call_exception_handler(
        ErrorContext("an error occurred during closing of asynchronous generator " + which, closing[i].exception())
            .with("asyncgen", which));
  }
}

}  // namespace asyncio

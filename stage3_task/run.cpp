#include "asyncio/run.h"

#include "asyncio/async_generator.h"
#include "asyncio/detail/signals.h"

namespace asyncio {

// ── Ctrl-C ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Runner::CatchSigint::CatchSigint(Runner& runner, AnyTask main) : runner_(runner) {
  runner_.main_ = std::move(main);
  runner_.interrupts_ = 0;
  installed_ = runner_.get_loop().service<detail::SignalHandlers>().catch_interrupts([&runner] { runner.on_sigint(); });
}

Runner::CatchSigint::~CatchSigint() {
  if (installed_) runner_.get_loop().service<detail::SignalHandlers>().release_interrupts();
  runner_.main_ = AnyTask();
}

void Runner::on_sigint() {
  if (main_.done() && main_.cancelled()) return;  // somebody else was faster: its CancelledError is on the way out
  if (++interrupts_ > 1 || main_.done()) throw KeyboardInterrupt();
  main_.cancel();
}

// ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

void Runner::check_may_run() {
  if (Loop::running_or_null()) throw std::runtime_error("Runner.run() cannot be called from a running event loop");
}

Loop& Runner::get_loop() {
  if (closed_) throw std::runtime_error("Runner is closed");
  if (!loop_) {
    core_ ? loop_.emplace(std::move(core_)) : loop_.emplace();
    if (debug_) loop_->set_debug(*debug_);
    context_ = copy_context();
  }
  return *loop_;
}

void Runner::close() {
  if (closed_ || !loop_) return;
  struct CloseAtEnd {
    Runner& runner;
    ~CloseAtEnd() {
      runner.closed_ = true;
      runner.loop_->close();
    }
  } const close_at_end{*this};
  cancel_all_tasks(*loop_);
  loop_->run_until_complete(shutdown_asyncgens(*loop_));
  // The thread pool, for one. CPython's shutdown_default_executor() takes some ticks even if there is none; callbacks
  // that are ready still run in them.
  if (!loop_->shut_down_services()) loop_->run_until_complete([]() -> Coro<> { co_return; });
}

Runner::~Runner() {
  try {
    close();
  } catch (...) {
    Loop::default_exception_handler(ErrorContext("Exception while closing a Runner", std::current_exception()));
  }
}

// Once: what is created while they end is not cancelled in its turn, but ended by close().
void Runner::cancel_all_tasks(Loop& loop) {
  const std::vector<AnyTask> tasks = all_tasks(loop);
  if (tasks.empty()) return;
  for (const AnyTask& task : tasks) task.cancel();

  loop.run_until_complete(detail::all_done(tasks, loop));

  for (const AnyTask& task : tasks) {
    if (task.cancelled() || !task.exception()) continue;
    loop.call_exception_handler(
        ErrorContext("unhandled exception during asyncio.run() shutdown", task.exception()).with("task", task.repr()));
  }
}

}  // namespace asyncio

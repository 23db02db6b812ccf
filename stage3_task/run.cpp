#include "asyncio/run.h"

#include "asyncio/async_generator.h"
#include "asyncio/call_graph.h"
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
  if (main_.done() && main_.cancelled()) return;  // somebody else did: its CancelledError is about to leave run()
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
  if (loop_->is_running()) {  // called by one of its own tasks
    for (const AnyTask& task : all_tasks(*loop_)) task.cancel();
    loop_->close();  // throws; the runner can be closed later
  }
  const detail::ScopeExit close([this] {
    closed_ = true;
    loop_->close();
  });
  cancel_all_tasks(*loop_);
  loop_->run_until_complete(shutdown_asyncgens(*loop_));
  // One service is the thread pool. CPython's shutdown_default_executor() takes some ticks even without a pool, and
  // ready callbacks still run in them.
  if (!loop_->shut_down_services()) loop_->run_until_complete([]() -> Coro<> { co_return; });
}

Runner::~Runner() {
  try {
    close();
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    try {
      Loop::default_exception_handler(ErrorContext("Exception while closing a Runner", error));
    } catch (...) {
      detail::report_without_memory("Exception while closing a Runner");
    }
  }
}

// A task that catches CancelledError and goes on keeps run() from returning, otherwise without a word.
static constexpr Duration kPatience = std::chrono::seconds(5);

static void report_slow_clean_up(Loop& loop) {
  loop.call_exception_handler(
      ErrorContext("asyncio.run() has cancelled all tasks, and still waits for some of them to end")
          .with("tasks", "\n" + format_task_tree(loop)));
}

// Once: tasks that are created meanwhile are not cancelled; close() ends them.
void Runner::cancel_all_tasks(Loop& loop) {
  const std::vector<AnyTask> tasks = all_tasks(loop);
  if (tasks.empty()) return;
  for (const AnyTask& task : tasks) task.cancel();

  TimerHandle patience;
  const detail::ScopeExit in_time([&] { patience.cancel(); });
  if (loop.get_debug()) patience = loop.call_later(kPatience, [&loop] { report_slow_clean_up(loop); });
  loop.run_until_complete(detail::all_done(tasks, loop));

  for (const AnyTask& task : tasks) {
    if (task.cancelled() || !task.exception()) continue;
    loop.call_exception_handler(
        ErrorContext("unhandled exception during asyncio.run() shutdown", task.exception()).with("task", task.repr()));
  }
}

}  // namespace asyncio

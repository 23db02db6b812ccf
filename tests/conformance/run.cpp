#include "run.h"

#include <algorithm>
#include <cstdlib>

namespace asyncio::conformance {

// ── the loop in virtual time ────────────────────────────────────────────────────────────────────────────────────────

// As VirtualCore, but it counts the ticks, and stops a loop that would wait for ever, or that never ends.
class Run::TickCore final : public Core {
 public:
  TickCore() { watching_ = true; }  // so that it is asked in every tick
  TimePoint now() override { return now_; }
  void wait(std::optional<TimePoint> until) override {
    if (until) {
      now_ = std::max(now_, *until);
    } else {
      loop->stop();
    }
  }
  void collect(ReadyQueue&) override {  // once a tick
    if (++tick_ >= kMaxTicks) loop->stop();
  }
  void wake() noexcept override {}

  int tick() const noexcept { return tick_; }
  Loop* loop = nullptr;

 private:
  static constexpr int kMaxTicks = 2000;
  TimePoint now_{};
  int tick_ = 0;
};

// ── what values and errors look like in a log ───────────────────────────────────────────────────────────────────────

std::string show(const Value& value) { return std::to_string(value.number()); }

namespace {

std::string show_item(const Value& value) { return show(value); }
std::string show_item(const Outcome<Value>& outcome) {
  return outcome.has_value() ? show(outcome.value()) : "!" + conformance::show_error(outcome.exception());
}

template <class Range>
std::string show_list(const Range& range) {
  std::string text;
  for (const auto& value : range) text += (text.empty() ? "" : ",") + show_item(value);
  return "[" + text + "]";
}
template <class T>
std::string show_pair(const std::tuple<T, T>& pair) {
  return "[" + show_item(std::get<0>(pair)) + "," + show_item(std::get<1>(pair)) + "]";
}

struct TypeName {
  std::string_view ours;
  std::string_view in_python;
};
constexpr TypeName kTypeNames[] = {
    {"asyncio::conformance::E1", "E1"},
    {"asyncio::conformance::E2", "E2"},
    {"asyncio::CancelledError", "C"},
    {"asyncio::TimeoutError", "Timeout"},
    {"asyncio::ExceptionGroup", "G"},
    {"asyncio::InvalidStateError", "InvalidStateError"},
    {"asyncio::BrokenBarrierError", "BrokenBarrierError"},
    {"asyncio::KeyboardInterrupt", "KeyboardInterrupt"},
    {"asyncio::SystemExit", "SystemExit"},
    {"asyncio::LookupError", "LookupError"},
    {"asyncio::QueueEmpty", "QueueEmpty"},
    {"asyncio::QueueFull", "QueueFull"},
    {"asyncio::QueueShutDown", "QueueShutDown"},
    {"std::invalid_argument", "ValueError"},
    {"std::runtime_error", "RuntimeError"},
};

std::string in_python(std::string_view type) {
  for (const TypeName& name : kTypeNames) {
    if (name.ours == type) return std::string(name.in_python);
  }
  return std::string(type);
}

}  // namespace

std::string show(const Values& values) { return show_list(values); }
std::string show(const Outcomes& values) { return show_list(values); }
std::string show(const Pair& values) { return show_pair(values); }
std::string show(const OutcomePair& values) { return show_pair(values); }

std::string show_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const CancelledError& error) {
    return error.has_message() ? "C(" + std::string(error.message()) + ")" : "C";
  } catch (const TimeoutError&) {
    return "Timeout";
  } catch (const KeyboardInterrupt&) {
    return "KeyboardInterrupt";
  } catch (const SystemExit&) {
    return "SystemExit";
  } catch (const GeneratorExit&) {
    return "GeneratorExit";
  } catch (const LookupError&) {
    return "LookupError";
  } catch (const ExceptionGroup& group) {
    std::string text;
    for (const auto& error : group.exceptions()) text += (text.empty() ? "" : ",") + show_error(error);
    return "G[" + text + "]";
  } catch (const E1& error) {
    return show_error("E1", error.what());
  } catch (const E2& error) {
    return show_error("E2", error.what());
  } catch (const InvalidStateError& error) {
    return show_error("InvalidStateError", std::string_view(error.what()).ends_with(" set.") ||
                                                   std::string_view(error.what()).ends_with("not ready.")
                                               ? "not done"
                                               : "done");
  } catch (const BrokenBarrierError& error) {
    return show_error("BrokenBarrierError", error.what());
  } catch (const QueueEmpty&) {
    return "QueueEmpty()";
  } catch (const QueueFull&) {
    return "QueueFull()";
  } catch (const QueueShutDown&) {
    return "QueueShutDown()";
  } catch (const std::invalid_argument& error) {
    return show_error("ValueError", error.what());
  } catch (const std::runtime_error& error) {
    return show_error("RuntimeError", error.what());
  } catch (const std::exception& error) {
    return show_error("C++", error.what());
  } catch (...) {
    return "C++";
  }
}

std::string show_final(const AnyFuture& future) {
  if (!future.done()) return "pending";
  if (future.cancelled()) return "cancelled";
  const std::string text = future.repr();
  const auto at = text.find("exception=");
  if (at == text.npos) return "=";
  const std::string_view type = std::string_view(text).substr(at + 10);
  return "!" + in_python(type.substr(0, std::min(type.find(": "), type.find('>'))));
}

std::string show_final(const Register& reg) {
  const std::string text = show_final(reg.any());
  if (text != "=") return text;
  return "=" + std::visit([](const auto& future) { return conformance::show(future.result()); }, reg.future);
}

// ── arguments ───────────────────────────────────────────────────────────────────────────────────────────────────────

int to_int(const Argument& argument) { return std::atoi(argument.word.c_str()); }
std::chrono::seconds to_delay(const Argument& argument) { return std::chrono::seconds(to_int(argument)); }
TimeLimit to_limit(const Argument& argument) {
  if (argument.word == "-") return TimeLimit();
  return TimeLimit(to_delay(argument));
}
std::string_view to_message(const Argument& argument) {
  return argument.word == "-" ? std::string_view() : std::string_view(argument.word);
}

std::exception_ptr make_error(const Argument& kind, const Argument& message) {
  const std::string text(to_message(message));
  if (kind.word == "E1") return std::make_exception_ptr(E1(text));
  if (kind.word == "E2") return std::make_exception_ptr(E2(text));
  if (kind.word == "C") return std::make_exception_ptr(CancelledError(text));
  if (kind.word == "T") return std::make_exception_ptr(TimeoutError());
  if (kind.word == "K") return std::make_exception_ptr(KeyboardInterrupt());
  if (kind.word == "X") return std::make_exception_ptr(SystemExit());
  if (kind.word == "V") return std::make_exception_ptr(std::invalid_argument(text));
  throw std::invalid_argument("unknown kind of error: " + kind.word);
}

// ── the log ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void Run::line(std::string text) {
  if (over_) return;
  if (core_->tick() != last_tick_) {
    last_tick_ = core_->tick();
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(core_->now().time_since_epoch());
    lines_ += "@" + std::to_string(last_tick_) + " " + std::to_string(now.count()) + "\n";
  }
  lines_ += std::move(text) + "\n";
}

void Run::log(int who, std::string_view text) { line(std::to_string(who) + " " + std::string(text)); }

void Run::on_error(const ErrorContext& context) {
  const std::string_view message = context.message;
  const std::string task = context.detail("task") + context.detail("future");
  std::string name = "Task";
  if (const auto at = task.find("name='"); at != task.npos) {
    name = task.substr(at + 6, task.find('\'', at + 6) - at - 6);
    if (name.starts_with("Task-")) name = "Task";
  } else if (!task.empty()) {
    name = task.substr(1, task.find(' ') - 1);
  }
  const std::string shown = " !" + (context.exception ? show_error(context.exception) : "nothing");
  if (message.ends_with("exception was never retrieved")) {
    late_.push_back("never " + name + shown);
  } else if (message == "Task was destroyed but it is pending!") {
    // It is among the final states.
  } else if (message.starts_with("Exception in callback")) {
    line("handler callback" + shown);
  } else if (message.starts_with("unhandled exception during asyncio.run()")) {
    line("handler shutdown " + name + shown);
  } else if (message.ends_with("exception in shielded future")) {
    line("handler shield" + shown);
  } else if (message.find("has errored out but its parent") != message.npos) {
    line("handler orphan " + name + shown);
  } else if (message.starts_with("an error occurred during closing of asynchronous generator")) {
    line("handler generator" + shown);
  } else if (message.ends_with("was scheduled after loop.shutdown_asyncgens() call")) {
    // A warning, in Python.
  } else {
    line("handler " + context.message + shown);
  }
}

// ── running blocks ──────────────────────────────────────────────────────────────────────────────────────────────────

Coro<bool> Run::run_block(Scope& scope, const Block& block) { return run_statements(scope, block.statements); }

Coro<bool> Run::run_statements(Scope& scope, std::span<const Statement> statements) {
  return conformance::run_statements(*this, scope.who, statements, scope);
}

void Run::run_callback(const Block& block) {
  Scope scope(block.id, block.id);
  log(block.id, "*");
  run_callback_statements(*this, scope.who, block.statements, scope);
}

Coro<Value> Run::coroutine(const Block& block, int rank) {
  Scope scope(block.id, rank);
  log(block.id, "+");
  try {
    co_await run_block(scope, block);
  } catch (...) {
    log(block.id, "+ !" + show_error(std::current_exception()));
    throw;
  }
  log(block.id, "+ =" + conformance::show(scope.value));
  co_return scope.value;
}

// ── operands ────────────────────────────────────────────────────────────────────────────────────────────────────────

Future<Value> Register::plain() const {
  if (const auto* found = std::get_if<Future<Value>>(&future)) return *found;
  if (const auto* found = std::get_if<Task<Value>>(&future)) return *found;
  return Future<Value>();
}

const Register* Run::find(const std::string& name) {
  auto found = registers_.find(name);
  if (found == registers_.end()) {
    if (name.front() != 'f') return nullptr;
    found = registers_.emplace(name, Register(Future<Value>(*loop_), Register::kNoRank)).first;
  }
  return &found->second;
}

struct Run::Primitives {
  Lock lock0, lock1;
  Event event0, event1;
  Condition condition0;
  Condition condition1{lock0};
  Semaphore semaphore0{1}, semaphore1{2}, semaphore2{0};
  BoundedSemaphore semaphore3{1};
  Barrier barrier0{2}, barrier1{3};
  Queue<Value> queue0;
  Queue<Value> queue1{1};
  LifoQueue<Value> queue2{2};
  PriorityQueue<Value> queue3;
  PriorityQueue<Value> queue4{2};

  void* find(const std::string& name) {
    const std::pair<std::string_view, void*> all[] = {
        {"L0", &lock0},
        {"L1", &lock1},
        {"E0", &event0},
        {"E1", &event1},
        {"C0", &condition0},
        {"C1", &condition1},
        {"S0", &semaphore0},
        {"S1", &semaphore1},
        {"S2", &semaphore2},
        {"S3", static_cast<Semaphore*>(&semaphore3)},
        {"B0", &barrier0},
        {"B1", &barrier1},
        {"Q0", static_cast<detail::QueueBase*>(&queue0)},
        {"Q1", static_cast<detail::QueueBase*>(&queue1)},
        {"Q2", static_cast<detail::QueueBase*>(&queue2)},
        {"Q3", static_cast<detail::QueueBase*>(&queue3)},
        {"Q4", static_cast<detail::QueueBase*>(&queue4)},
    };
    for (const auto& [known, primitive] : all) {
      if (known == name) return primitive;
    }
    throw std::invalid_argument("unknown name: " + name);
  }
};

void* Run::primitive_named(const std::string& name) {
  if (name == "C1") touched_["L0"] = true;
  touched_[name] = true;
  return primitives_->find(name);
}

std::string Run::state_of(const std::string& name) {
  const auto locked = [](bool is_locked) { return std::string(is_locked ? "locked" : "unlocked"); };
  switch (name.front()) {
    case 'E':
      return primitive<Event>(name).is_set() ? "set" : "unset";
    case 'B': {
      const auto& barrier = primitive<Barrier>(name);
      return std::to_string(barrier.n_waiting()) + (barrier.broken() ? " broken" : " whole");
    }
    case 'Q': {
      const auto& queue = primitive<detail::QueueBase>(name);
      return std::to_string(queue.qsize()) + " " + (queue.empty() ? "empty" : "") + (queue.full() ? "full" : "");
    }
    case 'L':
      return locked(primitive<Lock>(name).locked());
    case 'C':
      return locked(primitive<Condition>(name).locked());
    default:
      return locked(primitive<Semaphore>(name).locked());
  }
}

// ── the whole ───────────────────────────────────────────────────────────────────────────────────────────────────────

Run::Run() : primitives_(std::make_unique<Primitives>()) {}
Run::~Run() = default;

// The loop's services are closed in the reverse order of their making: this one before the registry of tasks, which
// ends those that are pending.
class Run::FinalStates final : public LoopService {
 public:
  explicit FinalStates(Loop&) noexcept {}
  void on_close() noexcept override { run->log_final_states(); }
  Run* run = nullptr;
};

void Run::log_final_states() {
  for (const auto& [name, reg] : registers_) final_states_ += name + " " + show_final(reg) + "\n";
  const auto touched = touched_;
  for (const auto& [name, is] : touched) final_states_ += name + " " + state_of(name) + "\n";
  over_ = true;
}

std::string Run::run(const std::string& text) {
  const auto program = parse(text);
  auto core = std::make_unique<TickCore>();
  core_ = core.get();
  Runner runner(std::move(core));
  loop_ = core_->loop = &runner.get_loop();
  loop_->set_exception_handler([this](Loop&, const ErrorContext& context) { on_error(context); });
  loop_->service<detail::TaskRegistry>();
  loop_->service<FinalStates>().run = this;
  try {
    const Value value = runner.run(coroutine(*program));
    line("run =" + conformance::show(value));
  } catch (...) {
    line("run !" + show_error(std::current_exception()));
  }
  try {
    runner.close();
  } catch (...) {
    over_ = false;
    line("close !" + show_error(std::current_exception()));
    over_ = true;
  }
  registers_.clear();  // all that a user would hold, so that what was never looked at is reported
  callbacks.clear();
  handles.clear();
  iterations.clear();
  generators.clear();
  primitives_.reset();
  std::sort(late_.begin(), late_.end());
  std::string log = std::move(lines_) + final_states_;
  for (const std::string& entry : late_) log += entry + "\n";
  return log;
}

std::string run_program(const std::string& text) { return Run().run(text); }

const Operation* find_operation(const std::string& word) {
  static const Words words = [] {
    Words all;
    add_task_words(all);
    add_context_words(all);
    add_combinator_words(all);
    add_sync_words(all);
    return all;
  }();
  const auto found = words.find(word);
  return found == words.end() ? nullptr : &found->second;
}

}  // namespace asyncio::conformance

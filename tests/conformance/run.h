// One run of one scenario on our asyncio, in virtual time, and its log.
// Mirrors: oracle.py, class Run; what each word does is in words_*.cpp, in the same order as there. Read next: run.cpp
#pragma once

#include "statements.h"

#include <asyncio/async_generator.h>
#include <asyncio/barrier.h>
#include <asyncio/condition.h>
#include <asyncio/event.h>
#include <asyncio/gather.h>
#include <asyncio/lifo_queue.h>
#include <asyncio/lock.h>
#include <asyncio/priority_queue.h>
#include <asyncio/queue.h>
#include <asyncio/run.h>
#include <asyncio/semaphore.h>
#include <asyncio/task_group.h>
#include <asyncio/timeouts.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

namespace asyncio::conformance {

class Run;

/// The number that futures and queues carry. One that was moved from says so in the log.
class Value {
 public:
  explicit Value(int number = 0) noexcept : number_(number) {}
  Value(const Value&) = default;
  Value(Value&& other) noexcept : number_(std::exchange(other.number_, -999)) {}
  Value& operator=(const Value&) = default;
  Value& operator=(Value&& other) noexcept {
    number_ = std::exchange(other.number_, -999);
    return *this;
  }
  int number() const noexcept { return number_; }
  friend bool operator<(const Value& a, const Value& b) noexcept { return a.number_ < b.number_; }

 private:
  int number_;
};

class E1 : public std::runtime_error {
  using std::runtime_error::runtime_error;
};
class E2 : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Of one coroutine (or callback): its name, the rank of its task, and the timeouts it is in.
struct Scope {
  Scope(int name, int task_rank) : who(name), rank(task_rank) {}

  int who;
  int rank;
  Value value;
  std::vector<Timeout*> timeouts;
  bool running = false;  // of a generator: somebody iterates it now
};

/// One of the two is set: a word that can be used in callbacks, or one that waits.
struct Operation {
  using Now = Result (*)(Run&, Scope&, const Arguments&);
  using Later = Coro<Result> (*)(Run&, Scope&, const Arguments&);
  Now now = nullptr;
  Later later = nullptr;
};

using Words = std::unordered_map<std::string, Operation>;
void add_task_words(Words& words);
void add_context_words(Words& words);
void add_combinator_words(Words& words);
void add_sync_words(Words& words);

using Values = std::vector<Value>;
using Outcomes = std::vector<Outcome<Value>>;
using Pair = std::tuple<Value, Value>;
using OutcomePair = std::tuple<Outcome<Value>, Outcome<Value>>;

/// What a name like f0 or r1 stands for: a future and its rank. A task may await only what ranks higher than itself:
/// so no circle of tasks that await each other can form, through which cancel() would run for ever; and none awaits
/// itself.
struct Register {
  using AnyOf =
      std::variant<Future<Value>, Task<Value>, Future<Values>, Future<Outcomes>, Future<Pair>, Future<OutcomePair>>;
  static constexpr int kNoRank = 1 << 30;

  template <class F>
  Register(F handle, int register_rank) : future(std::move(handle)), rank(register_rank) {}

  AnyFuture any() const {
    return std::visit([](const auto& handle) { return AnyFuture(handle); }, future);
  }
  /// Whether its result is one number: then as the Future<Value> that it is, otherwise empty.
  Future<Value> plain() const;

  AnyOf future;
  int rank;
};

std::string show(const Value& value);
std::string show(const Values& values);
std::string show(const Outcomes& values);
std::string show(const Pair& values);
std::string show(const OutcomePair& values);
/// The state of a future, without looking at its exception: that would count as retrieving it.
std::string show_final(const AnyFuture& future);
std::string show_final(const Register& reg);

int to_int(const Argument& argument);
std::chrono::seconds to_delay(const Argument& argument);
TimeLimit to_limit(const Argument& argument);
std::string_view to_message(const Argument& argument);
std::exception_ptr make_error(const Argument& kind, const Argument& message);

class Run {
 public:
  using Word = Operation;

  Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run();

  /// The log of a program, one line after the other.
  std::string run(const std::string& text);

  // ── for the words ──
  void log(int who, std::string_view text);
  Coro<bool> run_block(Scope& scope, const Block& block);
  Coro<bool> run_statements(Scope& scope, std::span<const Statement> statements);
  void run_callback(const Block& block);
  /// A block as a coroutine of its own.
  Coro<Value> coroutine(const Block& block, int rank);
  Coro<Value> coroutine(const Block& block) { return coroutine(block, block.id); }

  /// A block as an asynchronous generator: it yields between its statements, not inside of them. However it ends,
  /// `ending` is run; there it cannot yield, and so never does when it is being closed.
  AsyncGenerator<Value> generator(std::shared_ptr<Scope> scope, const Block& block, const Block* ending);

  /// Null if it is empty; a future is made at its first use.
  const Register* find(const std::string& name);
  void put(const std::string& name, Register value) { registers_.insert_or_assign(name, std::move(value)); }
  static bool may_await(const Scope& scope, const Register& reg) { return reg.rank > scope.rank; }
  Loop& loop() const { return *loop_; }

  template <class P>
  P& primitive(const std::string& name) {
    return *static_cast<P*>(primitive_named(name));
  }
  std::string state_of(const std::string& name);

  struct Registration {
    AnyFuture future;
    CallbackId id;
  };
  std::map<std::string, Registration> callbacks;
  std::map<std::string, Handle> handles;
  std::map<std::string, TaskGroup*> groups;
  struct Iteration;  // over as_completed()
  std::map<std::string, std::shared_ptr<Iteration>> iterations;
  struct Generator {
    AsyncGenerator<Value> values;
    std::shared_ptr<Scope> scope;
  };
  std::map<std::string, Generator> generators;
  std::map<std::string, Context> contexts;
  using Variable = ContextVar<int>;
  struct VariableToken {
    const Variable* variable;
    Variable::Token token;
  };
  std::map<std::string, VariableToken> tokens;

 private:
  class FinalStates;
  void* primitive_named(const std::string& name);
  void on_error(const ErrorContext& context);
  void line(std::string text);
  void log_final_states();

  struct Primitives;
  class TickCore;
  TickCore* core_ = nullptr;
  Loop* loop_ = nullptr;
  std::string lines_;
  std::string final_states_;
  std::vector<std::string> late_;  // what is only known when objects die
  bool over_ = false;
  int last_tick_ = -1;
  std::map<std::string, Register> registers_;
  std::map<std::string, bool> touched_;
  std::unique_ptr<Primitives> primitives_;
};

}  // namespace asyncio::conformance

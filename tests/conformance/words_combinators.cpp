// What the words of stage 4 do: gather, shield, wait, as_completed, wait_for, timeouts, task groups.
#include "run.h"

#include <asyncio/as_completed.h>
#include <asyncio/gather.h>
#include <asyncio/shield.h>
#include <asyncio/task_group.h>
#include <asyncio/timeouts.h>
#include <asyncio/wait.h>
#include <asyncio/wait_for.h>

#include <algorithm>

namespace asyncio::conformance {

namespace {

/// Something to hand to a combinator: a block, which becomes a coroutine, or a future.
struct Operand {
  Operand(std::string name, const Block* statements, AnyFuture any_future, Future<Value> number, int its_rank)
      : label(std::move(name)),
        block(statements),
        any(std::move(any_future)),
        plain(std::move(number)),
        rank(its_rank) {}

  std::string label;
  const Block* block;
  AnyFuture any;
  Future<Value> plain;  // empty unless the result is one number
  int rank;
};

}  // namespace

/// An as_completed() that several tasks may share.
struct Run::Iteration {
  Iteration(AsCompleted<Future<Value>> all, std::vector<Operand> its_operands)
      : futures(std::move(all)), operands(std::move(its_operands)) {}

  AsCompleted<Future<Value>> futures;
  std::vector<Operand> operands;
};

namespace {

std::vector<Operand> operands(Run& run, const Arguments& args, std::size_t first, bool only_plain) {
  std::vector<Operand> found;
  for (std::size_t i = first; i < args.size(); ++i) {
    if (const Block* block = args[i].block.get()) {
      found.emplace_back(std::to_string(block->id), block, AnyFuture(), Future<Value>(), block->id);
    } else if (const Register* reg = run.find(args[i].word); reg && (!only_plain || reg->plain())) {
      found.emplace_back(args[i].word, nullptr, reg->any(), reg->plain(), reg->rank);
    }
  }
  return found;
}

bool all_are_blocks(const std::vector<Operand>& operands) {
  return std::all_of(operands.begin(), operands.end(), [](const Operand& operand) { return operand.block; });
}

std::vector<Coro<Value>> as_coroutines(Run& run, const std::vector<Operand>& operands) {
  std::vector<Coro<Value>> coroutines;
  for (const Operand& operand : operands) coroutines.push_back(run.coroutine(*operand.block));
  return coroutines;
}

std::vector<Future<Value>> as_futures(Run& run, const std::vector<Operand>& operands) {
  std::vector<Future<Value>> futures;
  for (const Operand& operand : operands) {
    futures.push_back(operand.block ? Future<Value>(create_task(run.coroutine(*operand.block))) : operand.plain);
  }
  return futures;
}

// ── gather and shield ───────────────────────────────────────────────────────────────────────────────────────────────

// Two operands go through the variadic form, which gives a tuple; others through a vector of what they are.
template <class... Flag>
Register gather_operands(Run& run, const std::vector<Operand>& all, Flag... flag) {
  int rank = Register::kNoRank;
  for (const Operand& operand : all) rank = std::min(rank, operand.rank);
  if (all.size() == 2) {
    const auto [a, b] = std::tie(all[0], all[1]);
    if (a.block && b.block) {
      return Register(gather(flag..., run.coroutine(*a.block), run.coroutine(*b.block)), rank);
    }
    if (a.block) return Register(gather(flag..., run.coroutine(*a.block), b.plain), rank);
    if (b.block) return Register(gather(flag..., a.plain, run.coroutine(*b.block)), rank);
    return Register(gather(flag..., a.plain, b.plain), rank);
  }
  if (!all.empty() && all_are_blocks(all)) return Register(gather(flag..., as_coroutines(run, all)), rank);
  return Register(gather(flag..., as_futures(run, all)), rank);
}

Result gather_word(Run& run, Scope&, const Arguments& args) {
  run.put(args[0].word, gather_operands(run, operands(run, args, 1, true)));
  return Result();
}

Result gatherx(Run& run, Scope&, const Arguments& args) {
  run.put(args[0].word, gather_operands(run, operands(run, args, 1, true), return_exceptions));
  return Result();
}

Result shield_word(Run& run, Scope&, const Arguments& args) {
  if (const Block* block = args[1].block.get()) {
    run.put(args[0].word, Register(shield(run.coroutine(*block)), block->id));
  } else if (const Register* reg = run.find(args[1].word)) {
    const Register inner = *reg;
    const Register outer =
        std::visit([&](const auto& future) { return Register(shield(future), inner.rank); }, inner.future);
    run.put(args[0].word, outer.any() == inner.any() ? inner : outer);  // the same: then a task remains a task
  } else {
    return skip();
  }
  return Result();
}

// ── wait and as_completed ───────────────────────────────────────────────────────────────────────────────────────────

std::string labels(const std::vector<AnyFuture>& futures, const std::vector<Operand>& operands) {
  std::string text;
  for (const AnyFuture& future : futures) {
    const auto found =
        std::find_if(operands.begin(), operands.end(), [&](const Operand& o) { return o.any == future; });
    text += (text.empty() ? "" : ",") + (found == operands.end() ? "new" : found->label);
  }
  return text;
}

Coro<Result> wait_word(Run& run, Scope&, const Arguments& args) {
  const std::vector<Operand> all = operands(run, args, 2, false);
  std::vector<AnyFuture> futures;
  for (const Operand& operand : all) futures.push_back(operand.any);
  WaitOptions options;
  options.timeout = to_limit(args[1]);
  options.return_when = args[0].word == "first"   ? FIRST_COMPLETED
                        : args[0].word == "error" ? FIRST_EXCEPTION
                                                  : ALL_COMPLETED;
  WaitResult<AnyFuture> result = co_await wait(futures, options);
  co_return Result(labels(result.done, all) + "|" + labels(result.pending, all));
}

template <class A>
Coro<Result> as_completed_plain(Run& run, Scope& scope, std::vector<A> awaitables, TimeLimit limit) {
  auto all = as_completed(std::move(awaitables), limit);
  for (auto& next : all) {
    try {
      Value value = co_await next;
      run.log(scope.who, "asc " + show(value));
    } catch (...) {
      if (!is_exception(std::current_exception())) throw;
      run.log(scope.who, "asc !" + show_error(std::current_exception()));
    }
  }
  co_return Result();
}

Coro<Result> asc(Run& run, Scope& scope, const Arguments& args) {
  const std::vector<Operand> all = operands(run, args, 1, true);
  const TimeLimit limit = to_limit(args[0]);
  auto iterating = all_are_blocks(all) ? as_completed_plain(run, scope, as_coroutines(run, all), limit)
                                       : as_completed_plain(run, scope, as_futures(run, all), limit);
  Result result = co_await std::move(iterating);
  co_return result;
}

template <class A>
Coro<Result> as_completed_async(Run& run, Scope& scope, std::vector<Operand> operands, std::vector<A> awaitables,
                                TimeLimit limit) {
  auto all = as_completed(std::move(awaitables), limit);
  for (;;) {
    auto next = co_await all.next();
    if (!next) break;
    const Register completed(*next, 0);
    std::vector<AnyFuture> just_this(1, completed.any());
    run.log(scope.who, "asa " + labels(just_this, operands) + " " + show_final(completed));
  }
  co_return Result();
}

Coro<Result> asa(Run& run, Scope& scope, const Arguments& args) {
  const std::vector<Operand> all = operands(run, args, 1, true);
  const TimeLimit limit = to_limit(args[0]);
  auto iterating = all_are_blocks(all) ? as_completed_async(run, scope, all, as_coroutines(run, all), limit)
                                       : as_completed_async(run, scope, all, as_futures(run, all), limit);
  Result result = co_await std::move(iterating);
  co_return result;
}

Result asnew(Run& run, Scope&, const Arguments& args) {
  const std::vector<Operand> all = operands(run, args, 2, true);
  run.iterations[args[0].word] =
      std::make_shared<Run::Iteration>(as_completed(as_futures(run, all), to_limit(args[1])), all);
  return Result();
}

Coro<Result> asnext(Run& run, Scope&, const Arguments& args) {
  const auto found = run.iterations.find(args[0].word);
  if (found == run.iterations.end()) co_return skip();
  const std::shared_ptr<Run::Iteration> iteration = found->second;
  auto next = co_await iteration->futures.next();
  if (!next) co_return Result("end");
  const Register completed(*next, 0);
  const std::vector<AnyFuture> just_this(1, completed.any());
  co_return Result(labels(just_this, iteration->operands) + " " + show_final(completed));
}

// ── time limits ─────────────────────────────────────────────────────────────────────────────────────────────────────

template <class A>
Coro<Result> wait_for_and_show(A awaitable, TimeLimit limit) {
  const auto value = co_await wait_for(std::move(awaitable), limit);
  co_return Result(show(value));
}

Coro<Result> wfor(Run& run, Scope& scope, const Arguments& args) {
  const TimeLimit limit = to_limit(args[0]);
  Coro<Result> waiting;
  if (const Block* block = args[1].block.get()) {
    waiting = wait_for_and_show(run.coroutine(*block, scope.rank), limit);
  } else {
    const Register* reg = run.find(args[1].word);
    if (!reg || !run.may_await(scope, *reg)) co_return skip();
    waiting = std::visit([&](const auto& future) { return wait_for_and_show(future, limit); }, reg->future);
  }
  Result result = co_await std::move(waiting);
  co_return result;
}

/// A body for timeout().
class InTimeout {
 public:
  InTimeout(Run& run, Scope& scope, const Block& block) : run_(run), scope_(scope), block_(block) {}
  Coro<bool> operator()(Timeout& limit) { return body(run_, scope_, block_, limit); }

 private:
  static Coro<bool> body(Run& run, Scope& scope, const Block& block, Timeout& limit) {
    scope.timeouts.push_back(&limit);
    const Pop pop(scope);
    const bool returned = co_await run.run_block(scope, block);
    co_return returned;
  }
  struct Pop {
    explicit Pop(Scope& in) : scope(in) {}
    ~Pop() { scope.timeouts.pop_back(); }
    Scope& scope;
  };
  Run& run_;
  Scope& scope_;
  const Block& block_;
};

Coro<Result> tmo(Run& run, Scope& scope, const Arguments& args) {
  InTimeout body(run, scope, *args[1].block);
  const bool returned = co_await timeout(to_limit(args[0]), body);
  co_return Result::from_block(returned);
}

Coro<Result> tat(Run& run, Scope& scope, const Arguments& args) {
  InTimeout body(run, scope, *args[1].block);
  std::optional<TimePoint> when;
  if (args[0].word != "-") when = TimePoint(to_delay(args[0]));
  Timeout limit(when);
  std::exception_ptr error;
  bool returned = false;
  try {
    const bool left = co_await timeout(limit, body);
    returned = left;
  } catch (...) {
    error = std::current_exception();
  }
  run.log(scope.who, limit.expired() ? "after T" : "after F");
  if (error) std::rethrow_exception(error);
  co_return Result::from_block(returned);
}

Result resched(Run& run, Scope& scope, const Arguments& args) {
  if (scope.timeouts.empty()) return skip();
  std::optional<TimePoint> when;
  if (args[0].word != "-") when = run.loop().time() + to_delay(args[0]);
  scope.timeouts.back()->reschedule(when);
  return Result();
}

Result expired(Run&, Scope& scope, const Arguments&) {
  if (scope.timeouts.empty()) return skip();
  const Timeout& limit = *scope.timeouts.back();
  std::string when = "-";
  if (limit.when()) {
    when = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(limit.when()->time_since_epoch()).count());
  }
  return Result(when + (limit.expired() ? " T" : " F"));
}

// ── task groups ─────────────────────────────────────────────────────────────────────────────────────────────────────

/// While it lives, the name stands for the group.
class GroupName {
 public:
  GroupName(Run& run, std::string name) : run_(run), name_(std::move(name)) {}
  GroupName(const GroupName&) = delete;
  ~GroupName() {
    const auto found = run_.groups.find(name_);
    if (group_ && found != run_.groups.end() && found->second == group_) run_.groups.erase(found);
  }
  void set(TaskGroup& group) { group_ = run_.groups[name_] = &group; }

 private:
  Run& run_;
  std::string name_;
  TaskGroup* group_ = nullptr;
};

Coro<> run_block_into(bool& returned, Run& run, Scope& scope, const Block& block) {
  const bool left = co_await run.run_block(scope, block);
  returned = left;
}

Coro<Result> tg(Run& run, Scope& scope, const Arguments& args) {
  GroupName name(run, args[0].word);
  bool returned = false;  // not the body's result: one that is cancelled by TaskGroup::cancel() has none
  const auto body = [&](TaskGroup& group) {
    name.set(group);
    return run_block_into(returned, run, scope, *args[1].block);
  };
  co_await task_group(body);
  co_return Result::from_block(returned);
}

Result tgs(Run& run, Scope&, const Arguments& args) {
  const auto found = run.groups.find(args[0].word);
  if (found == run.groups.end()) return skip();
  const Block& block = *args[2].block;
  const std::string name = std::to_string(block.id);
  run.put(args[1].word, Register(found->second->create_task(run.coroutine(block), {.name = name}), block.id));
  return Result();
}

Result tgcancel(Run& run, Scope&, const Arguments& args) {
  const auto found = run.groups.find(args[0].word);
  if (found == run.groups.end()) return skip();
  found->second->cancel();
  return Result();
}

}  // namespace

void add_combinator_words(Words& words) {
  words["gather"].now = gather_word;
  words["gatherx"].now = gatherx;
  words["shield"].now = shield_word;
  words["wait"].later = wait_word;
  words["asc"].later = asc;
  words["asa"].later = asa;
  words["asnew"].now = asnew;
  words["asnext"].later = asnext;
  words["wfor"].later = wfor;
  words["tmo"].later = tmo;
  words["tat"].later = tat;
  words["resched"].now = resched;
  words["expired"].now = expired;
  words["tg"].later = tg;
  words["tgs"].now = tgs;
  words["tgcancel"].now = tgcancel;
}

}  // namespace asyncio::conformance

// What the words of stages 1 to 3 do: a task's own course, futures, tasks, callbacks of the loop.
#include "run.h"

#include <asyncio/sleep.h>

namespace asyncio::conformance {
namespace {

// ── a task's own course ─────────────────────────────────────────────────────────────────────────────────────────────

Coro<Result> sleep_word(Run&, Scope&, const Arguments& args) {
  co_await sleep(to_delay(args[0]));
  co_return Result();
}

Coro<Result> sleepv_word(Run&, Scope&, const Arguments& args) {
  Value value = co_await sleep(to_delay(args[0]), Value(to_int(args[1])));
  co_return Result(show(value));
}

Result ret(Run&, Scope& scope, const Arguments& args) {
  scope.value = Value(to_int(args[0]));
  return Result::from_return();
}

Result raise_word(Run&, Scope&, const Arguments& args) { std::rethrow_exception(make_error(args[0], args[1])); }

bool catches(char kind, const std::exception_ptr& error) {
  return kind == 'a' || (kind == 'c' ? detail::is_cancelled_error(error) : is_exception(error));
}

// try {…} [cc|cr|ec|er|ac|ar {…}] [fin {…}]: catches CancelledError, exceptions, or all; then swallows or rethrows.
Coro<Result> try_word(Run& run, Scope& scope, const Arguments& args) {
  std::exception_ptr pending;
  bool returned = false;
  try {
    const bool left = co_await run.run_block(scope, *args[0].block);
    returned = left;
  } catch (...) {
    pending = std::current_exception();
  }
  for (std::size_t i = 1; i + 1 < args.size(); i += 2) {
    const std::string& clause = args[i].word;
    if (clause == "fin") {
      run.log(scope.who, "finally");
      const bool left = co_await run.run_block(scope, *args[i + 1].block);
      if (left) co_return Result::from_return();
    } else if (pending && catches(clause[0], pending)) {
      const std::exception_ptr caught = std::exchange(pending, nullptr);
      run.log(scope.who, "caught " + show_error(caught));
      try {
        const bool left = co_await run.run_block(scope, *args[i + 1].block);
        returned = left;
        if (clause[1] == 'r' && !returned) pending = caught;
      } catch (...) {
        pending = std::current_exception();
      }
    }
  }
  if (pending) std::rethrow_exception(pending);
  co_return Result::from_block(returned);
}

Result cancelme(Run&, Scope&, const Arguments& args) {
  const AnyTask me = current_task();
  return me ? flag(me.cancel(to_message(args[0]))) : skip();
}

Result uncancel(Run&, Scope&, const Arguments&) {
  const AnyTask me = current_task();
  return me ? Result(std::to_string(me.uncancel())) : skip();
}

Result uncancelr(Run& run, Scope&, const Arguments& args) {
  const Register* reg = run.find(args[0].word);
  const auto* task = reg ? std::get_if<Task<Value>>(&reg->future) : nullptr;
  return task ? Result(std::to_string(task->uncancel())) : skip();
}

Result cancelling(Run&, Scope&, const Arguments&) {
  const AnyTask me = current_task();
  return me ? Result(std::to_string(me.cancelling())) : skip();
}

Result tasks(Run& run, Scope&, const Arguments&) { return Result(std::to_string(all_tasks(run.loop()).size())); }

// ── futures and tasks ───────────────────────────────────────────────────────────────────────────────────────────────

Result set(Run& run, Scope&, const Arguments& args) {
  std::get<Future<Value>>(run.find(args[0].word)->future).set_result(Value(to_int(args[1])));
  return Result();
}

Result exc(Run& run, Scope&, const Arguments& args) {
  std::get<Future<Value>>(run.find(args[0].word)->future).set_exception(make_error(args[1], args[2]));
  return Result();
}

Result cancel(Run& run, Scope&, const Arguments& args) {
  const Register* reg = run.find(args[0].word);
  return reg ? flag(reg->any().cancel(to_message(args[1]))) : skip();
}

Result res(Run& run, Scope&, const Arguments& args) {
  const Register* reg = run.find(args[0].word);
  if (!reg) return skip();
  return Result(std::visit([](const auto& future) { return show(future.result()); }, reg->future));
}

Result exn(Run& run, Scope&, const Arguments& args) {
  const Register* reg = run.find(args[0].word);
  if (!reg) return skip();
  const std::exception_ptr error = reg->any().exception();
  return Result(error ? "!" + show_error(error) : "none");
}

Result state(Run& run, Scope&, const Arguments& args) {
  const Register* reg = run.find(args[0].word);
  if (!reg) return skip();
  return Result(reg->any().cancelled() ? "cancelled" : reg->any().done() ? "done" : "pending");
}

template <class F>
Coro<Result> await_future(F future) {
  const auto& value = co_await future;
  co_return Result(show(value));
}

Coro<Result> await_word(Run& run, Scope& scope, const Arguments& args) {
  const Register* reg = run.find(args[0].word);
  if (!reg || !run.may_await(scope, *reg)) co_return skip();
  auto awaiting = std::visit([](const auto& future) { return await_future(future); }, reg->future);
  Result result = co_await std::move(awaiting);
  co_return result;
}

Result spawn(Run& run, const Arguments& args, std::optional<bool> eager) {
  const Block& block = *args[1].block;
  const std::string name = std::to_string(block.id);
  run.put(args[0].word, Register(create_task(run.coroutine(block), {.name = name, .eager_start = eager}), block.id));
  return Result();
}
Result spawn(Run& run, Scope&, const Arguments& args) { return spawn(run, args, std::nullopt); }
Result spawne(Run& run, Scope&, const Arguments& args) { return spawn(run, args, true); }
Result spawnl(Run& run, Scope&, const Arguments& args) { return spawn(run, args, false); }

Result factory(Run& run, Scope&, const Arguments& args) {
  set_task_factory(run.loop(), args[0].word == "eager" ? TaskFactory(eager_task_factory) : TaskFactory());
  return Result();
}

Result cb(Run& run, Scope&, const Arguments& args) {
  const Register* reg = run.find(args[0].word);
  if (!reg) return skip();
  const AnyFuture future = reg->any();
  const CallbackId id =
      future.add_done_callback([&run, &block = *args[2].block](AnyFuture&) { run.run_callback(block); });
  run.callbacks.insert_or_assign(args[1].word, Run::Registration{future, id});
  return Result();
}

Result rmcb(Run& run, Scope&, const Arguments& args) {
  const auto found = run.callbacks.find(args[0].word);
  if (found == run.callbacks.end()) return skip();
  return Result(std::to_string(found->second.future.remove_done_callback(found->second.id)));
}

// ── callbacks of the loop ───────────────────────────────────────────────────────────────────────────────────────────

Result soon(Run& run, Scope&, const Arguments& args) {
  run.handles[args[0].word] = run.loop().call_soon([&run, &block = *args[1].block] { run.run_callback(block); });
  return Result();
}

Result later(Run& run, Scope&, const Arguments& args) {
  const auto callback = [&run, &block = *args[2].block] { run.run_callback(block); };
  run.handles[args[0].word] = run.loop().call_later(to_delay(args[1]), callback);
  return Result();
}

Result soonts(Run& run, Scope&, const Arguments& args) {
  run.loop().call_soon_threadsafe([&run, &block = *args[0].block] { run.run_callback(block); });
  return Result();
}

Result stop(Run& run, Scope&, const Arguments&) {
  run.loop().stop();
  return Result();
}

Result at(Run& run, Scope&, const Arguments& args) {
  const auto callback = [&run, &block = *args[2].block] { run.run_callback(block); };
  run.handles[args[0].word] = run.loop().call_at(TimePoint(to_delay(args[1])), callback);
  return Result();
}

Result hcancel(Run& run, Scope&, const Arguments& args) {
  const auto found = run.handles.find(args[0].word);
  if (found == run.handles.end()) return skip();
  found->second.cancel();
  return Result();
}

Result hstate(Run& run, Scope&, const Arguments& args) {
  const auto found = run.handles.find(args[0].word);
  return found == run.handles.end() ? skip() : flag(found->second.cancelled());
}

}  // namespace

void add_task_words(Words& words) {
  words["sleep"].later = sleep_word;
  words["sleepv"].later = sleepv_word;
  words["ret"].now = ret;
  words["raise"].now = raise_word;
  words["try"].later = try_word;
  words["cancelme"].now = cancelme;
  words["uncancel"].now = uncancel;
  words["uncancelr"].now = uncancelr;
  words["cancelling"].now = cancelling;
  words["tasks"].now = tasks;
  words["set"].now = set;
  words["exc"].now = exc;
  words["cancel"].now = cancel;
  words["res"].now = res;
  words["exn"].now = exn;
  words["state"].now = state;
  words["await"].later = await_word;
  words["spawn"].now = spawn;
  words["spawne"].now = spawne;
  words["spawnl"].now = spawnl;
  words["factory"].now = factory;
  words["cb"].now = cb;
  words["rmcb"].now = rmcb;
  words["soon"].now = soon;
  words["later"].now = later;
  words["soonts"].now = soonts;
  words["stop"].now = stop;
  words["at"].now = at;
  words["hcancel"].now = hcancel;
  words["hstate"].now = hstate;
}

}  // namespace asyncio::conformance

// What the words of stage 5 do: locks, events, conditions, semaphores, barriers, queues.
#include "run.h"

#include <asyncio/wait_for.h>

namespace asyncio::conformance {
namespace {

Coro<Result> acq(Run& run, Scope&, const Arguments& args) {
  const std::string& name = args[0].word;
  if (name.front() == 'L') {
    co_await run.primitive<Lock>(name).acquire();
  } else if (name.front() == 'C') {
    co_await run.primitive<Condition>(name).acquire();
  } else {
    co_await run.primitive<Semaphore>(name).acquire();
  }
  co_return Result();
}

Result rel(Run& run, Scope&, const Arguments& args) {
  const std::string& name = args[0].word;
  if (name.front() == 'L') {
    run.primitive<Lock>(name).release();
  } else if (name.front() == 'C') {
    run.primitive<Condition>(name).release();
  } else {
    run.primitive<Semaphore>(name).release();
  }
  return Result();
}

// A guard released by its destructor reports a lock that somebody else released to the exception handler; to throw it,
// as the end of `async with` does, it is released by hand.
template <class P>
Coro<Result> with_guard(Run& run, Scope& scope, P& primitive, const Block& block) {
  auto guard = co_await primitive.scoped();
  run.log(scope.who, "in");
  bool returned = false;
  std::exception_ptr error;
  try {
    const bool left = co_await run.run_block(scope, block);
    returned = left;
  } catch (...) {
    error = std::current_exception();
  }
  guard.release();
  if (error) std::rethrow_exception(error);
  co_return Result::from_block(returned);
}

Coro<Result> with_barrier(Run& run, Scope& scope, Barrier& barrier, const Block& block) {
  const std::size_t place = co_await barrier.wait();
  run.log(scope.who, "in " + std::to_string(place));
  const bool returned = co_await run.run_block(scope, block);
  co_return Result::from_block(returned);
}

Coro<Result> with(Run& run, Scope& scope, const Arguments& args) {
  const std::string& name = args[0].word;
  const Block& block = *args[1].block;
  switch (name.front()) {
    case 'L':
      return with_guard(run, scope, run.primitive<Lock>(name), block);
    case 'C':
      return with_guard(run, scope, run.primitive<Condition>(name), block);
    case 'B':
      return with_barrier(run, scope, run.primitive<Barrier>(name), block);
    default:
      return with_guard(run, scope, run.primitive<Semaphore>(name), block);
  }
}

/// Calls `function` with the queue of that name, of whatever type it is.
template <class F>
auto with_queue(Run& run, const std::string& name, F function) {
  auto& queue = run.primitive<detail::QueueBase>(name);
  switch (name[1]) {
    case '2':
      return function(static_cast<LifoQueue<Value>&>(queue));
    case '3':
    case '4':
      return function(static_cast<PriorityQueue<Value>&>(queue));
    default:
      return function(static_cast<Queue<Value>&>(queue));
  }
}

// wait_for(lock.acquire(), timeout) and the like: an awaitable without a frame becomes a coroutine.
template <class A>
Coro<Result> wait_for_it(A awaitable, TimeLimit limit) {
  co_await wait_for(std::move(awaitable), limit);
  co_return Result();
}

template <class Q>
Coro<Result> wait_for_item(Q& queue, TimeLimit limit) {
  Value value = co_await wait_for(queue.get(), limit);
  co_return Result(show(value));
}

Coro<Result> wprim(Run& run, Scope&, const Arguments& args) {
  const TimeLimit limit = to_limit(args[0]);
  const std::string& name = args[1].word;
  switch (name.front()) {
    case 'L':
      return wait_for_it(run.primitive<Lock>(name).acquire(), limit);
    case 'C':
      return wait_for_it(run.primitive<Condition>(name).acquire(), limit);
    case 'E':
      return wait_for_it(run.primitive<Event>(name).wait(), limit);
    case 'Q':
      return with_queue(run, name, [&](auto& queue) { return wait_for_item(queue, limit); });
    default:
      return wait_for_it(run.primitive<Semaphore>(name).acquire(), limit);
  }
}

Result prim(Run& run, Scope&, const Arguments& args) { return Result(run.state_of(args[0].word)); }

Result eset(Run& run, Scope&, const Arguments& args) {
  run.primitive<Event>(args[0].word).set();
  return Result();
}

Result eclear(Run& run, Scope&, const Arguments& args) {
  run.primitive<Event>(args[0].word).clear();
  return Result();
}

Coro<Result> ewait(Run& run, Scope&, const Arguments& args) {
  co_await run.primitive<Event>(args[0].word).wait();
  co_return Result();
}

Coro<Result> cwait(Run& run, Scope&, const Arguments& args) {
  co_await run.primitive<Condition>(args[0].word).wait();
  co_return Result();
}

Coro<Result> cwaitfor(Run& run, Scope&, const Arguments& args) {
  const auto done = [&run, &name = args[1].word] { return run.find(name)->any().done(); };
  const bool value = co_await run.primitive<Condition>(args[0].word).wait_for(done);
  co_return flag(value);
}

Result notify(Run& run, Scope&, const Arguments& args) {
  run.primitive<Condition>(args[0].word).notify(static_cast<std::size_t>(to_int(args[1])));
  return Result();
}

Result notifyall(Run& run, Scope&, const Arguments& args) {
  run.primitive<Condition>(args[0].word).notify_all();
  return Result();
}

Coro<Result> bwait(Run& run, Scope&, const Arguments& args) {
  const std::size_t place = co_await run.primitive<Barrier>(args[0].word).wait();
  co_return Result(std::to_string(place));
}

Coro<Result> breset(Run& run, Scope&, const Arguments& args) {
  co_await run.primitive<Barrier>(args[0].word).reset();
  co_return Result();
}

Coro<Result> babort(Run& run, Scope&, const Arguments& args) {
  co_await run.primitive<Barrier>(args[0].word).abort();
  co_return Result();
}

// ── queues ──────────────────────────────────────────────────────────────────────────────────────────────────────────

template <class Q>
Coro<Result> put_into(Q& queue, Value value) {
  co_await queue.put(value);
  co_return Result();
}

template <class Q>
Coro<Result> get_from(Q& queue) {
  Value value = co_await queue.get();
  co_return Result(show(value));
}

Coro<Result> put(Run& run, Scope&, const Arguments& args) {
  return with_queue(run, args[0].word, [&](auto& queue) { return put_into(queue, Value(to_int(args[1]))); });
}

Coro<Result> get(Run& run, Scope&, const Arguments& args) {
  return with_queue(run, args[0].word, [&](auto& queue) { return get_from(queue); });
}

Result putn(Run& run, Scope&, const Arguments& args) {
  with_queue(run, args[0].word, [&](auto& queue) { queue.put_nowait(Value(to_int(args[1]))); });
  return Result();
}

Result getn(Run& run, Scope&, const Arguments& args) {
  return with_queue(run, args[0].word, [&](auto& queue) { return Result(show(queue.get_nowait())); });
}

Result tdone(Run& run, Scope&, const Arguments& args) {
  run.primitive<detail::QueueBase>(args[0].word).task_done();
  return Result();
}

Coro<Result> join(Run& run, Scope&, const Arguments& args) {
  co_await run.primitive<detail::QueueBase>(args[0].word).join();
  co_return Result();
}

Result shutdown(Run& run, Scope&, const Arguments& args) {
  run.primitive<detail::QueueBase>(args[0].word).shutdown(args[1].word == "now");
  return Result();
}

}  // namespace

void add_sync_words(Words& words) {
  words["acq"].later = acq;
  words["wprim"].later = wprim;
  words["rel"].now = rel;
  words["with"].later = with;
  words["prim"].now = prim;
  words["eset"].now = eset;
  words["eclear"].now = eclear;
  words["ewait"].later = ewait;
  words["cwait"].later = cwait;
  words["cwaitfor"].later = cwaitfor;
  words["notify"].now = notify;
  words["notifyall"].now = notifyall;
  words["bwait"].later = bwait;
  words["breset"].later = breset;
  words["babort"].later = babort;
  words["put"].later = put;
  words["get"].later = get;
  words["putn"].now = putn;
  words["getn"].now = getn;
  words["tdone"].now = tdone;
  words["join"].later = join;
  words["shutdown"].now = shutdown;
}

}  // namespace asyncio::conformance

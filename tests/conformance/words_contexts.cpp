// What the words of context variables and asynchronous generators do.
#include "run.h"

namespace asyncio::conformance {
namespace {

// ── context variables ───────────────────────────────────────────────────────────────────────────────────────────────

const Run::Variable& variable(const Argument& argument) {
  static const Run::Variable v0("v0"), v1("v1", 0);
  return argument.word == "v0" ? v0 : v1;
}

Result vset(Run& run, Scope&, const Arguments& args) {
  const Run::Variable& which = variable(args[1]);
  run.tokens.insert_or_assign(args[0].word, Run::VariableToken{&which, which.set(to_int(args[2]))});
  return Result();
}

Result vget(Run&, Scope&, const Arguments& args) { return Result(std::to_string(variable(args[0]).get())); }

Result vreset(Run& run, Scope&, const Arguments& args) {
  const auto found = run.tokens.find(args[0].word);
  if (found == run.tokens.end()) return skip();
  try {
    found->second.variable->reset(found->second.token);
  } catch (const std::runtime_error&) {
    return Result("used");
  } catch (const std::invalid_argument&) {
    return Result("foreign");
  }
  return Result();
}

Result xnew(Run& run, Scope&, const Arguments& args) {
  run.contexts.insert_or_assign(args[0].word, copy_context());
  return Result();
}

Result xget(Run& run, Scope&, const Arguments& args) {
  const auto found = run.contexts.find(args[0].word);
  if (found == run.contexts.end()) return skip();
  const std::optional<int> value = found->second.get(variable(args[1]));
  return Result(value ? std::to_string(*value) : "none");
}

// The block is a callback's.
Result xrun(Run& run, Scope&, const Arguments& args) {
  const auto found = run.contexts.find(args[0].word);
  if (found == run.contexts.end()) return skip();
  const Context context = found->second;  // the block may put another one there
  bool began = false;
  try {
    context.run([&] {
      began = true;
      run.run_callback(*args[1].block);
    });
  } catch (const std::runtime_error&) {
    if (began) throw;
    return Result("entered");
  }
  return Result();
}

Result xsoon(Run& run, Scope&, const Arguments& args) {
  const auto found = run.contexts.find(args[0].word);
  if (found == run.contexts.end()) return skip();
  run.loop().call_soon([&run, &block = *args[1].block] { run.run_callback(block); }, found->second);
  return Result();
}

Result xcb(Run& run, Scope&, const Arguments& args) {
  const Register* reg = run.find(args[1].word);
  const auto found = run.contexts.find(args[0].word);
  if (!reg || found == run.contexts.end()) return skip();
  reg->any().add_done_callback([&run, &block = *args[2].block](AnyFuture&) { run.run_callback(block); }, found->second);
  return Result();
}

Result spawn_in(Run& run, const Arguments& args, bool eager) {
  const auto found = run.contexts.find(args[0].word);
  if (found == run.contexts.end()) return skip();
  const Context context = found->second;  // an eager block may put another one there
  const Block& block = *args[2].block;
  const std::string name = std::to_string(block.id);
  const TaskOptions options{.name = name, .context = &context, .eager_start = eager};
  run.put(args[1].word, Register(create_task(run.coroutine(block), options), block.id));
  return Result();
}

Result xspawn(Run& run, Scope&, const Arguments& args) { return spawn_in(run, args, false); }

// Refused if the context is entered.
Result xspawne(Run& run, Scope&, const Arguments& args) {
  try {
    return spawn_in(run, args, true);
  } catch (const std::runtime_error&) {  // what its block throws, it keeps
    return Result("entered");
  }
}

// ── asynchronous generators ─────────────────────────────────────────────────────────────────────────────────────────

// The body of a generator is run by the task that iterates it, and may await what that one may.
class Caller {
 public:
  Caller(std::shared_ptr<Scope> generator_scope, const Scope& scope) : scope_(std::move(generator_scope)) {
    if (scope_->running) scope_ = nullptr;  // this call will be refused
    if (!scope_) return;
    scope_->rank = scope.rank;
    scope_->running = true;
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() {
    if (scope_) scope_->running = false;
  }

 private:
  std::shared_ptr<Scope> scope_;
};

// Only a generator's own block can do it: Run::generator.
Result yield(Run&, Scope&, const Arguments&) { return skip(); }

Result gnew(Run& run, Scope& scope, const Arguments& args) {
  const Block& block = *args[1].block;
  const auto generator_scope = std::make_shared<Scope>(block.id, scope.rank);
  const Block* ending = args.size() > 2 ? args[2].block.get() : nullptr;
  run.generators.insert_or_assign(args[0].word,
                                  Run::Generator{run.generator(generator_scope, block, ending), generator_scope});
  return Result();
}

Coro<Result> gnext(Run& run, Scope& scope, const Arguments& args) {
  const auto found = run.generators.find(args[0].word);
  if (found == run.generators.end()) co_return skip();
  const Caller caller(found->second.scope, scope);
  const std::optional<Value> value = co_await found->second.values.next();
  co_return Result(value ? show(*value) : "end");
}

Coro<Result> gall(Run& run, Scope& scope, const Arguments& args) {
  for (;;) {
    const auto found = run.generators.find(args[0].word);
    if (found == run.generators.end()) break;
    std::optional<Value> value;
    {
      const Caller caller(found->second.scope, scope);
      auto item = co_await found->second.values.next();
      value = std::move(item);
    }
    if (!value) break;
    run.log(scope.who, "gall " + show(*value));
  }
  co_return Result();
}

Coro<Result> gclose(Run& run, Scope& scope, const Arguments& args) {
  const auto found = run.generators.find(args[0].word);
  if (found == run.generators.end()) co_return skip();
  const Caller caller(found->second.scope, scope);
  co_await found->second.values.aclose();
  co_return Result();
}

Result gdrop(Run& run, Scope&, const Arguments& args) {
  const auto found = run.generators.find(args[0].word);
  if (found == run.generators.end()) return skip();
  run.generators.erase(found);
  return Result();
}

}  // namespace

AsyncGenerator<Value> Run::generator(std::shared_ptr<Scope> scope, const Block& block, const Block* ending) {
  log(block.id, "+");
  std::exception_ptr pending;
  for (std::size_t i = 0; i < block.statements.size() && !pending; ++i) {
    const Statement& statement = block.statements[i];
    bool returned = false;
    try {
      if (statement.word == "yield") {
        Value value(to_int(statement.arguments[0]));
        co_yield std::move(value);
        log(block.id, "yield");
      } else {
        const bool left = co_await run_statements(*scope, std::span(&statement, 1));
        returned = left;
      }
    } catch (...) {
      pending = std::current_exception();
    }
    if (returned) break;
  }
  if (ending) {
    log(block.id, "finally" + (pending ? " !" + show_error(pending) : std::string()));
    const bool left = co_await run_block(*scope, *ending);
    if (left) co_return;
  }
  if (pending) std::rethrow_exception(pending);
}

void add_context_words(Words& words) {
  words["vset"].now = vset;
  words["vget"].now = vget;
  words["vreset"].now = vreset;
  words["xnew"].now = xnew;
  words["xget"].now = xget;
  words["xrun"].now = xrun;
  words["xsoon"].now = xsoon;
  words["xcb"].now = xcb;
  words["xspawn"].now = xspawn;
  words["xspawne"].now = xspawne;
  words["yield"].now = yield;
  words["gnew"].now = gnew;
  words["gnext"].later = gnext;
  words["gall"].later = gall;
  words["gclose"].later = gclose;
  words["gdrop"].now = gdrop;
}

}  // namespace asyncio::conformance

#include "asyncio/observer.h"

#include "asyncio/detail/fork_mutex.h"
#include "asyncio/detail/observers.h"
#include "asyncio/loop.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string_view>

namespace asyncio {
namespace detail {

// ── who is told ─────────────────────────────────────────────────────────────────────────────────────────────────────

void Observers::add(std::shared_ptr<Observer> observer) {
  if (closing_) Loop::throw_closed();         // one that another adds in its removed() would never hear of the end
  if (!observers_.empty()) look_at_timers();  // the last one is news to them, and is forgotten below
  observers_.push_back(observer);
  loop_.set_observed(true);
  try {
    observer->added(loop_);
  } catch (...) {
    remove(observer);
    throw;
  }
}

void Observers::remove(const std::shared_ptr<Observer>& observer) {
  if (!observers_.empty()) look_at_timers();
  const auto found = std::find(observers_.begin(), observers_.end(), observer);
  if (!observer || found == observers_.end()) return;
  const std::shared_ptr<Observer> removed = std::exchange(*found, nullptr);
  if (telling_ == 0) observers_.erase(found);
  end_if_nobody_is_left();
  removed->removed(loop_);
}

// (As long as a failure waits to be reported, ticks go the way at whose end that is done.)
void Observers::end_if_nobody_is_left() noexcept {
  const bool left = std::any_of(observers_.begin(), observers_.end(), [](const auto& one) { return one != nullptr; });
  if (left || !failures_.empty()) return;
  loop_.set_observed(false);
  known_.clear();  // nobody reports their ends any more
}

void Observers::remove_all() noexcept {
  closing_ = true;
  ++telling_;  // the list keeps its places: one may remove others in its removed()
  for (std::size_t i = observers_.size(); i-- > 0;) {
    try {
      if (observers_[i]) remove(std::shared_ptr<Observer>(observers_[i]));
    } catch (...) {
      without_memory_lost([&] { failures_.push_back(std::current_exception()); });
    }
  }
  --telling_;
  observers_.clear();
  try {
    report_failures();
  } catch (...) {  // KeyboardInterrupt from a user's handler: the loop is closed anyway
  }
}

// An observer that is added meanwhile hears of the next event, one that is removed hears of nothing more.
template <class... Parameters, class... Arguments>
void Observers::tell(void (Observer::*event)(Parameters...), const Arguments&... arguments) noexcept {
  ++telling_;
  for (std::size_t i = 0, count = observers_.size(); i < count; ++i) {
    const std::shared_ptr<Observer> observer = observers_[i];
    if (!observer) continue;
    try {
      (observer.get()->*event)(arguments...);
    } catch (...) {
      without_memory_lost([&] { failures_.push_back(std::current_exception()); });
      without_memory_lost([&] { remove(observer); });
    }
  }
  if (--telling_ == 0) std::erase(observers_, nullptr);
}

template <class Event>
void Observers::without_memory_lost(Event event) noexcept {
  try {
    event();
  } catch (...) {
    ++lost_;
  }
}

void Observers::report_failures() {
  if (failures_.empty()) return;
  const ScopeExit reported([this] { end_if_nobody_is_left(); });
  while (!failures_.empty()) {
    const std::exception_ptr error = failures_.back();
    failures_.pop_back();
    loop_.call_exception_handler(ErrorContext("Exception in an observer of the loop; it was removed", error));
  }
}

Observers::Known& Observers::know(const Describable& thing) {
  static constinit std::atomic<ObservedId> last = 0;
  const auto [found, is_new] = known_.try_emplace(key(thing));
  if (is_new) found->second.id = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return found->second;
}

// ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void Observers::tick_begins() noexcept {
  look_at_timers();
  tell(&Observer::tick_begins, ++tick_);
}

void Observers::tick_ends() noexcept {
  look_at_timers();
  tell(&Observer::tick_ends, tick_);
}

void Observers::core_waits(std::optional<TimePoint> until) noexcept {
  look_at_timers();
  waited_ = true;
  tell(&Observer::core_waits, until);
}

void Observers::scheduled(const Describable& runnable) noexcept {
  look_at_timers();
  using Kind = Describable::Kind;
  without_memory_lost([&] {
    if (runnable.kind() == Describable::Kind::descriptor) know(runnable).ready = true;
    if (collecting_) return collected_.push_back(&runnable);
    switch (runnable.kind()) {
      case Kind::task:
        if (runnable.is_new()) return task_made(runnable);
        return tell(&Observer::task_woken, observed(runnable), running());
      case Kind::timer:
        return tell(&Observer::timer_due, observed(runnable));
      case Kind::posted:
        return tell(&Observer::thread_posted, observed(runnable));
      case Kind::descriptor: {
        const Known& known = know(runnable);
        return tell(&Observer::descriptor_ready, Observed(known.id, runnable), int(known.fd), bool(known.writing));
      }
      case Kind::callback:
      case Kind::future:
        return tell(&Observer::callback_scheduled, observed(runnable), running());
    }
  });
}

// The wait comes first, and with the number of descriptors that were ready: therefore their events wait until here.
void Observers::collected() noexcept {
  collecting_ = false;
  const auto is_descriptor = [](const Describable* thing) { return thing->kind() == Describable::Kind::descriptor; };
  if (std::exchange(waited_, false)) {
    const auto descriptors = std::count_if(collected_.begin(), collected_.end(), is_descriptor);
    tell(&Observer::core_woke, static_cast<std::size_t>(descriptors));
  }
  for (const Describable* thing : collected_) scheduled(*thing);
  collected_.clear();
}

void Observers::run(Runnable& callback) {
  look_at_timers();
  if (!callback.skipped()) ++callbacks_;
  ObservedId id = 0;
  const std::size_t outside = running_.size();
  without_memory_lost([&] {
    Known& known = know(callback);
    id = known.id;
    running_.push_back(id);
    const Observed what(id, callback);
    const bool skipped = callback.skipped();
    known.ready = false;
    const bool stays = callback.kind() == Describable::Kind::descriptor && !known.unwatched;
    if (!stays) forget(callback);  // it may be gone after run()
    skipped ? tell(&Observer::callback_skipped, what) : tell(&Observer::callback_begins, what);
    if (skipped) id = 0;
  });
  const ScopeExit ended([&] {
    look_at_timers();
    if (running_.size() > outside) running_.pop_back();
    if (id != 0) tell(&Observer::callback_ends, id);
  });
  callback.run(loop_);
}

// A timer is told of late, but before anything else happens, which comes to the same.
void Observers::look_at_timers() noexcept {
  const TimerState* const timer = loop_.timers_.newly_armed();
  if (!timer) return;
  without_memory_lost([&] {
    const Describable& thing = *timer;
    tell(&Observer::timer_armed, observed(thing), timer->when(), running());
  });
}

void Observers::timer_cancelled(const Describable& timer) noexcept {
  look_at_timers();
  without_memory_lost([&] { tell(&Observer::timer_cancelled, observed(timer), running()); });
  forget(timer);
}

// (A task tells by itself.)
void Observers::future_done(const Describable& future) noexcept {
  look_at_timers();
  if (future.kind() == Describable::Kind::task) return;
  without_memory_lost([&] { tell(&Observer::future_done, observed(future), running()); });
  forget(future);
}

void Observers::task_made(const Describable& task) noexcept {
  look_at_timers();
  without_memory_lost([&] { tell(&Observer::task_made, observed(task), running()); });
}

void Observers::step_begins(const Describable& task) noexcept {
  look_at_timers();
  ++steps_;
  without_memory_lost([&] {
    const Observed what = observed(task);
    running_.push_back(what.id());
    tell(&Observer::step_begins, what);
  });
}

void Observers::step_ended(const Describable& task, bool done, const Describable* waits_for) noexcept {
  look_at_timers();
  if (!running_.empty()) running_.pop_back();
  if (done) return task_done(task);
  without_memory_lost([&] {
    const Observed what = observed(task);
    if (!waits_for) {
      tell(&Observer::step_ends, what, static_cast<const Observed*>(nullptr));
      return;
    }
    const Observed waited_for = observed(*waits_for);
    tell(&Observer::step_ends, what, &waited_for);
  });
}

void Observers::task_done(const Describable& task) noexcept {
  look_at_timers();
  without_memory_lost([&] { tell(&Observer::task_done, observed(task)); });
  forget(task);
}

void Observers::cancel_asked(const Describable& task, const std::source_location& where) noexcept {
  look_at_timers();
  without_memory_lost([&] { tell(&Observer::cancel_asked, observed(task), place_of(where), running()); });
}

void Observers::descriptor_watched(const Describable& callback, int fd, bool writing) noexcept {
  look_at_timers();
  without_memory_lost([&] {
    Known& known = know(callback);
    known.fd = fd;
    known.writing = writing;
    tell(&Observer::descriptor_watched, Observed(known.id, callback), fd, writing);
  });
}

void Observers::descriptor_unwatched(const Describable& callback, int fd, bool writing) noexcept {
  look_at_timers();
  without_memory_lost([&] { tell(&Observer::descriptor_unwatched, ObservedId(know(callback).id), fd, writing); });
  const auto known = known_.find(key(callback));
  if (known == known_.end()) return;
  if (known->second.ready) {
    known->second.unwatched = true;  // its turn comes yet, to be skipped or, if it was closed, to run
  } else {
    known_.erase(known);
  }
}

}  // namespace detail

void Runnable::run_observed(Loop&, detail::Observers& observers) { observers.run(*this); }

// ── new loops ───────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

struct NewLoops {
  detail::ForkMutex mutex;
  std::map<std::uint64_t, std::function<std::shared_ptr<Observer>(Loop&)>> makers;  // in the order of being set
  std::uint64_t last = 0;
};

NewLoops& new_loops() {
  static NewLoops* const forever = new NewLoops;  // never destroyed: a loop may be made at the program's end
  return *forever;
}

}  // namespace

std::uint64_t observe_new_loops(std::function<std::shared_ptr<Observer>(Loop&)> make) {
  detail::check_callable(make);
  const std::lock_guard lock(new_loops().mutex.get());
  new_loops().makers.emplace(++new_loops().last, std::move(make));
  return new_loops().last;
}

void stop_observing_new_loops(std::uint64_t id) {
  const std::lock_guard lock(new_loops().mutex.get());
  new_loops().makers.erase(id);
}

void detail::add_observers_of_new_loops(Loop& loop) {
  std::vector<std::function<std::shared_ptr<Observer>(Loop&)>> makers;
  {
    const std::lock_guard lock(new_loops().mutex.get());
    for (const auto& [id, make] : new_loops().makers) makers.push_back(make);
  }
  for (const auto& make : makers) {
    if (auto observer = make(loop)) loop.add_observer(std::move(observer));
  }
}

// ── places ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Place detail::place_of(const std::source_location& where) {
  return {std::string(function_name(where)), where.file_name(), where.line()};
}

// The compilers' "asyncio::Coro<int> execute(int) [with …]" → "execute"; a lambda → "<lambda>".
std::string_view detail::function_name(const std::source_location& where) noexcept {
  std::string_view signature = where.function_name();
  const auto contains = [&](std::string_view part) { return signature.find(part) != signature.npos; };
  // A lambda that is only among the template arguments does not count; but for the coroutine that owns a lambda.
  if (!contains("asyncio::detail::call(")) signature = signature.substr(0, signature.find(" ["));
  if (contains("<lambda(") || contains("(lambda at ") || contains("(anonymous class)")) return "<lambda>";
  signature = signature.substr(0, signature.find(" ["));
  signature = signature.substr(0, signature.find_last_of(')') + 1);  // without a "const" at the end
  // Goes backwards over the parameter list, and on to the blank before the name. Blanks inside brackets do not count.
  std::size_t end = signature.size();
  for (std::size_t i = signature.size(), depth = 0; i > 0; --i) {
    const char c = signature[i - 1];
    if (c == ')' || c == '>' || c == '}') ++depth;
    if ((c == '(' || c == '<' || c == '{') && --depth == 0 && end == signature.size()) end = i - 1;
    if (c == ' ' && depth == 0) {
      signature = signature.substr(0, end).substr(i);
      break;
    }
  }
  for (const std::string_view anonymous : {"(anonymous namespace)::", "{anonymous}::"}) {
    if (const auto at = signature.find(anonymous); at != signature.npos) signature.remove_prefix(at + anonymous.size());
  }
  return signature;
}

}  // namespace asyncio

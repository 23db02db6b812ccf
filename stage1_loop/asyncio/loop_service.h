// What a higher stage keeps for each loop (the live tasks, the thread pool …), without stage 1 knowing of it.
// Mirrors: attributes of BaseEventLoop such as _asyncgens and _default_executor. Read next: context.h
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace asyncio {

class Loop;
class Runnable;

/// What belongs to one loop and ends with it: the default thread pool, the names of signals, the running tasks.
/// Derive from it, and ask Loop::service() for it.
/// Its functions run in the loop's thread.
class LoopService {
 public:
  virtual ~LoopService() = default;
  /// A Runner is about to close the loop, and all tasks have ended. The loop does not run now, but run_until_complete()
  /// still works: the place to wait for what has to end first. Returns whether the loop ran.
  virtual bool shut_down() { return false; }
  /// Who waits for whom: lines for the message of a loop that would wait for ever; "" for none.
  virtual std::string describe_waits() const { return {}; }

  // ── in debug mode. These may report something to the loop's exception handler, which may do anything ──

  /// A task is about to make a step.
  virtual void step_begins(Runnable& /*task*/) {}
  virtual void step_ended() {}  ///< The step has ended.
  /// The loop has nothing to run, and is about to wait.
  virtual void about_to_wait() {}
  virtual void debug_mode_ended() noexcept {}  ///< Debug mode was switched off.

  /// The loop is being closed; callbacks may still be scheduled, but will not run.
  virtual void on_close() noexcept = 0;
};

namespace detail {

/// The services of one loop, each made at the first call for its type.
class LoopServices {
 public:
  template <std::derived_from<LoopService> S>
  S& get(Loop& loop);

  /// The latest first, as it may stand on an older one. One that shuts down may make another.
  bool shut_down();
  std::string describe_waits() const;
  void step_begins(Runnable& task);
  void step_ended();
  void about_to_wait();
  void debug_mode_ended() noexcept;
  void on_close() noexcept;

 private:
  template <class S>
  static constinit inline std::atomic<std::size_t> index_of = 0;  // in by_type_, and in each loop the same; 0: none yet
  template <class S>
  S& make(Loop& loop, std::size_t index);
  static std::size_t number(std::atomic<std::size_t>& index) noexcept;
  LoopService& add(const Loop& loop, std::size_t index, std::unique_ptr<LoopService> service);

  std::vector<std::unique_ptr<LoopService>> by_type_;
  std::vector<LoopService*> by_age_;
};

// (A static variable of a function would be asked at each call whether it is initialised.)
template <std::derived_from<LoopService> S>
[[gnu::always_inline]] inline S& LoopServices::get(Loop& loop) {
  const std::size_t index = index_of<S>.load(std::memory_order_relaxed);
  if (index < by_type_.size() && by_type_[index]) [[likely]]
    return static_cast<S&>(*by_type_[index]);
  return make<S>(loop, index);
}

template <class S>
[[gnu::noinline]] S& LoopServices::make(Loop& loop, std::size_t index) {
  if (index == 0) index = number(index_of<S>);
  return static_cast<S&>(add(loop, index, std::make_unique<S>(loop)));
}

}  // namespace detail
}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: step_begins(), step_ended() and about_to_wait() are called within a tick; shut_down() and on_close() when
//   no tick runs.
// Errors: what shut_down() throws leaves Loop::shut_down_services(), and so Runner::close().
// Units: none.

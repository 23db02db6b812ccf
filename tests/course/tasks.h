// For the checks of stages 4 to 6: coroutines that say what they do, and when.
#pragma once

#include <by_hand/task.h>

#include "virtual.h"

namespace course {

using by_hand::CancelledError;
using by_hand::Coro;
using by_hand::create_task;
using by_hand::Future;
using by_hand::Task;

inline std::chrono::nanoseconds passed() { return by_hand::Loop::running().time() - TimePoint{}; }

// "20ms", of the loop's virtual time.
inline std::string at() {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(passed()).count()) + "ms";
}

// Runs the coroutine in virtual time.
template <class T>
T in_virtual_time(Coro<T> coroutine) {
  return by_hand::run(std::move(coroutine), std::make_unique<VirtualCore>());
}

// Returns the number after the delay; logs its cancel.
inline Coro<int> after(Duration delay, int number, Log* log = nullptr) {
  try {
    co_await by_hand::sleep(delay);
  } catch (const CancelledError&) {
    if (log != nullptr) (*log)("cancelled-" + std::to_string(number) + "@" + at());
    throw;
  }
  if (log != nullptr) (*log)("end-" + std::to_string(number) + "@" + at());
  co_return number;
}
inline Coro<int> fails_after(Duration delay, std::string what) {
  co_await by_hand::sleep(delay);
  throw std::runtime_error(what);
  co_return 0;
}

}  // namespace course

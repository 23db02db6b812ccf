// What the step of the course checks a stage with: an expectation in words, then what really happened, by values.
//
//   expecting("the callback scheduled inside a callback to run in tick 2");
//   check(tick == 2, "it ran in tick " + show(tick));
//
// A failure prints one sentence, "Expected the callback … to run in tick 2; it ran in tick 1.", and ends the program.
// So do a crash, an exception that nobody catches, and a loop that never ends: the sentence then says so.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace course {

// The check of one step. Each file stageN/N.S_title.cpp defines it.
void step();

// What the following lines are about to show. It completes "Expected …": "the cancelled callback not to run".
void expecting(std::string what);

// Ends the step, as failed, unless `ok`. `happened` completes "Expected …; …": "it ran in tick 1".
void check(bool ok, const std::string& happened);
[[noreturn]] void fail(const std::string& happened);

// How a value is told.
inline std::string show(const std::string& text) { return '"' + text + '"'; }
inline std::string show(const char* text) { return show(std::string(text)); }
inline std::string show(bool value) { return value ? "true" : "false"; }
inline std::string show(std::chrono::nanoseconds time) {
  const std::chrono::duration<double, std::milli> ms = time;
  std::string text = std::to_string(ms.count());
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " ms";
}
template <class T>
  requires requires(T value) { std::to_string(value); }
std::string show(T value) {
  return std::to_string(value);
}
template <class T>
std::string show(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += (text.empty() ? "" : " ") + show(value);
  return '[' + text + ']';
}

// "Expected the result of f() to be 3; it was 4."
template <class Got, class Wanted>
void check_equal(const Got& got, const Wanted& wanted, const std::string& subject = "it was ") {
  check(got == wanted, subject + show(got));
}

// What ran, in order: log("a"); log("b"); log.check("a b").
class Log {
 public:
  void operator()(const std::string& what) {
    text_ += (text_.empty() ? "" : " ") + what;
    if (++lines_ > 1000) fail("it went on without end: " + text_.substr(0, 40) + " …");
  }
  const std::string& text() const { return text_; }
  void clear() { text_.clear(), lines_ = 0; }

  // "Expected …; what ran: b a."
  void check(const std::string& wanted, const std::string& subject = "what ran: ") const {
    course::check(text_ == wanted, subject + (text_.empty() ? "nothing" : text_));
  }

 private:
  std::string text_;
  int lines_ = 0;
};

// The message with which `function` throws an E, or what it did instead: check(thrown<E>(f) == "…", …) .
template <class E, class Function>
bool throws(Function&& function) {
  try {
    std::forward<Function>(function)();
  } catch (const E&) {
    return true;
  }
  return false;
}

// Under AddressSanitizer g++ does not turn symmetric transfer into tail calls: the depth of a chain is bounded there.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace course

using course::check;
using course::check_equal;
using course::expecting;
using course::Log;
using course::show;
using course::throws;

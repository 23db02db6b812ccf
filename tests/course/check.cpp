// main() of a step's program: it runs the step, and turns what goes wrong into one sentence on stdout.
// Its argument is the step's number. Exit codes: 0 passed, 1 failed, 2 not written yet.
#include "check.h"

#include <cxxabi.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <typeinfo>

namespace by_hand {
// Set by the skeleton's NotImplemented (not_implemented.h); absent from a by_hand without it.
[[gnu::weak]] extern const char* not_implemented_step;
}  // namespace by_hand

namespace course {
namespace {

constexpr int seconds_of_waiting = 5;
constexpr int seconds_of_computing = 3;

char expectation[1000] = "the step to begin";  // an array, for a signal handler reads it
std::string own_step;                          // "step 1.3:"

// What was called, is not written yet, and belongs to this step or an earlier one. A loop may have caught the
// exception; what belongs to a later step is not this one's business.
const char* not_written() {
  if (&by_hand::not_implemented_step == nullptr || by_hand::not_implemented_step == nullptr) return nullptr;
  return by_hand::not_implemented_step < own_step + "~" ? by_hand::not_implemented_step : nullptr;
}

[[noreturn]] void end(const char* happened) {
  const char* missing = not_written();
  const auto print = [](const char* text) { [[maybe_unused]] const auto n = write(STDOUT_FILENO, text, strlen(text)); };
  std::fflush(stdout);
  if (missing != nullptr) {
    print("Not written yet: ");
    print(missing);
    print(".\n");
    _exit(2);
  }
  print("Expected ");
  print(expectation);
  print("; ");
  print(happened);
  print(".\n");
  _exit(1);
}

std::string type_name(const std::type_info& type) {
  int status = 0;
  char* name = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  const std::string text = status == 0 ? name : type.name();
  std::free(name);
  return text;
}

// "a std::runtime_error(\"disk full\") was thrown"
std::string describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::bad_alloc&) {
    return "it ran out of memory";
  } catch (const std::exception& error) {
    const std::string what = error.what();  // of one that says nothing: "std::exception"
    return type_name(typeid(error)) + (what == "std::exception" ? "" : "(\"" + what + "\")") + " was thrown";
  } catch (...) {
    return type_name(*abi::__cxa_current_exception_type()) + " was thrown";
  }
}

void terminated() {
  if (const std::exception_ptr exception = std::current_exception()) {
    end((describe(exception) + " where nothing may be thrown, so std::terminate() was called").c_str());
  }
  end("std::terminate() was called");
}

const char* stack_begin = nullptr;

void crashed(int number, siginfo_t* info, void*) {
  rusage used{};
  switch (number) {
    case SIGVTALRM:
      end("it was still computing after seconds: a loop that never ends");
    case SIGALRM:  // after as much time on a busy machine, too
      getrusage(RUSAGE_SELF, &used);
      end(used.ru_utime.tv_sec * 1000000 + used.ru_utime.tv_usec > 300000
              ? "it was still computing after seconds: a loop that never ends"
              : "it was still waiting after 5 s");
    case SIGABRT:
      end("the program aborted (--details shows more)");
    case SIGFPE:
      end("the program divided by zero");
    case SIGPIPE:
      end("the program wrote to a socket whose other end is closed, and SIGPIPE ended it");
    default:
      break;
  }
  rlimit limit{};
  getrlimit(RLIMIT_STACK, &limit);
  const auto* address = static_cast<const char*>(info->si_addr);
  if (address < stack_begin && stack_begin - address < static_cast<std::ptrdiff_t>(limit.rlim_cur) + (1 << 20) &&
      stack_begin - address > static_cast<std::ptrdiff_t>(limit.rlim_cur) - (1 << 20)) {
    end("the stack overflowed: each turn needs a piece of it, and none is given back");
  }
  end("the program crashed: it used memory that is not there (--details shows where)");
}

void watch() {
  std::set_terminate(terminated);
  const char here = 0;
  stack_begin = &here;

  static char stack[64 * 1024];
  stack_t own{};
  own.ss_sp = stack;
  own.ss_size = sizeof stack;
  sigaltstack(&own, nullptr);
  struct sigaction action {};
  action.sa_sigaction = crashed;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int number : {SIGVTALRM, SIGALRM, SIGPIPE}) sigaction(number, &action, nullptr);
  const int slower = sanitized ? 4 : 1;
  const itimerval computing{{0, 0}, {seconds_of_computing * slower, 0}};
  setitimer(ITIMER_VIRTUAL, &computing, nullptr);
  const itimerval waiting{{0, 0}, {seconds_of_waiting * slower, 0}};
  setitimer(ITIMER_REAL, &waiting, nullptr);
  if (sanitized) return;  // its own reports say more, and it needs memory
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) sigaction(number, &action, nullptr);
  const rlimit memory{1UL << 30, 1UL << 30};  // a loop that grows without end is told of, and does not fill the machine
  setrlimit(RLIMIT_AS, &memory);
}

}  // namespace

void expecting(std::string what) { std::strncpy(expectation, what.c_str(), sizeof expectation - 1); }

void fail(const std::string& happened) { end(happened.c_str()); }

void check(bool ok, const std::string& happened) {
  if (!ok) fail(happened);
}

}  // namespace course

int main(int, char** arguments) {
  course::own_step = std::string("step ") + arguments[1] + ":";
  course::watch();
  try {
    course::step();
  } catch (...) {
    course::fail(course::describe(std::current_exception()));
  }
  if (course::not_written() != nullptr) course::fail("");
}

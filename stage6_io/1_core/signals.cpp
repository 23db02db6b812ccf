#include "asyncio/signals.h"

#include "asyncio/detail/signals.h"

#include <asyncio/call_graph.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <system_error>

namespace asyncio {
namespace {

// Some numbers in between belong to the C library (32 and 33, for its threads). [signal.valid_signals]
void check_signal(int signal) {
  sigset_t set;
  sigemptyset(&set);
  if (signal < 1 || signal > detail::SignalHandlers::kLast || sigaddset(&set, signal) == -1) {
    throw std::invalid_argument("invalid signal number " + std::to_string(signal));
  }
}

void check_thread(const char* function) {
  if (!detail::SignalHandlers::on_main_thread()) {
    throw std::runtime_error(std::string(function) + "() works only in the main thread");
  }
}

}  // namespace

void detail::add_signal_handler(Loop& loop, int signal, std::function<void()> callback) {
  check_signal(signal);
  loop.check_closed();
  check_thread("add_signal_handler");
  try {
    loop.service<SignalHandlers>().add(signal, std::move(callback));
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::invalid_argument) throw;
    throw std::runtime_error("sig " + std::to_string(signal) + " cannot be caught");
  }
}

void dump_tasks(Loop& loop) {
  const std::string text = format_task_table(loop) + "\n\n" + format_task_tree(loop) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void dump_tasks_on_signal(Loop& loop, int signal) {
  detail::add_signal_handler(loop, signal, [&loop] { dump_tasks(loop); });
  loop.service<detail::SignalHandlers>().announce(signal);
}

bool remove_signal_handler(Loop& loop, int signal) {
  check_signal(signal);
  if (loop.is_closed()) return false;
  check_thread("remove_signal_handler");
  return loop.service<detail::SignalHandlers>().remove(signal);
}

}  // namespace asyncio

#include "asyncio/signals.h"

#include "asyncio/detail/signals.h"

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string>
#include <system_error>

namespace asyncio {
namespace {

// 64 is a signal, too, but there is no bit for it in the word where the loop notes them.
void check_signal(int signal) {
  if (signal < 1 || signal >= 64) throw std::invalid_argument("invalid signal number " + std::to_string(signal));
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

bool remove_signal_handler(Loop& loop, int signal) {
  check_signal(signal);
  if (loop.is_closed()) return false;
  check_thread("remove_signal_handler");
  return loop.service<detail::SignalHandlers>().remove(signal);
}

}  // namespace asyncio

// Asynchronous clean-up: a handler cannot await, so it only keeps the exception; the await comes after it. This is
// Python's try … finally, and holds for a cancelled task as well.
#include <asyncio/run.h>
#include <asyncio/sleep.h>

#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<> send(std::string words) {
  if (words.empty()) throw std::invalid_argument("nothing to send");
  co_await asyncio::sleep(1ms);
  std::cout << "  sent: " << words << '\n';
}
asyncio::Coro<> say_goodbye() {
  co_await asyncio::sleep(1ms);
  std::cout << "  goodbye\n";
}

asyncio::Coro<> talk(std::string words) {
  std::exception_ptr error;
  try {
    co_await send(std::move(words));
  } catch (...) {
    error = std::current_exception();
  }
  co_await say_goodbye();
  if (error) std::rethrow_exception(error);
}

asyncio::Coro<> main_program() {
  std::cout << "all is well\n";
  co_await talk("hello");

  std::cout << "an exception\n";
  try {
    co_await talk("");
  } catch (const std::invalid_argument& error) {
    std::cout << "  " << error.what() << '\n';
  }

  std::cout << "a cancelled task\n";
  auto task = asyncio::create_task(talk("never sent"));
  co_await asyncio::sleep(0s);
  task.cancel();
  try {
    co_await task;
  } catch (const asyncio::CancelledError&) {
    std::cout << "  cancelled\n";
  }
}

int main() { asyncio::run(main_program()); }

// Exercise 1: one future for the results of many, which fails as soon as one of them does.
#include <asyncio/future.h>
#include <asyncio/virtual_core.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
using asyncio::Future;

Future<std::vector<int>> all(asyncio::Loop& loop, const std::vector<Future<int>>& futures) {
  struct Collected {
    std::vector<int> results;
    std::size_t missing;
  };
  const auto collected = std::make_shared<Collected>(Collected{std::vector<int>(futures.size()), futures.size()});
  const Future<std::vector<int>> everything(loop);
  if (futures.empty()) everything.set_result(std::vector<int>());

  for (std::size_t i = 0; i < futures.size(); ++i) {
    futures[i].add_done_callback([everything, collected, i](Future<int>& done) {
      const std::exception_ptr error = done.cancelled() ? nullptr : done.exception();  // looked at, in any case
      if (everything.done()) return;
      if (done.cancelled()) {
        everything.cancel();
      } else if (error) {
        everything.set_exception(error);
      } else {
        collected->results[i] = done.result();
        if (--collected->missing == 0) everything.set_result(collected->results);
      }
    });
  }
  return everything;
}

int main() {
  asyncio::Loop loop(std::make_unique<asyncio::VirtualCore>());
  loop.set_exception_handler(
      [](asyncio::Loop&, const asyncio::ErrorContext& context) { std::cout << context.to_string() << '\n'; });

  const std::vector<Future<int>> good = {Future<int>(loop), Future<int>(loop), Future<int>(loop)};
  for (int i = 0; i < 3; ++i) loop.call_later((3 - i) * 1s, [&good, i] { good[i].set_result(i * i); });
  for (const int result : loop.run_until_complete(all(loop, good))) std::cout << result << ' ';
  std::cout << "after " << loop.time().time_since_epoch() / 1s << " s\n";

  const std::vector<Future<int>> bad = {Future<int>(loop), Future<int>(loop), Future<int>(loop)};
  loop.call_later(1s, [&] { bad[1].set_exception(std::runtime_error("the first error")); });
  loop.call_later(2s, [&] { bad[2].set_exception(std::runtime_error("the second error")); });
  try {
    loop.run_until_complete(all(loop, bad));
  } catch (const std::runtime_error& error) {
    std::cout << error.what() << ", after " << loop.time().time_since_epoch() / 1s << " s\n";
  }
  loop.call_later(5s, [&] { loop.stop(); });  // the second one comes, and nobody reports it
  loop.run_forever();
}

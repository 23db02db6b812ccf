// nothing
#define ASYNCIO_CHECK_LIFETIMES
#include <asyncio/asyncio.h>

#include <string>

using namespace std::chrono_literals;

asyncio::Coro<int> length(const std::string& text);
[[clang::coro_wrapper]] asyncio::Coro<int> forward(const std::string& text) { return length(text); }

asyncio::Coro<> a_coroutine() {
  const std::string text = "kept";
  auto task = asyncio::create_task(length(text));
  const int at_once = co_await length("a temporary, awaited in the same statement");
  const int kept = co_await task;
  auto [a, b] = co_await asyncio::gather(length(text), forward(text));
  const int in_time = co_await asyncio::wait_for(length(text), 1s);
  co_await asyncio::timeout(1s, [&]() -> asyncio::Coro<> { co_await asyncio::sleep(1s); });
  co_await asyncio::task_group([&](asyncio::TaskGroup& group) -> asyncio::Coro<> {
    group.create_task(length(text));
    co_return;
  });
  const asyncio::Server server = co_await asyncio::start_server(
      [](asyncio::StreamReader, asyncio::StreamWriter) -> asyncio::Coro<> { co_return; }, "127.0.0.1", 0);
  static_cast<void>(at_once + kept + a + b + in_time);
}

// Short pieces that many programs need, each a function to be copied. The program shows that each does what it says.
#include <asyncio/asyncio.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

/// Waits for the signal, such as SIGTERM. Another wait for the same signal, or a handler of it, may not be there.
Coro<> wait_for_signal(int number) {
  Event arrived;
  add_signal_handler(number, [&] { arrived.set(); });
  try {
    co_await arrived.wait();
  } catch (...) {  // cancelled: the handler must not outlive the event
    remove_signal_handler(number);
    throw;
  }
  remove_signal_handler(number);
}

/// gather() of coroutines of which `most` run at a time, at most. Each is made only when its turn has come.
template <class T>
Coro<std::vector<T>> gather_limited(std::size_t most, std::size_t count, std::function<Coro<T>(std::size_t)> make) {
  Semaphore turns(static_cast<std::ptrdiff_t>(most));
  const auto in_turn = [&](std::size_t index) -> Coro<T> {
    const auto turn = co_await turns.scoped();
    T result = co_await make(index);
    co_return result;
  };
  std::vector<Task<T>> tasks;
  co_await task_group([&](TaskGroup& group) -> Coro<> {  // the tasks have ended before `turns` goes, whatever happens
    for (std::size_t index = 0; index < count; ++index) tasks.push_back(group.create_task(in_turn(index)));
    co_return;
  });
  std::vector<T> results;
  for (Task<T>& task : tasks) results.push_back(std::move(task).result());
  co_return results;
}

/// Calls `use` with each item of the queue, until the queue is shut down and empty.
template <class T>
Coro<> for_each(Queue<T>& queue, std::function<Coro<>(T)> use) {
  for (;;) {
    std::optional<T> item;
    try {
      T next = co_await queue.get();
      item = std::move(next);
    } catch (const QueueShutDown&) {
      co_return;
    }
    co_await use(std::move(*item));
    queue.task_done();
  }
}

/// `try: await body finally: await clean_up`. The clean-up runs in any case, also after a cancel; a second cancel ends
/// it. (co_await is not allowed in a handler: this is the way around.)
Coro<> with_clean_up(Coro<> body, std::function<Coro<>()> clean_up) {
  std::exception_ptr error;
  try {
    co_await std::move(body);
  } catch (...) {
    error = std::current_exception();
  }
  co_await clean_up();
  if (error) std::rethrow_exception(error);
}

/// And that they do it.
Coro<> show() {
  auto signal = create_task(wait_for_signal(SIGTERM));
  co_await sleep(0s);
  std::raise(SIGTERM);
  co_await signal;
  std::cout << "SIGTERM came\n";
  int now = 0, most = 0;
  const std::function<Coro<int>(std::size_t)> square = [&](std::size_t n) -> Coro<int> {
    most = std::max(most, ++now);
    co_await sleep(1ms);
    --now;
    co_return static_cast<int>(n * n);
  };
  int sum = 0;
  for (const int result : co_await gather_limited(3, 10, square)) sum += result;
  std::cout << "sum " << sum << ", " << most << " at a time\n";

  Queue<int> queue;
  std::string seen;
  const std::function<Coro<>(int)> use = [&](int item) -> Coro<> {
    seen += std::to_string(item) + " ";
    co_return;
  };
  auto consumer = create_task(for_each(queue, use));
  for (int i = 0; i < 3; ++i) queue.put_nowait(i);
  queue.shutdown();
  co_await consumer;
  std::cout << seen << "and no more\n";

  const auto forever = []() -> Coro<> { co_await sleep(1h); };
  const std::function<Coro<>()> say_goodbye = []() -> Coro<> {
    co_await sleep(1ms);
    std::cout << "cleaned up\n";
  };
  auto task = create_task(with_clean_up(forever(), say_goodbye));
  co_await sleep(0s);
  task.cancel();
  co_await gather(return_exceptions, task);
  std::cout << (task.cancelled() ? "and cancelled\n" : "");
}

int main() { run(show()); }

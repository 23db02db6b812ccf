// Exercise 2: a future that is cancelled if another one is not done in time. Nothing stays behind in any of the cases.
#include <asyncio/future.h>
#include <asyncio/virtual_core.h>

#include <iostream>

using namespace std::chrono_literals;
using asyncio::Future;

template <class T>
Future<T> with_timeout(const Future<T>& inner, asyncio::Duration delay) {
  asyncio::Loop& loop = inner.get_loop();
  const Future<T> outer(loop);

  const auto id = inner.add_done_callback([outer](Future<T>& done) {
    if (outer.done()) return;  // the time was over in this very tick
    if (done.cancelled()) {
      outer.cancel();
    } else if (const std::exception_ptr error = done.exception()) {
      outer.set_exception(error);
    } else {
      outer.set_result(done.result());
    }
  });
  asyncio::TimerHandle timer = loop.call_later(delay, [outer] { outer.cancel("too late"); });

  // However it ends, by the result, by the timer, or by a cancel() from outside: whatever is left goes.
  outer.add_done_callback([inner, id, timer](Future<T>&) mutable {
    timer.cancel();
    const std::size_t removed = inner.remove_done_callback(id);
    std::cout << "  callbacks removed: " << removed << '\n';
  });
  return outer;
}

void show(const char* what, const Future<int>& outer) { std::cout << what << ": " << outer << '\n'; }

int main() {
  asyncio::Loop loop(std::make_unique<asyncio::VirtualCore>());
  const auto run_for = [&](asyncio::Duration time) {
    loop.call_later(time, [&] { loop.stop(); });
    loop.run_forever();
  };

  const Future<int> quick(loop), slow(loop), unwanted(loop);
  const auto in_time = with_timeout(quick, 10s);
  loop.call_later(1s, [&] { quick.set_result(42); });
  run_for(2s);
  show("done in time", in_time);

  const auto too_late = with_timeout(slow, 10s);
  run_for(11s);
  show("too late", too_late);

  const auto outside = with_timeout(unwanted, 10s);
  loop.call_soon([&] { outside.cancel(); });
  run_for(1s);
  show("cancelled from outside", outside);
}

// One look at all watched descriptors with poll(2): the callbacks of those that are ready go into the queue.
#include "sockets.h"

namespace course {
namespace {

// Here a tick looks for 20 ms at most. (How long the loop may really wait is step 6.2.)
struct LookingCore : PollCore {
  void wait(std::optional<by_hand::TimePoint>) override { look_(20); }
  void poll() override { look_(0); }
};

}  // namespace

void step() {
  by_hand::Loop loop(std::make_unique<LookingCore>());
  Log log;
  Pair pair, other;
  const auto ticks = [&](int count) {
    std::function<void()> tick = [&] { --count > 0 ? void(loop.call_soon(tick)) : loop.stop(); };
    loop.call_soon(tick);
    loop.run_forever();
  };

  expecting("the reader of a socket without data not to be called");
  by_hand::add_reader(loop, pair.b, [&] { log("readable"); });
  ticks(2);
  log.check("");

  expecting("the reader of a socket with data to be called, once a tick as long as the data is there");
  pair.say("x");
  ticks(1);
  log.check("readable");
  ticks(2);
  log.check("readable readable readable");

  expecting("the reader not to be called any more when the data has been read");
  log.clear();
  char byte = 0;
  checked(static_cast<int>(::recv(pair.b, &byte, 1, 0)), "recv");
  ticks(2);
  log.check("");

  expecting("the callback of the socket that is ready to be called, and not that of another");
  by_hand::add_reader(loop, other.b, [&] { log("other"); });
  other.say("x");
  ticks(1);
  log.check("other");
  expecting("both callbacks to be called when both sockets are ready");
  log.clear();
  pair.say("x");
  ticks(1);
  check(log.text() == "other readable" || log.text() == "readable other", "what ran: " + log.text());

  expecting("remove_reader() to return true, and the reader not to be called any more: readable");
  log.clear();
  check(by_hand::remove_reader(loop, other.b), "it returned false");
  ticks(1);
  log.check("readable");

  expecting("the writer of a socket with room to be called");
  log.clear();
  by_hand::remove_reader(loop, pair.b);
  by_hand::add_writer(loop, pair.b, [&] { log("writable"); });
  ticks(1);
  log.check("writable");
  expecting("reader and writer of one socket to be called for what each waits for: the socket has data and room");
  log.clear();
  by_hand::add_reader(loop, pair.b, [&] { log("readable"); });
  ticks(1);
  check(log.text() == "writable readable" || log.text() == "readable writable", "what ran: " + log.text());

  expecting("the reader to be called when the other side is closed, so that it can find the end");
  log.clear();
  by_hand::remove_writer(loop, pair.b);
  checked(static_cast<int>(::recv(pair.b, &byte, 1, 0)), "recv");
  pair.close_a();
  ticks(1);
  log.check("readable");

  expecting("a callback to be able to remove its own reader: once");
  log.clear();
  by_hand::add_reader(loop, pair.b, [&] {
    by_hand::remove_reader(loop, pair.b);
    log("once");
  });
  ticks(3);
  log.check("once");
}

}  // namespace course

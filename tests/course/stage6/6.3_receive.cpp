// A system call that would block is tried again when the descriptor is ready; the task waits in between.
#include "sockets.h"

namespace course {
namespace {

Log log;

Coro<std::string> what_is_there(Pair& pair) {
  pair.say("hello");
  std::string text = co_await by_hand::sock_recv(pair.b, 100);
  co_return text;
}
Coro<> receives(int fd, std::string name, std::size_t size = 100) {
  const std::string text = co_await by_hand::sock_recv(fd, size);
  log(name + ":" + text);
}
struct CountingCore : PollCore {
  explicit CountingCore(int& turns) : turns(turns) {}
  by_hand::TimePoint now() override {
    ++turns;
    return PollCore::now();
  }
  int& turns;
};
Coro<> what_comes_later(Pair& pair) {
  const Task<> receiver = create_task(receives(pair.b, "b"));
  co_await by_hand::sleep(10ms);
  log("sends");
  pair.say("later");
  co_await receiver;
}
Coro<> in_pieces(Pair& pair) {
  pair.say("abcde");
  co_await receives(pair.b, "1", 3);
  co_await receives(pair.b, "2", 3);
}
Coro<> two_at_once(Pair& first, Pair& second) {
  const Task<> a = create_task(receives(first.b, "a")), b = create_task(receives(second.b, "b"));
  co_await by_hand::sleep(5ms);
  second.say("x");
  co_await b;
  first.say("y");
  co_await a;
}
Coro<> the_end(Pair& pair) {
  pair.close_a();
  const std::string text = co_await by_hand::sock_recv(pair.b, 100);
  log(text.empty() ? "empty" : text);
}
Coro<> an_error() {
  try {
    const std::string text = co_await by_hand::sock_recv(-1, 100);
    log("received");
  } catch (const std::system_error& error) {
    log(error.code() == std::errc::bad_file_descriptor ? "EBADF" : error.what());
  }
}
Coro<> is_cancelled(Pair& pair, std::size_t& watched) {
  const Task<> receiver = create_task(receives(pair.b, "b"));
  co_await by_hand::sleep(5ms);
  receiver.cancel();
  co_await by_hand::sleep(5ms);
  log(receiver.cancelled() ? "cancelled" : "not-cancelled");
  watched = by_hand::watched_by(by_hand::Loop::running()).size();
}

}  // namespace

void step() {
  Pair pair, second;
  expecting("sock_recv() to return what is there, \"hello\", though it asks for 100 bytes");
  const std::string text = on_poll(what_is_there(pair));
  check(text == "hello", "it returned " + show(text));

  expecting("sock_recv() to wait for data that comes later, and to let others run meanwhile: sends b:later");
  int turns = 0;
  by_hand::run(what_comes_later(pair), std::make_unique<CountingCore>(turns));
  log.check("sends b:later");

  expecting("a task that waits for data not to keep the processor busy: a few steps in 10 ms");
  check(turns < 100, "the loop asked for the time " + show(turns) + " times, so it ticked as often");

  expecting("sock_recv(3) of five bytes to return three of them, and then the other two: 1:abc 2:de");
  log.clear();
  on_poll(in_pieces(pair));
  log.check("1:abc 2:de");

  expecting("two tasks to receive from two sockets at the same time: b:x a:y");
  log.clear();
  on_poll(two_at_once(pair, second));
  log.check("b:x a:y");

  expecting("a cancelled sock_recv() to stop watching the descriptor");
  log.clear();
  std::size_t watched = 0;
  on_poll(is_cancelled(pair, watched));
  log.check("cancelled");
  check(watched == 0, show(watched) + " were watched still");

  expecting("sock_recv() to return \"\" when the other side is closed");
  log.clear();
  on_poll(the_end(pair));
  log.check("empty");

  expecting("sock_recv() of a bad descriptor to throw the std::system_error EBADF");
  log.clear();
  on_poll(an_error());
  log.check("EBADF");
}

}  // namespace course

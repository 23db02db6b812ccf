// An exception that leaves a callback has nobody to catch it: it goes to the exception handler, and the tick goes on.
#include "virtual.h"

namespace {

std::string what(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    return error.what();
  } catch (int number) {
    return std::to_string(number);
  }
}

}  // namespace

void course::step() {
  VirtualLoop loop;
  Log log;
  std::vector<std::string> heard;

  expecting("the exception handler to hear of the std::runtime_error(\"disk full\") that a callback throws");
  loop.set_exception_handler([&](by_hand::Loop&, std::exception_ptr exception) {
    if (!exception) course::fail("it was called without an exception");
    heard.push_back(what(exception));
    log("handler");
  });
  loop.call_soon([] { throw std::runtime_error("disk full"); });
  loop.call_soon([&] { log("next"); });
  loop.run_once();
  check(!heard.empty(), "it was not called");
  check(heard.front() == "disk full", "it heard of " + show(heard.front()));
  expecting("the exception handler to be called once for one exception");
  check(heard.size() == 1, "it was called " + show(heard.size()) + " times");
  expecting("the tick to go on after the exception: handler next");
  log.check("handler next");

  expecting("the loop to run on in the next tick");
  log.clear();
  loop.call_soon([&] { log("tick2"); });
  loop.run_once();
  log.check("tick2");

  expecting("the handler to hear also of what is no std::exception: throw 42");
  heard.clear();
  loop.call_soon([] { throw 42; });
  loop.run_once();
  check(heard == std::vector<std::string>{"42"}, "it heard of " + show(heard));

  expecting("what a callback schedules before it throws to run in the next tick");
  log.clear();
  loop.call_soon([&] {
    loop.call_soon([&] { log("scheduled"); });
    throw std::runtime_error("after it");
  });
  loop.run_once();
  loop.run_once();
  log.check("handler scheduled");

  expecting("an exception of a timer's to reach the handler as well");
  heard.clear();
  loop.call_later(1ms, [] { throw std::runtime_error("too late"); });
  loop.call_later(2ms, [&] { loop.stop(); });
  loop.run_forever();
  check(heard == std::vector<std::string>{"too late"}, "it heard of " + show(heard));
}

// The notes' network programs (000, 002, 003, 004), over real sockets: a server of our own answers as httpbin does, and
// our own streams fetch from it, in one process and on one loop.
//
//   stage6_demo                              against that server
//   stage6_demo http://host:port/get?a={}    against another: httpbin, for one
//   stage6_demo serve [port]                 only the server, until Ctrl-C
//   stage6_demo echo [path]                  echo servers: streams, protocol, datagrams, and a Unix socket at the path
// On asyncio or, compiled with -DBY_HAND, on the small asyncio of by_hand/: see demo_lib.h.
#include "demo_http.h"
#include "demo_lib.h"
#include "demo_server.h"
#ifndef BY_HAND
#include "demo_echo.h"
#endif

#include <atomic>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace lib;
using demo::http_get;

// Set by main().
std::string page_url;           // a page
std::string URL;                // 'http://httpbin.org/get?a={}' in the notes
std::vector<std::string> urls;  // several pages

// ── 002: the status of a page, by a task with a callback; and of five ───────────────────────────────────────────────

namespace request_program {

Coro<int> request() {
  const demo::Response response = co_await http_get(page_url);
  co_return response.status;
}

void callback(Task<int>& task) { std::cout << "Status: " << task.result() << '\n'; }

void run(Loop& loop) {
  auto task = create_task(request(), {.loop = &loop});
  task.add_done_callback(callback);
  std::cout << "Task: " << task << '\n';
  loop.run_until_complete(task);
  std::cout << "Task: " << task << '\n';

  std::vector<Task<int>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(ensure_future(request(), loop));
  loop.run_until_complete(lib::wait(tasks));
  for (const auto& done : tasks) std::cout << "Task Result: " << done.result() << '\n';
}

}  // namespace request_program

// ── 000: two pages and a sleep, at the same time ────────────────────────────────────────────────────────────────────

namespace page_program {

Coro<> get_page() {
  const demo::Response response = co_await http_get(page_url);
  std::cout << response.status << '\n' << response.body;
}

void run(Loop& loop) {
  std::vector<AnyTask> tasks;
  tasks.push_back(create_task(get_page(), {.loop = &loop}));
  tasks.push_back(create_task(lib::sleep(50ms), {.loop = &loop}));
  tasks.push_back(create_task(get_page(), {.loop = &loop}));
  loop.run_until_complete(lib::wait(tasks));
}

}  // namespace page_program

// ── 003: twelve urls, three at a time ───────────────────────────────────────────────────────────────────────────────

Semaphore sema(3);

Coro<std::string> fetch_async(int a) {
  const demo::Response response = co_await http_get(demo::format(URL, a));
  co_return demo::json_string(response.body, "args", "a");
}

namespace semaphore_program {

Coro<> print_result(int a) {
  const auto permit = co_await sema.scoped();
  const std::string r = co_await fetch_async(a);
  std::cout << "fetch(" << a << ") = " << r << '\n';
}

void run(Loop& loop) {
  std::vector<Task<>> tasks;
  for (int number = 0; number < 12; ++number) tasks.push_back(create_task(print_result(number), {.loop = &loop}));
  loop.run_until_complete(lib::wait(tasks));
}

}  // namespace semaphore_program

// ── 003: fetched in the order of a priority queue ───────────────────────────────────────────────────────────────────

namespace queue_program {

const std::vector<int> NUMBERS = {6, 4, 22, 48, 9, 90, 40};  // random.sample(range(100), 7), as the notes drew them

using Item = std::pair<int, int>;

Coro<std::string> collect_result(int a) {
  const auto permit = co_await sema.scoped();
  co_return co_await fetch_async(a);
}

Coro<> produce(PriorityQueue<Item>& queue) {
  for (const int num : NUMBERS) {
    std::cout << "producing " << num << '\n';
    const Item item(num, num);
    co_await queue.put(item);
  }
}

Coro<> consume(PriorityQueue<Item>& queue) {
  for (;;) {
    const Item item = co_await queue.get();
    const std::string rs = co_await collect_result(item.first);
    std::cout << "consuming " << rs << "...\n";
    queue.task_done();
  }
}

Coro<> main() {
  PriorityQueue<Item> queue;
  auto consumer = create_task(consume(queue));
  co_await produce(queue);
  co_await queue.join();
  consumer.cancel();
  co_await lib::sleep(0s);  // the queue must outlive its consumer
}

}  // namespace queue_program

// ── 004: several urls at once, with gather ──────────────────────────────────────────────────────────────────────────

namespace gather_program {

Coro<std::string> fetch_url(std::string url) {
  const demo::Response response = co_await http_get(std::move(url));
  co_return response.body;
}

// The port is the system's choice, and another one each time.
std::string without_port(const std::string& url) {
  const demo::Url parts(url);
  return "http://" + parts.host + parts.target;
}

Coro<> main() {
  std::vector<Coro<std::string>> tasks;
  for (const std::string& url : urls) tasks.push_back(fetch_url(url));
  const std::vector<std::string> responses = co_await gather(std::move(tasks));
  for (std::size_t i = 0; i < urls.size(); ++i) {
    std::cout << "URL: " << without_port(urls[i]) << ", Length: " << responses[i].size() << '\n';
  }
}

}  // namespace gather_program

#ifndef BY_HAND
// ── what would block, in a thread; and somebody else's program ──────────────────────────────────────────────────────

namespace outside_program {

long add_up(long n) {
  long sum = 0;
  for (long i = 1; i <= n; ++i) sum += i;
  return sum;
}

Coro<> main() {
  auto adding = create_task(to_thread(add_up, 1'000'000));  // in a thread, while the loop goes on
  const Process sort =
      co_await create_subprocess_exec("sort", "-n", ProcessOptions(subprocess::PIPE, subprocess::PIPE));
  auto [sorted, errors] = co_await sort.communicate("42\n6\n22\n");
  for (char& c : sorted) c = c == '\n' ? ' ' : c;
  std::cout << "sort: " << sorted << "(return code " << *sort.returncode() << ")\n";
  const long sum = co_await adding;
  std::cout << "add_up(1000000): " << sum << '\n';
}

}  // namespace outside_program

// ── a step that blocks the loop, and who notices ────────────────────────────────────────────────────────────────────

namespace watchdog_program {

Coro<> compute(const std::atomic<bool>& noticed) {
  co_await asyncio::sleep(0s);
  while (!noticed) continue;  // a long computation, and no await in it
}

Coro<> main() {
  std::atomic<bool> noticed = false;
  const auto report = [&](const WatchdogReport& seen) {  // in the watchdog's thread
    if (noticed || seen.what.find("name='sum'") == std::string::npos) return;
    std::cout << seen.what << " blocks the loop\n";
    noticed = true;
  };
  const Watchdog watchdog({.limit = 10ms, .report = report});
  const auto task = create_task(compute(noticed), {.name = "sum"});
  co_await task;
}

}  // namespace watchdog_program
#endif

// ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> serve(int port) {
  demo::HttpServer http;
  co_await http.start(port);
  std::cout << "Serving on " << http.url() << "/get?a=1 until Ctrl-C" << std::endl;
  co_await http.server().serve_forever();
}

void run_programs(Loop& loop, demo::HttpServer* own_server) {
  const auto heading = [](const char* text) { std::cout << "---------- " << text << '\n'; };
  heading("002: the status of a page");
  request_program::run(loop);
  heading("000: two pages and a sleep");
  page_program::run(loop);
  heading("003: twelve urls, three at a time");
  if (own_server) own_server->take_turns(true);
  semaphore_program::run(loop);
  if (own_server) own_server->take_turns(false);
  heading("003: in the order of a priority queue");
  loop.run_until_complete(queue_program::main());
  heading("004: three urls with gather");
  loop.run_until_complete(gather_program::main());
#ifndef BY_HAND
  heading("asyncio only: a thread, and a child process");
  loop.run_until_complete(outside_program::main());
  heading("asyncio only: a step that blocks");
  loop.run_until_complete(watchdog_program::main());
#endif
}

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (!arguments.empty() && arguments[0] == "serve") {
      run_io(serve(arguments.size() > 1 ? std::stoi(arguments[1]) : 0));
      return 0;
    }
#ifndef BY_HAND
    if (!arguments.empty() && arguments[0] == "echo") {
      asyncio::run(demo::serve_echo(arguments.size() > 1 ? arguments[1] : ""));
      return 0;
    }
#endif
    IoLoop loop;
    if (!arguments.empty()) {
      URL = arguments[0];
      page_url = demo::format(URL, 0);
      for (const int number : {0, 1, 2}) urls.push_back(demo::format(URL, number));
      run_programs(loop, nullptr);
    } else {
      demo::HttpServer http;
      loop.run_until_complete(http.start(0));
      URL = http.url() + "/get?a={}";
      page_url = http.url() + "/";
      for (const char* page : {"/", "/python", "/cplusplus"}) urls.push_back(http.url() + page);
      run_programs(loop, &http);
#ifndef BY_HAND
      std::cout << "---------- asyncio only: an echo server, as a coroutine, as a protocol, for datagrams\n";
      loop.run_until_complete(demo::try_echo_servers());
#endif
      http.server().close();
      loop.run_until_complete(http.server().wait_closed());
    }
    loop.close();
  } catch (const KeyboardInterrupt&) {
    std::cout << "stopped\n";
  } catch (const std::exception& error) {
    std::cerr << "stage6_demo: " << error.what() << '\n';
    return 1;
  }
}

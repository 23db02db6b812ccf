// The notes' aiohttp programs (002, 003, 004) with asyncio::http, line by line.
//
//   stage6_http_demo                              against its own server
//   stage6_http_demo http://host:port/get?a={}    against another, such as httpbin
//   stage6_http_demo https://example.org          one page: status, headers, text
#include "../demo_http.h"
#include "../demo_server.h"

#include <asyncio/asyncio.h>
#include <asyncio/http/client_session.h>

#include <iostream>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace asyncio;

// Set by main().
std::string page_url;           // a page
std::string URL;                // 'http://httpbin.org/get?a={}' in the notes
std::vector<std::string> urls;  // several pages

// ── 004: one page's status and text, twice, and a sleep at the same time ────────────────────────────────────────────

Coro<> get_page() {
  http::ClientSession session;
  const auto resp = co_await session.get(page_url);
  const std::string text = co_await resp.text();
  std::cout << resp.status() << '\n' << text;
  session.close();
}

Coro<> pages_and_sleep() {
  std::vector<Task<>> tasks;
  for (int i = 0; i < 2; ++i) tasks.push_back(create_task(get_page()));
  co_await asyncio::sleep(50ms);
  co_await asyncio::wait(tasks);
}

// ── 003: twelve urls, three at a time ───────────────────────────────────────────────────────────────────────────────

Semaphore sema(3);

Coro<std::string> fetch_async(int a) {
  const auto r = co_await http::request("GET", demo::format(URL, a));
  const std::string data = co_await r.text();
  co_return demo::json_string(data, "args", "a");
}

Coro<> print_result(int a) {
  const auto permit = co_await sema.scoped();
  const std::string r = co_await fetch_async(a);
  std::cout << "fetch(" << a << ") = " << r << '\n';
}

Coro<> twelve_urls() {
  std::vector<Task<>> tasks;
  for (int number = 0; number < 12; ++number) tasks.push_back(create_task(print_result(number)));
  co_await asyncio::wait(tasks);
  for (const Task<>& task : tasks) co_await task;  // throws if one failed
}

// ── 003: fetched in the order of a priority queue ───────────────────────────────────────────────────────────────────

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

Coro<> priority_queue() {
  PriorityQueue<Item> queue;
  auto consumer = create_task(consume(queue));
  co_await produce(queue);
  auto joined = create_task(queue.join());
  std::vector<AnyTask> either;
  either.push_back(joined);
  either.push_back(consumer);
  co_await asyncio::wait(either, {.return_when = FIRST_COMPLETED});
  if (consumer.done()) co_await consumer;  // throws: the consumer failed, so join() will not end
  consumer.cancel();
  co_await asyncio::sleep(0s);  // the queue must outlive its consumer
}

// ── 002: several urls at once, with gather and one session ──────────────────────────────────────────────────────────

Coro<std::string> fetch_url(const http::ClientSession& session, std::string url) {
  const auto response = co_await session.get(std::move(url));
  co_return co_await response.text();
}

Coro<> three_urls() {
  const http::ClientSession session;
  std::vector<Coro<std::string>> tasks;
  for (const std::string& url : urls) tasks.push_back(fetch_url(session, url));
  const std::vector<std::string> responses = co_await gather(std::move(tasks));
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const demo::Url parts(urls[i]);  // without the port, which differs from run to run
    std::cout << "URL: http://" << parts.host << parts.target << ", Length: " << responses[i].size() << '\n';
  }
}

// ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

// Prints the page in pieces as it arrives: it may be too large to keep.
Coro<> show_page(std::string url) {
  const http::ClientSession session(http::SessionOptions().trust_env(true));
  const auto response = co_await session.get(std::move(url));
  std::cout << response.status() << ' ' << response.reason() << "  " << response.url() << '\n';
  for (const auto& [name, value] : response.headers()) std::cout << name << ": " << value << '\n';
  std::cout << '\n';
  for (;;) {
    const std::string chunk = co_await response.read_chunk();
    if (chunk.empty()) break;
    std::cout << chunk << std::flush;
  }
}

Coro<> run_programs(demo::HttpServer* own_server) {
  const auto heading = [](const char* text) { std::cout << "---------- " << text << '\n'; };
  heading("004: the status and the text of a page, twice");
  co_await pages_and_sleep();
  heading("003: twelve urls, three at a time");
  if (own_server) own_server->take_turns(true);
  co_await twelve_urls();
  if (own_server) own_server->take_turns(false);
  heading("003: in the order of a priority queue");
  co_await priority_queue();
  heading("002: three urls with gather");
  co_await three_urls();
}

Coro<> run_with_own_server() {
  demo::HttpServer server;
  co_await server.start(0);
  URL = server.url() + "/get?a={}";
  page_url = server.url() + "/";
  for (const char* page : {"/", "/python", "/cplusplus"}) urls.push_back(server.url() + page);
  co_await run_programs(&server);
  server.server().close();
  co_await server.server().wait_closed();
}

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.empty()) {
      asyncio::run(run_with_own_server());
    } else if (URL = arguments[0]; URL.find("{}") != URL.npos) {
      page_url = demo::format(URL, 0);
      for (const int number : {0, 1, 2}) urls.push_back(demo::format(URL, number));
      asyncio::run(run_programs(nullptr));
    } else {
      asyncio::run(show_page(URL));
    }
  } catch (const KeyboardInterrupt&) {
    std::cout << "stopped\n";
  } catch (const std::exception& error) {
    std::cerr << "stage6_http_demo: " << error.what() << '\n';
    return 1;
  }
}

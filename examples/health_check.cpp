// Asks web servers whether they answer: only a few at a time, each within a time limit. Each answer is shown when it
// arrives.
//
//   health_check SECONDS LIMIT URL…            health_check 2.5 10 http://example.org http://127.0.0.1:8080/health
//
// The exit code is 0 if all of them are well.
#include <asyncio/asyncio.h>

#include <exception>
#include <iomanip>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using Seconds = std::chrono::duration<double>;

struct Url {
  std::string host;
  int port = 80;
  std::string path = "/";
};

Url parse_url(const std::string& text) {
  const std::string scheme = "http://";
  if (!text.starts_with(scheme)) throw std::invalid_argument("not an http:// URL");
  Url url;
  url.host = text.substr(scheme.size());
  if (const std::size_t slash = url.host.find('/'); slash != url.host.npos) {
    url.path = url.host.substr(slash);
    url.host.resize(slash);
  }
  if (const std::size_t colon = url.host.find(':'); colon != url.host.npos) {
    url.port = std::stoi(url.host.substr(colon + 1));
    url.host.resize(colon);
  }
  return url;
}

/// "200 OK"
Coro<std::string> fetch_status(std::string text) {
  const Url url = parse_url(text);
  auto [reader, writer] = co_await open_connection(url.host, url.port);
  writer.write("HEAD " + url.path + " HTTP/1.1\r\nHost: " + url.host + "\r\nConnection: close\r\n\r\n");
  std::string line = co_await reader.readline();  // HTTP/1.1 200 OK
  if (!line.starts_with("HTTP/1.") || line.size() < 12) throw std::runtime_error("this is no HTTP");
  line.resize(line.find_last_not_of("\r\n") + 1);
  co_return line.substr(9);
}

struct Report {
  std::string url;
  std::string what;  // the status, or why there is none
  bool well = false;
  Seconds took{};
};

/// Never throws but for a cancel: a server that is down is a result.
Coro<Report> check(std::string url, Seconds limit, Semaphore& slots) {
  const auto slot = co_await slots.scoped();  // waiting for it does not count
  const TimePoint begin = Clock::now();
  Report report;
  report.url = url;
  try {
    report.what = co_await wait_for(fetch_status(url), limit);
    report.well = report.what[0] == '2' || report.what[0] == '3';
  } catch (const TimeoutError&) {
    report.what = "no answer in time";
  } catch (const std::exception& error) {
    report.what = error.what();
  }
  report.took = Clock::now() - begin;
  co_return report;
}

Coro<bool> check_all(std::vector<std::string> urls, Seconds limit, int at_a_time) {
  Semaphore slots(at_a_time);
  std::size_t ill = 0, done = 0;
  co_await task_group([&](TaskGroup& group) -> Coro<> {  // whose tasks have ended when `slots` goes, even at Ctrl-C
    std::vector<Task<Report>> checks;
    for (const std::string& url : urls) checks.push_back(group.create_task(check(url, limit, slots)));
    for (auto& next : as_completed(std::move(checks))) {
      const Report report = co_await next;
      if (!report.well) ++ill;
      std::cout << '[' << ++done << '/' << urls.size() << "] " << (report.well ? "well  " : "ILL   ") << std::fixed
                << std::setprecision(3) << report.took.count() << " s  " << report.url << ": " << report.what
                << std::endl;
    }
  });
  std::cout << done - ill << " well, " << ill << " ill\n";
  co_return ill == 0;
}

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: health_check SECONDS LIMIT URL...\n";
    return 2;
  }
  try {
    const bool all_well = run(check_all({argv + 3, argv + argc}, Seconds(std::stod(argv[1])), std::stoi(argv[2])));
    return all_well ? 0 : 1;
  } catch (const KeyboardInterrupt&) {
    return 130;
  } catch (const std::exception& error) {
    std::cerr << "health_check: " << error.what() << '\n';
    return 2;
  }
}

// Follows the links of a site, with ten workers, and prints each page that it finds. It stays below the given URL.
//
//   crawler URL [WORKERS]                      crawler http://127.0.0.1:8000/ 10
//
// The exit code is 0 if all links lead somewhere.
#include <asyncio/asyncio.h>
#include <asyncio/http/client_session.h>

#include <exception>
#include <iostream>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

class Crawler {
 public:
  explicit Crawler(std::string root) : root_(std::move(root)) { add(root_); }

  Coro<> crawl(int workers) {
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < workers; ++i) group.create_task(work());
      co_await to_do_.join();  // every page that was put there is done, and so are all that it led to
      to_do_.shutdown();       // the workers end
    });
  }

  std::size_t pages() const { return pages_; }
  std::size_t broken() const { return broken_; }

 private:
  Coro<> work() {
    for (;;) {
      std::string url;
      try {
        url = co_await to_do_.get();
      } catch (const QueueShutDown&) {
        co_return;
      }
      try {
        co_await wait_for(visit(url), 10s);
      } catch (const std::exception& error) {
        ++broken_;
        std::cout << "---  " << url << ": " << error.what() << std::endl;
      }
      to_do_.task_done();
    }
  }

  Coro<> visit(std::string url) {
    const http::ClientResponse response = co_await session_.get(url);
    ++(response.ok() ? pages_ : broken_);
    std::cout << response.status() << "  " << url << std::endl;
    if (!response.ok() || !response.headers().get("Content-Type").starts_with("text/html")) co_return;
    const std::string text = co_await response.text();
    for (const std::string& link : links(text)) add(absolute(link, url));
  }

  void add(const std::string& url) {
    if (url.starts_with(root_) && seen_.insert(url).second) to_do_.put_nowait(url);
  }

  static std::vector<std::string> links(const std::string& html) {
    static const std::regex link("<a\\s[^>]*href=[\"']([^\"'#]+)", std::regex::icase);
    std::vector<std::string> found;
    for (std::sregex_iterator i(html.begin(), html.end(), link), end; i != end; ++i) found.push_back((*i)[1]);
    return found;
  }

  /// Enough for a tree of files: no "..", no "//host". A "mailto:" stays as it is.
  static std::string absolute(const std::string& link, const std::string& base) {
    if (link.find(':') != link.npos) return link;
    const std::size_t host_end = base.find('/', base.find("://") + 3);
    return link[0] == '/' ? base.substr(0, host_end) + link : base.substr(0, base.rfind('/') + 1) + link;
  }

  const std::string root_;
  http::ClientSession session_;
  Queue<std::string> to_do_;
  std::set<std::string> seen_;  // all that ever were in to_do_
  std::size_t pages_ = 0;
  std::size_t broken_ = 0;
};

Coro<bool> crawl(std::string root, int workers) {
  Crawler crawler(root);
  co_await crawler.crawl(workers);
  std::cout << crawler.pages() << " pages, " << crawler.broken() << " broken links\n";
  co_return crawler.broken() == 0;
}

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: crawler URL [WORKERS]\n";
    return 2;
  }
  try {
    return run(crawl(argv[1], argc > 2 ? std::stoi(argv[2]) : 10)) ? 0 : 1;
  } catch (const KeyboardInterrupt&) {
    return 130;
  } catch (const std::exception& error) {
    std::cerr << "crawler: " << error.what() << '\n';
    return 2;
  }
}

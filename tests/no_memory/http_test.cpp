// Allocation k fails, for each k, in scenarios of HTTP: ours and libcurl's. See sweep.h.
#include "no_memory/closing.h"
#include "no_memory/no_memory.h"
#include "no_memory/sweep.h"

#include <asyncio/asyncio.h>
#include <asyncio/http/client_session.h>
#include <curl/curl.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::testing {
namespace {

using namespace std::chrono_literals;
using http::ClientSession;
using http::RequestOptions;

// ── libcurl's allocations ──

void* allocate_zeros(std::size_t count, std::size_t size) {
  void* const memory = allocate(count * size);
  return memory ? std::memset(memory, 0, count * size) : nullptr;
}
char* duplicate(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  void* const memory = allocate(size);
  return memory ? static_cast<char*>(std::memcpy(memory, text, size)) : nullptr;
}

const CURLcode ours =
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, allocate, release, reallocate, duplicate, allocate_zeros);

// ── scenarios ──

constexpr std::size_t kMuch = 300'000;

/// Says the path of the request; /much: a long body; /moved: that it is at /there; /silence: nothing.
Coro<> serve(StreamReader reader, StreamWriter writer) {
  for (;;) {
    std::string body, path;
    std::size_t size = 0;
    for (std::string line = "?"; line != "\r\n";) {
      line = co_await reader.readline();
      if (line.empty()) co_return writer.close();
      if (path.empty()) path = line.substr(line.find(' ') + 1, line.rfind(' ') - line.find(' ') - 1);
      if (line.starts_with("Content-Length: ")) size = std::strtoul(line.c_str() + 16, nullptr, 10);
    }
    body = co_await reader.readexactly(size);
    if (path == "/silence") continue;
    if (path == "/moved") {
      writer.write("HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n");
      continue;
    }
    body = path == "/much" ? std::string(kMuch, 'x') : path + body;
    writer.write("HTTP/1.1 200 OK\r\nX-One: a value that is too long for the string's own room\r\nContent-Length: " +
                 std::to_string(body.size()) + "\r\n\r\n" + body);
    co_await writer.drain();
  }
}

class Serving : public Closing {
 public:
  using Closing::Closing;
  std::string url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string((*this)->port()) + std::string(path);
  }
};

TEST(NoMemoryInHttp, LibcurlAllocatesByOurFunctions) { EXPECT_EQ(ours, CURLE_OK); }

TEST(NoMemoryInHttp, AGetAndAPostOverOneConnection) {
  sweep_io([]() -> Coro<> {
    Server made = co_await start_server(serve, "127.0.0.1", 0);
    const Serving server(std::move(made));
    const ClientSession session;
    const auto response = co_await session.get(server.url("/page"), RequestOptions().param("a", "1"));
    const std::string text = co_await response.text();
    // (libcurl 7.88 sends the path alone if it has no memory for a copy of the query: in url.c it ignores that error.)
    EXPECT_TRUE(text == "/page?a=1" || (text == "/page" && response.url() == server.url("/page?a=1"))) << text;
    EXPECT_EQ(response.headers().get("X-One").substr(0, 7), "a value");
    const auto posted = co_await session.post(server.url("/"), RequestOptions().data("body", "text/plain"));
    const std::string back = co_await posted.text();
    EXPECT_EQ(back, "/body");
  });
}

TEST(NoMemoryInHttp, SeveralAtOnce) {
  sweep_io([]() -> Coro<> {
    Server made = co_await start_server(serve, "127.0.0.1", 0);
    const Serving server(std::move(made));
    const ClientSession session;
    const auto fetch = [&](std::string path) -> Coro<> {
      const auto response = co_await session.get(server.url(path));
      const std::string text = co_await response.text();
      EXPECT_EQ(text, path);
    };
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      for (const char* const path : {"/one", "/two", "/three"}) group.create_task(fetch(path));
      co_return;
    });
  });
}

// The reader takes it slowly: libcurl keeps bytes back until it is asked for more.
TEST(NoMemoryInHttp, MoreThanTheBuffersHold) {
  sweep_io([]() -> Coro<> {
    Server made = co_await start_server(serve, "127.0.0.1", 0);
    const Serving server(std::move(made));
    const ClientSession session;
    const auto response = co_await session.get(server.url("/much"));
    std::size_t size = 0;
    for (int failures = 0; failures < 2000;) {
      try {
        const std::string chunk = co_await response.read_chunk();
        if (chunk.empty()) break;
        size += chunk.size();
      } catch (const std::bad_alloc&) {  // the bytes wait, or the transfer is over and says so for ever
        ++failures;
      }
      co_await sleep(0s);
    }
    EXPECT_LE(size, kMuch);
  });
}

TEST(NoMemoryInHttp, ARedirect) {
  sweep_io([]() -> Coro<> {
    Server made = co_await start_server(serve, "127.0.0.1", 0);
    const Serving server(std::move(made));
    const ClientSession session;
    const auto response = co_await session.post(server.url("/moved"), RequestOptions().data("body", "text/plain"));
    const std::string text = co_await response.text();
    EXPECT_EQ(text, "/there");
  });
}

TEST(NoMemoryInHttp, RequestsThatEndEarly) {
  sweep_io([]() -> Coro<> {
    Server made = co_await start_server(serve, "127.0.0.1", 0);
    const Serving server(std::move(made));
    const auto session = std::make_shared<ClientSession>();  // a task that has not begun may outlive this
    try {
      co_await wait_for(session->get(server.url("/silence")), 2ms);
    } catch (const TimeoutError&) {
    }
    const auto waits = create_task([session, url = server.url("/silence")]() -> Coro<> { co_await session->get(url); });
    const auto response = co_await session->get(server.url("/much"));
    session->close();
    try {
      co_await waits;
    } catch (const http::ClientError&) {
    }
    try {
      co_await response.text();
    } catch (const http::ClientError&) {
    }
  });
}

TEST(NoMemoryInHttp, NobodyAnswers) {
  sweep_io([]() -> Coro<> {
    try {
      co_await http::request("GET", "http://127.0.0.1:1/");
    } catch (const http::ClientError& error) {
      const std::string text = error.what();
    }
  });
}

}  // namespace
}  // namespace asyncio::testing

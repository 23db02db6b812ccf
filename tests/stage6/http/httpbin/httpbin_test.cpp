// Requests to httpbin, a server by others. httpbin.sh sets its address in $HTTPBIN_URL.
#include "support/io.h"

#include <asyncio/gather.h>
#include <asyncio/http/client_session.h>
#include <asyncio/timeouts.h>
#include <asyncio/wait_for.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace asyncio::testing {
namespace {

using http::ClientSession;
using http::RequestOptions;

std::string url(const std::string& target) {
  const char* base = std::getenv("HTTPBIN_URL");
  if (!base) throw std::runtime_error("HTTPBIN_URL is not set: run httpbin.sh");
  return base + target;
}

/// JSON without blanks and line breaks, for searching.
std::string squeezed(const std::string& json) {
  std::string all;
  for (const char c : json) {
    if (c != ' ' && c != '\n') all += c;
  }
  return all;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST(Httpbin, TellsOfParametersAndHeaders) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    const auto response =
        co_await session.get(url("/get?x=0"), RequestOptions().param("a", "1 & ü").header("X-Test", "yes"));
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(response.headers()["content-type"], "application/json");
    const std::string json = squeezed(co_await response.text());
    EXPECT_TRUE(contains(json, "\"args\":{\"a\":\"1&\\u00fc\",\"x\":\"0\"}")) << json;
    EXPECT_TRUE(contains(json, "\"X-Test\":\"yes\"")) << json;
  });
}

TEST(Httpbin, AnswersWithAnyStatus) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    for (const int status : {200, 201, 204, 400, 401, 404, 418, 500, 503}) {
      const auto response = co_await session.get(url("/status/" + std::to_string(status)));
      EXPECT_EQ(response.status(), status);
      EXPECT_EQ(response.ok(), status < 400);
      co_await response.read();
    }
    const auto headers = co_await session.get(url("/response-headers?X-One=1&X-Two=two"));
    EXPECT_EQ(headers.headers()["x-one"], "1");
    EXPECT_EQ(headers.headers()["X-TWO"], "two");
  });
}

TEST(Httpbin, RedirectsAreFollowedUpToALimit) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    const auto response = co_await session.get(url("/redirect/4"));
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(response.url(), url("/get"));
    const auto absolute = co_await session.get(url("/absolute-redirect/2"));
    EXPECT_EQ(absolute.status(), 200);
    const auto first = co_await session.get(url("/redirect/4"), RequestOptions().allow_redirects(false));
    EXPECT_EQ(first.status(), 302);
    EXPECT_EQ(first.headers()["Location"], "/relative-redirect/3");
    bool thrown = false;
    try {
      co_await session.get(url("/redirect/4"), RequestOptions().max_redirects(3));
    } catch (const http::TooManyRedirects&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
  });
}

TEST(Httpbin, CookiesAreKeptAndSentAgain) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    const auto set = co_await session.get(url("/cookies/set?a=1&b=two"));  // a redirect to /cookies
    EXPECT_EQ(squeezed(co_await set.text()), "{\"cookies\":{\"a\":\"1\",\"b\":\"two\"}}");
    EXPECT_EQ(session.cookies().size(), 2u);
    const auto gone = co_await session.get(url("/cookies/delete?a"));
    EXPECT_EQ(squeezed(co_await gone.text()), "{\"cookies\":{\"b\":\"two\"}}");
    const ClientSession other;
    const auto none = co_await other.get(url("/cookies"));
    EXPECT_EQ(squeezed(co_await none.text()), "{\"cookies\":{}}");
  });
}

TEST(Httpbin, GetsFormsJsonAndBytes) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    const auto form = co_await session.post(url("/post"), RequestOptions().form("name", "Ada L.").form("x", "1=&2"));
    const std::string form_json = squeezed(co_await form.text());
    EXPECT_TRUE(contains(form_json, "\"form\":{\"name\":\"AdaL.\",\"x\":\"1=&2\"}")) << form_json;
    const auto json = co_await session.post(url("/post"), RequestOptions().json("{\"k\": [1, 2]}"));
    const std::string json_json = squeezed(co_await json.text());
    EXPECT_TRUE(contains(json_json, "\"json\":{\"k\":[1,2]}")) << json_json;
    const auto put = co_await session.request("PUT", url("/put"), RequestOptions().data("plain", "text/plain"));
    const std::string put_json = squeezed(co_await put.text());
    EXPECT_TRUE(contains(put_json, "\"data\":\"plain\"")) << put_json;
    const auto deleted = co_await session.request("DELETE", url("/delete"));
    EXPECT_EQ(deleted.status(), 200);
    const auto head = co_await session.request("HEAD", url("/get"));
    EXPECT_EQ(head.status(), 200);
    EXPECT_EQ(co_await head.text(), "");
  });
}

TEST(Httpbin, CompressedBodiesAreUndone) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    for (const char* target : {"/gzip", "/deflate"}) {
      const auto response = co_await session.get(url(target));
      EXPECT_EQ(response.headers()["Content-Encoding"], target + 1);
      const std::string json = squeezed(co_await response.text());
      EXPECT_TRUE(contains(json, "\"method\":\"GET\"")) << json;
    }
  });
}

TEST(Httpbin, NameAndPassword) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    const std::string with_password = "http://user:pass@" + url("/basic-auth/user/pass").substr(7);
    const auto right = co_await session.get(with_password);
    EXPECT_EQ(right.status(), 200);
    const auto wrong = co_await session.get(url("/basic-auth/user/pass"));
    EXPECT_EQ(wrong.status(), 401);
  });
}

TEST(Httpbin, ADelayLongerThanTheTimeoutThrows) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    bool timed_out = false, waited_for = false;
    try {
      co_await session.get(url("/delay/5"), RequestOptions().timeout(200ms));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    try {
      co_await wait_for(session.get(url("/delay/5")), 200ms);
    } catch (const TimeoutError&) {
      waited_for = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(waited_for);
    auto cancelled = create_task(session.get(url("/delay/5")));
    co_await sleep(50ms);
    cancelled.cancel();
    co_await ticks(2);
    EXPECT_TRUE(cancelled.cancelled());
    const auto response = co_await session.get(url("/delay/0"));
    EXPECT_EQ(response.status(), 200);
  });
}

TEST(Httpbin, StreamsComeLineByLine) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    const auto response = co_await session.get(url("/stream/10"));
    const StreamReader content = response.content();
    for (int i = 0; i < 10; ++i) {
      const std::string line = squeezed(co_await content.readline());
      EXPECT_TRUE(contains(line, "\"id\":" + std::to_string(i))) << line;
    }
    EXPECT_EQ(co_await content.readline(), "");

    const auto drip = co_await session.get(url("/drip?numbytes=4&duration=0.4&delay=0"));
    std::size_t size = 0;
    for (;;) {
      const std::string chunk = co_await drip.read_chunk();
      if (chunk.empty()) break;
      size += chunk.size();
    }
    EXPECT_EQ(size, 4u);

    const auto bytes = co_await session.get(url("/stream-bytes/100000?seed=7&chunk_size=1000"));
    const std::string one = co_await bytes.read();
    const auto again = co_await session.get(url("/stream-bytes/100000?seed=7&chunk_size=33333"));
    const std::string other = co_await again.read();
    EXPECT_EQ(one.size(), 100'000u);
    EXPECT_TRUE(one == other);
  });
}

Coro<int> connections(const ClientSession& session) {
  const auto response = co_await session.get(url("/_connections"));
  const std::string text = co_await response.text();
  co_return std::stoi(text);
}

TEST(Httpbin, ManyRequestsOneConnection) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    const int before = co_await connections(session);
    for (int i = 0; i < 20; ++i) {
      const auto response = co_await session.get(url("/get"));
      co_await response.read();
    }
    EXPECT_EQ(co_await connections(session), before);
  });
}

TEST(Httpbin, ManyRequestsAtOnce) {
  run_io([]() -> Coro<> {
    const ClientSession session(http::SessionOptions().limit(8));
    const auto fetch = [&](int number) -> Coro<bool> {
      const auto response = co_await session.get(url("/anything"), RequestOptions().param("a", std::to_string(number)));
      const std::string json = squeezed(co_await response.text());
      co_return contains(json, "\"args\":{\"a\":\"" + std::to_string(number) + "\"}");
    };
    std::vector<Coro<bool>> fetches;
    for (int number = 0; number < 100; ++number) fetches.push_back(fetch(number));
    const std::vector<bool> right = co_await gather(std::move(fetches));
    for (const bool each : right) EXPECT_TRUE(each);
    EXPECT_EQ(right.size(), 100u);
  });
}

TEST(Httpbin, OverTlsACertificateIsAskedFor) {
  const char* base = std::getenv("HTTPBIN_TLS_URL");
  if (!base) GTEST_SKIP() << "there is no openssl to make a certificate";
  run_io([base]() -> Coro<> {
    const std::string there = std::string(base) + "/get";
    const ClientSession session;
    std::string what;
    try {
      co_await session.get(there);
    } catch (const http::ClientConnectionError& error) {
      what = error.what();
    }
    EXPECT_TRUE(contains(what, "certificate")) << what;
    const ClientSession trusting(http::SessionOptions().ca_file(std::getenv("HTTPBIN_CERTIFICATE")));
    const auto response = co_await trusting.get(there);
    EXPECT_EQ(response.status(), 200);
    const std::string text = co_await response.text();
    EXPECT_TRUE(contains(text, "\"url\"")) << text;
    const ClientSession careless(http::SessionOptions().verify(false));
    const auto anybody = co_await careless.get(there);
    EXPECT_EQ(anybody.status(), 200);
  });
}

}  // namespace
}  // namespace asyncio::testing

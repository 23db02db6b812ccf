// ClientSession: the requests that it sends, and their answers.
#include "stage6/http/http_server.h"
#include "support/refusing.h"

#include <asyncio/barrier.h>

#include <string>
#include <vector>

namespace asyncio::testing {
namespace {

using http::ClientSession;
using http::RequestOptions;
using http::SessionOptions;

TEST(ClientSession, GetGivesStatusReasonHeadersUrlAndText) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(
        answer("Grüße\n", "200 Fine", "X-One: 1\r\nx-two:  two words \r\nX-One: again\r\nEmpty:\r\n"));
    const ClientSession session;
    const auto response = co_await session.get(server.url("/page"));
    EXPECT_EQ(response.status(), 200);
    EXPECT_TRUE(response.ok());
    EXPECT_EQ(response.reason(), "Fine");
    EXPECT_EQ(response.url(), server.url("/page"));
    EXPECT_EQ(response.headers()["x-one"], "1");
    EXPECT_EQ(response.headers().getall("X-ONE"), std::vector<std::string>({"1", "again"}));
    EXPECT_EQ(response.headers().get("X-Two"), "two words");
    EXPECT_TRUE(response.headers().contains("empty"));
    EXPECT_EQ(response.headers().get("nothing", "fallback"), "fallback");
    EXPECT_THROW(response.headers()["nothing"], std::out_of_range);
    EXPECT_EQ(co_await response.text(), "Grüße\n");
    EXPECT_EQ(co_await response.read(), "Grüße\n");  // the second call returns it again
    EXPECT_EQ(server.requests()[0].method, "GET");
    EXPECT_EQ(server.requests()[0].target, "/page");
    EXPECT_TRUE(server.requests()[0].headers.get("User-Agent").starts_with("asyncio-stages libcurl/"));
  });
}

TEST(ClientSession, ParametersAreEncodedAndComeBehindThoseOfTheUrl) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer(""));
    const ClientSession session;
    co_await session.get(server.url("/get?z=0#part"), RequestOptions().param("a", "1 & 2").param("ü=", "100%/~"));
    EXPECT_EQ(server.requests()[0].target, "/get?z=0&a=1%20%26%202&%C3%BC%3D=100%25%2F~");
    co_await session.get(server.url("/get"), RequestOptions().param("a", ""));
    EXPECT_EQ(server.requests()[1].target, "/get?a=");
  });
}

TEST(ClientSession, HeadersOfTheRequestGoBeforeThoseOfTheSession) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer(""));
    const ClientSession session(SessionOptions().header("X-Session", "s").header("X-Both", "s").header("Accept", ""));
    co_await session.get(server.url(), RequestOptions().header("x-both", "r").header("User-Agent", "test"));
    const http::Headers& sent = server.requests()[0].headers;
    EXPECT_EQ(sent.get("X-Session"), "s");
    EXPECT_EQ(sent.getall("X-Both"), std::vector<std::string>(1, "r"));
    EXPECT_EQ(sent.getall("User-Agent"), std::vector<std::string>(1, "test"));
    EXPECT_EQ(sent.getall("Accept"), std::vector<std::string>(1, ""));
  });
}

TEST(ClientSession, AHeaderCannotSmuggleInAnother) {
  RequestOptions options;
  EXPECT_THROW(options.header("X", "a\r\nY: b"), std::invalid_argument);
  EXPECT_THROW(options.header("X", "a\nb"), std::invalid_argument);
  EXPECT_THROW(options.header("X", std::string("a\0b", 3)), std::invalid_argument);
  EXPECT_THROW(options.header("X: a\r\nY", "b"), std::invalid_argument);
  EXPECT_THROW(options.header("", "b"), std::invalid_argument);
  EXPECT_THROW(SessionOptions().header("X Y", "b"), std::invalid_argument);
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer(""));
    const ClientSession session;
    for (const char* method : {"", "GET / HTTP/1.1\r\nX: y", "A B"}) {
      const std::string what = co_await thrown_by<std::invalid_argument>(session.request(method, server.url()));
      EXPECT_EQ(what, "not an HTTP method: '" + std::string(method) + "'");
    }
    EXPECT_EQ(server.connections(), 0);
  });
}

TEST(ClientSession, PostSendsBytesFormsAndJson) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer("ok"));
    const ClientSession session;
    const std::string bytes = pattern(3 << 20);
    co_await session.post(server.url(), RequestOptions().data(bytes));
    co_await session.post(server.url(), RequestOptions().form("a", "1 2").form("b", "x&y"));
    co_await session.post(server.url(), RequestOptions().json("{\"a\": 1}"));
    co_await session.post(server.url(), RequestOptions().data("a,b", "text/csv").header("content-type", "text/plain"));
    co_await session.post(server.url());
    const std::vector<Request>& sent = server.requests();
    for (const Request& request : sent) EXPECT_EQ(request.method, "POST");
    EXPECT_TRUE(sent[0].body == bytes);
    EXPECT_EQ(sent[0].headers.get("Content-Type"), "application/octet-stream");
    EXPECT_FALSE(sent[0].headers.contains("Expect"));
    EXPECT_EQ(sent[1].body, "a=1%202&b=x%26y");
    EXPECT_EQ(sent[1].headers.get("Content-Type"), "application/x-www-form-urlencoded");
    EXPECT_EQ(sent[2].body, "{\"a\": 1}");
    EXPECT_EQ(sent[2].headers.get("Content-Type"), "application/json");
    EXPECT_EQ(sent[3].headers.getall("Content-Type"), std::vector<std::string>(1, "text/plain"));
    EXPECT_EQ(sent[4].body, "");
    EXPECT_EQ(sent[4].headers.get("Content-Length"), "0");
  });
}

TEST(ClientSession, AnyMethodMayBeAskedFor) {
  run_io([]() -> Coro<> {
    HttpServer server;
    const HttpServer::Handler handler = [](Request request, StreamWriter writer) -> Coro<> {
      const std::string whole = answer("answer");
      writer.write(request.method == "HEAD" ? whole.substr(0, whole.size() - 6) : whole);
      co_return;
    };
    co_await server.start(handler);
    const ClientSession session;
    for (const char* method : {"PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"}) {
      const auto response = co_await session.request(method, server.url(), RequestOptions().data("body"));
      EXPECT_EQ(co_await response.text(), "answer");
      EXPECT_EQ(server.requests().back().method, method);
      EXPECT_EQ(server.requests().back().body, "body");
    }
    const auto without_body = co_await session.request("DELETE", server.url());
    EXPECT_EQ(without_body.status(), 200);
    const auto put_nothing = co_await session.request("PUT", server.url());
    EXPECT_EQ(server.requests().back().headers.get("Content-Length"), "0");
    const auto head = co_await session.request("HEAD", server.url());
    EXPECT_EQ(head.headers()["Content-Length"], "6");
    EXPECT_EQ(co_await head.text(), "");
    EXPECT_EQ(server.requests().back().method, "HEAD");
  });
}

Coro<> redirecting(Request request, StreamWriter writer) {
  if (request.target == "/end") {
    writer.write(answer(request.method + " " + request.body));
  } else if (request.target == "/loop") {
    writer.write(answer("", "302 Found", "Location: /loop\r\n"));
  } else {
    const std::string status = request.target.substr(1);
    writer.write(answer("not this", status + " Moved", "Location: /end\r\nX-Old: 1\r\n"));
  }
  co_return;
}

TEST(ClientSession, RedirectsAreFollowed) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(redirecting);
    const ClientSession session;
    const auto response = co_await session.get(server.url("/302"));
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(response.url(), server.url("/end"));
    EXPECT_FALSE(response.headers().contains("X-Old"));
    EXPECT_EQ(co_await response.text(), "GET ");

    const auto see_other = co_await session.post(server.url("/303"), RequestOptions().data("x"));
    EXPECT_EQ(co_await see_other.text(), "GET ");
    const auto again = co_await session.post(server.url("/307"), RequestOptions().data("x"));
    EXPECT_EQ(co_await again.text(), "POST x");
    const auto put = co_await session.request("PUT", server.url("/302"), RequestOptions().data("x"));
    EXPECT_EQ(co_await put.text(), "PUT x");
    EXPECT_EQ(server.connections(), 1);
  });
}

TEST(ClientSession, RedirectsAreAnAnswerIfTheyAreNotAllowed) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(redirecting);
    const ClientSession session;
    const auto response = co_await session.get(server.url("/301"), RequestOptions().allow_redirects(false));
    EXPECT_EQ(response.status(), 301);
    EXPECT_EQ(response.headers()["Location"], "/end");
    EXPECT_EQ(co_await response.text(), "not this");
    EXPECT_EQ(server.requests().size(), 1u);
  });
}

TEST(ClientSession, TooManyRedirectsThrow) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(redirecting);
    const ClientSession session;
    const std::string what = co_await thrown_by<http::TooManyRedirects>(session.get(server.url("/loop")));
    EXPECT_EQ(what, "GET " + server.url("/loop") + ": Maximum (10) redirects followed");
    EXPECT_EQ(server.requests().size(), 11u);
    co_await thrown_by<http::TooManyRedirects>(session.get(server.url("/302"), RequestOptions().max_redirects(0)));
    EXPECT_EQ(server.requests().size(), 12u);
  });
}

TEST(ClientSession, A100ContinueIsNotTheAnswer) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n" + answer("late", "201 Created"));
    const ClientSession session;
    const auto response = co_await session.post(server.url(), RequestOptions().data("x"));
    EXPECT_EQ(response.status(), 201);
    EXPECT_FALSE(response.headers().contains("X-Early"));
    EXPECT_EQ(co_await response.text(), "late");
  });
}

TEST(ClientSession, CookiesOfOneResponseGoOutWithTheNextRequest) {
  run_io([]() -> Coro<> {
    HttpServer server;
    const HttpServer::Handler handler = [](Request request, StreamWriter writer) -> Coro<> {
      const bool set = request.target == "/set";
      writer.write(answer(request.headers.get("Cookie"), "200 OK",
                          set ? "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=two; Path=/; HttpOnly\r\n" : ""));
      co_return;
    };
    co_await server.start(handler);
    const ClientSession session, stranger;
    const auto set = co_await session.get(server.url("/set"));
    EXPECT_EQ(set.headers().getall("Set-Cookie").size(), 2u);
    const auto first = co_await session.get(server.url("/"));
    const std::string sent = co_await first.text();
    EXPECT_TRUE(sent == "a=1; b=two" || sent == "b=two; a=1") << sent;
    std::vector<http::Cookie> cookies = session.cookies();
    EXPECT_EQ(cookies.size(), 2u);
    for (const http::Cookie& cookie : cookies) {
      EXPECT_EQ(cookie.value, cookie.name == "a" ? "1" : "two");
      EXPECT_EQ(cookie.domain, "127.0.0.1");
      EXPECT_EQ(cookie.path, "/");
    }
    const auto without = co_await stranger.get(server.url("/"));
    EXPECT_EQ(co_await without.text(), "");
    session.clear_cookies();
    EXPECT_TRUE(session.cookies().empty());
    const auto after = co_await session.get(server.url("/"));
    EXPECT_EQ(co_await after.text(), "");
  });
}

TEST(ClientSession, RequestsOneAfterTheOtherUseOneConnection) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer("body"));
    const ClientSession session;
    for (int i = 0; i < 20; ++i) {
      const auto response = co_await session.get(server.url());
      EXPECT_EQ(co_await response.text(), "body");
    }
    EXPECT_EQ(server.connections(), 1);
  });
}

TEST(ClientSession, TheLimitOfConnectionsMakesRequestsWaitTheirTurn) {
  run_io([]() -> Coro<> {
    HttpServer server;
    int now = 0, most = 0;
    Barrier three(3);
    const HttpServer::Handler handler = [&](Request, StreamWriter writer) -> Coro<> {
      most = std::max(most, ++now);
      co_await three.wait();
      co_await sleep(2ms);  // for a fourth
      --now;
      writer.write(answer("x"));
    };
    co_await server.start(handler);
    for (const bool per_host : {false, true}) {
      const ClientSession session(per_host ? SessionOptions().limit_per_host(3) : SessionOptions().limit(3));
      std::vector<Task<http::ClientResponse>> tasks;
      for (int i = 0; i < 12; ++i) tasks.push_back(create_task(session.get(server.url())));
      for (const auto& task : tasks) {
        const http::ClientResponse& response = co_await task;
        EXPECT_EQ(response.status(), 200);
      }
      EXPECT_EQ(most, 3);
      most = 0;
    }
    EXPECT_LE(server.connections(), 6);
  });
}

TEST(ClientSession, GzipIsUndone) {
  run_io([]() -> Coro<> {
    HttpServer server;
    const HttpServer::Handler handler = [](Request request, StreamWriter writer) -> Coro<> {
      EXPECT_NE(request.headers.get("Accept-Encoding").find("gzip"), std::string::npos);
      // gzip.compress(b"hello hello hello hello\n", mtime=0)
      const std::string body(
          "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\xb9\x00\x00"
          "\x88\x59\x0b\x18\x00\x00\x00",
          29);
      writer.write(answer(body, "200 OK", "Content-Encoding: gzip\r\n"));
      co_return;
    };
    co_await server.start(handler);
    const ClientSession session;
    const auto response = co_await session.get(server.url());
    EXPECT_EQ(co_await response.text(), "hello hello hello hello\n");
  });
}

TEST(ClientSession, RaiseForStatusThrowsFrom400On) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer("no such page", "404 Not Found"));
    const ClientSession session;
    const auto response = co_await session.get(server.url("/x"));
    EXPECT_FALSE(response.ok());
    EXPECT_EQ(co_await response.text(), "no such page");
    try {
      response.raise_for_status();
      ADD_FAILURE();
    } catch (const http::ClientResponseError& error) {
      EXPECT_EQ(error.status(), 404);
      EXPECT_EQ(error.what(), "404, message='Not Found', url='" + server.url("/x") + "'");
    }
  });
}

TEST(ClientSession, NameAndPasswordAreSentAndNeverShown) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer("who?", "401 Unauthorized", "WWW-Authenticate: Basic realm=\"r\"\r\n"));
    const ClientSession session;
    const std::string with_password = "http://me%40home:secret@127.0.0.1:" + server.url("").substr(17) + "/p";
    const auto response = co_await session.get(with_password);
    EXPECT_EQ(response.status(), 401);
    EXPECT_EQ(co_await response.text(), "who?");
    EXPECT_EQ(server.requests()[0].headers.get("Authorization"), "Basic bWVAaG9tZTpzZWNyZXQ=");
    EXPECT_EQ(response.url(), server.url("/p"));
    server.stop();
    const std::string refused = "http://me:secret@127.0.0.1:" + std::to_string(refusing_port());
    const std::string what = co_await thrown_by<http::ClientConnectionError>(session.get(refused));
    EXPECT_EQ(what.find("secret"), what.npos) << what;
  });
}

TEST(ClientSession, OptionsOfLibcurlCanBeSet) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer("x"));
    const ClientSession session;
    bool called = false;
    const auto setup = [&called](void* easy) { called = easy != nullptr; };
    co_await session.get(server.url(), RequestOptions().easy_setup(setup));
    EXPECT_TRUE(called);
  });
}

TEST(Request, WithoutASessionKeepsWhatItNeeds) {
  run_io([]() -> Coro<> {
    const int before = open_descriptors();
    HttpServer server;
    co_await server.start(answer("alone"));
    {
      const auto response = co_await http::request("GET", server.url(), RequestOptions().param("a", "1"));
      EXPECT_EQ(co_await response.text(), "alone");
      EXPECT_EQ(server.requests()[0].target, "/?a=1");
    }
    co_await until([&] { return server.open_connections() == 0; });
    server.stop();
    co_await ticks(3);
    EXPECT_LE(open_descriptors(), before + 1);  // the loop's own, at the most
  });
}

}  // namespace
}  // namespace asyncio::testing

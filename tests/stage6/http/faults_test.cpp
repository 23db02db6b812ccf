// Servers that are absent, hang up, are slow or send nonsense; cancelled requests; sessions and loops closed too early.
#include "stage6/http/http_server.h"
#include "support/refusing.h"

#include <asyncio/semaphore.h>
#include <asyncio/timeouts.h>
#include <asyncio/wait_for.h>
#include <curl/curl.h>
#include <sys/resource.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asyncio::testing {
namespace {

using http::ClientConnectionError;
using http::ClientPayloadError;
using http::ClientSession;
using http::RequestOptions;
using http::SessionOptions;

/// Serves one connection: reads the request, sends `text`, and closes, with a reset if `reset`.
Coro<> serve_once(Socket& listening, std::string text, bool reset) {
  auto [socket, peer] = co_await sock_accept(listening);
  std::string request;
  while (request.find("\r\n\r\n") == request.npos) {
    const std::string data = co_await sock_recv(socket, 4096);
    if (data.empty()) break;
    request += data;
  }
  co_await sock_sendall(socket, text);
  if (reset) {
    co_await sleep(5ms);  // the client reads before the reset discards the data
    const struct linger at_once = {1, 0};
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
}

std::string url_of(const Socket& listening) {
  return "http://127.0.0.1:" + std::to_string(listening.local_address().port()) + "/";
}

/// The exception of a request that gets `text` and then the end of the connection.
template <class E>
Coro<std::string> thrown_for(std::string text, bool reset = false) {
  Socket listening = Socket::listening(*Address::numeric("127.0.0.1", 0));
  auto serving = create_task(serve_once(listening, std::move(text), reset));
  const ClientSession session;
  const auto get_text = [](const ClientSession& session, std::string url) -> Coro<std::string> {
    const auto response = co_await session.get(std::move(url));
    co_return co_await response.text();
  };
  const std::string what = co_await thrown_by<E>(get_text(session, url_of(listening)));
  co_await serving;
  const std::string prefix = "GET " + url_of(listening) + ": ";
  co_return what.starts_with(prefix) ? what.substr(prefix.size()) : what;
}

// ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(HttpFaults, ARefusedConnectionThrows) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    const std::string url = "http://127.0.0.1:" + std::to_string(refusing_port()) + "/";
    try {
      co_await session.get(url);
      ADD_FAILURE();
    } catch (const ClientConnectionError& error) {
      EXPECT_EQ(error.code(), CURLE_COULDNT_CONNECT);
      EXPECT_EQ(std::string(error.what()).rfind("GET " + url + ": Failed to connect to 127.0.0.1 port ", 0), 0u)
          << error.what();
    }
  });
}

TEST(HttpFaults, WhatIsNoUrlThrows) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    for (const char* url : {"", "example.org", "http://", "http://a b/", "http://host:99999/", "ftp://127.0.0.1/",
                            "file:///etc/passwd", "http://127.0.0.1/\r\nX: y"}) {
      const std::string what = co_await thrown_by<http::InvalidURL>(session.get(url));
      EXPECT_EQ(what.rfind("not a URL", 0), 0u) << what;
    }
  });
}

TEST(HttpFaults, ARedirectToAFileIsRefused) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer("", "302 Found", "Location: file:///etc/passwd\r\n"));
    const ClientSession session;
    const std::string what = co_await thrown_by<http::InvalidURL>(session.get(server.url()));
    EXPECT_NE(what.find("Protocol \"file\" "), what.npos) << what;
  });
}

TEST(HttpFaults, AServerThatHangsUpThrows) {
  run_io([]() -> Coro<> {
    EXPECT_EQ(co_await thrown_for<ClientConnectionError>(""), "Empty reply from server");
    const std::string in_head = co_await thrown_for<ClientConnectionError>("HTTP/1.1 200 OK\r\nConte", true);
    EXPECT_NE(in_head.find("reset"), in_head.npos) << in_head;
    EXPECT_EQ(co_await thrown_for<http::ClientError>("who are you\r\n"), "Received HTTP/0.9 when not allowed");
  });
}

TEST(HttpFaults, ABodyThatIsNotWholeThrows) {
  run_io([]() -> Coro<> {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    const std::string missing = co_await thrown_for<ClientPayloadError>(head + "hello");  // in libcurl 7's or 8's words
    EXPECT_TRUE(missing == "transfer closed with 5 bytes remaining to read" ||
                missing == "end of response with 5 bytes missing")
        << missing;
    const std::string reset = co_await thrown_for<ClientPayloadError>(head + "hello", true);
    EXPECT_NE(reset.find("reset"), reset.npos) << reset;
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    co_await thrown_for<ClientPayloadError>(chunked + "5\r\nhel");
    co_await thrown_for<ClientPayloadError>(chunked + "nonsense\r\n");
    const std::string zipped = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\n";
    const std::string bad = co_await thrown_for<ClientPayloadError>(zipped + "nonsense");
    EXPECT_NE(bad, "(nothing was thrown)");
  });
}

TEST(HttpFaults, OutOfDescriptorsThrowsAndThenGoesOn) {
  if (kSanitizerNeedsDescriptors) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer("x"));
    const ClientSession session;
    rlimit before = {};
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit no_more = before;
    no_more.rlim_cur = static_cast<rlim_t>(Socket::stream(AF_INET).fd());  // the next descriptor's number
    setrlimit(RLIMIT_NOFILE, &no_more);
    const std::string what = co_await thrown_by<ClientConnectionError>(session.get(server.url()));
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_NE(what, "(nothing was thrown)");
    const auto response = co_await session.get(server.url());
    EXPECT_EQ(co_await response.text(), "x");
  });
}

// ── time limits ─────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<> slow(Request request, StreamWriter writer) {
  if (request.target == "/fast") {
    writer.write(answer("fast"));
    co_return;
  }
  if (request.target == "/body") writer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  co_await sleep(1h);
}

TEST(HttpFaults, ASlowServerThrowsTimeoutError) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(slow);
    const ClientSession session;
    const auto first = co_await session.get(server.url("/fast"));  // connects, which has a text of its own
    EXPECT_EQ(co_await first.text(), "fast");
    const std::string what =
        co_await thrown_by<TimeoutError>(session.get(server.url(), RequestOptions().timeout(30ms)));
    EXPECT_EQ(what.rfind("GET " + server.url() + ": Operation timed out after ", 0), 0u) << what;

    std::optional<ClientSession> impatient;
    std::optional<http::ClientResponse> response;
    for (Duration limit = 30ms; !response; limit *= 4) {  // until the head comes in time
      impatient.emplace(SessionOptions().timeout(limit));
      try {
        response = co_await impatient->get(server.url("/body"));
      } catch (const TimeoutError&) {
      }
    }
    EXPECT_EQ(co_await response->read_chunk(), "hello");
    const std::string in_body =
        co_await thrown_by<TimeoutError>(response->read_chunk());  // the limit includes the body
    EXPECT_NE(in_body.find("with 5 out of 10 bytes received"), in_body.npos) << in_body;

    for (const Duration limit : {Duration(0), Duration(-1s), Duration::max()}) {
      auto task = create_task(session.get(server.url("/fast"), RequestOptions().timeout(limit)));
      co_await asyncio::wait_for(thrown_by<TimeoutError>(std::move(task)), 5s);
    }
    const auto patient = co_await impatient->get(server.url("/fast"), RequestOptions().timeout(std::nullopt));
    EXPECT_EQ(co_await patient.text(), "fast");
    server.stop();
  });
}

TEST(HttpFaults, AConnectionThatIsNotAcceptedTimesOut) {
  run_io([]() -> Coro<> {
    // Nobody accepts and the queue is full, so the next SYN is dropped.
    Socket listening = Socket::listening(*Address::numeric("127.0.0.1", 0), 0);
    std::vector<Socket> queue;
    std::vector<Task<>> connecting;
    for (int i = 0; i < 4; ++i) queue.push_back(Socket::stream(AF_INET));
    for (Socket& socket : queue) connecting.push_back(create_task(sock_connect(socket, listening.local_address())));
    co_await sleep(5ms);
    const ClientSession session;
    co_await thrown_by<TimeoutError>(session.get(url_of(listening), RequestOptions().connect_timeout(30ms)));
    for (Task<>& task : connecting) task.cancel();
    co_await ticks(2);
  });
}

// ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(HttpFaults, ACancelledRequestIsGoneAndTheSessionGoesOn) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(slow);
    const ClientSession session;
    std::vector<Task<http::ClientResponse>> tasks;
    for (int i = 0; i < 10; ++i) tasks.push_back(create_task(session.get(server.url())));
    tasks.front().cancel();  // before it starts
    co_await until([&] { return server.requests().size() == 9; });
    for (auto& task : tasks) task.cancel();
    co_await ticks(3);
    for (auto& task : tasks) EXPECT_TRUE(task.cancelled());

    const auto response = co_await session.get(server.url("/fast"));
    EXPECT_EQ(co_await response.text(), "fast");
    try {
      co_await wait_for(session.get(server.url()), 20ms);
      ADD_FAILURE();
    } catch (const TimeoutError& error) {
      EXPECT_STREQ(error.what(), "the time is over");  // from wait_for(), not libcurl
    }
    server.stop();
  });
}

TEST(HttpFaults, ARequestCancelledAsItWaitsForAConnectionOfTheLimitIsForgotten) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(slow);
    const ClientSession session(SessionOptions().limit(1));
    auto first = create_task(session.get(server.url()));
    co_await until([&] { return server.requests().size() == 1; });
    auto second = create_task(session.get(server.url()));
    auto third = create_task(session.get(server.url("/fast")));
    co_await sleep(5ms);
    second.cancel();
    first.cancel();
    const http::ClientResponse& response = co_await third;
    EXPECT_EQ(co_await response.text(), "fast");
    EXPECT_EQ(server.requests().size(), 2u);
    server.stop();
  });
}

TEST(HttpFaults, AThousandRequestsFiftyAtATime) {
  run_io([]() -> Coro<> {
    const int descriptors = open_descriptors();
    {
      HttpServer server;
      const HttpServer::Handler handler = [](Request request, StreamWriter writer) -> Coro<> {
        const int number = std::stoi(request.target.substr(1));
        if (number % 7 == 0) co_await sleep(1ms);
        if (number % 10 == 3) co_return writer.close();
        writer.write(answer(request.target, "200 OK", number % 10 == 5 ? "Connection: close\r\n" : ""));
        if (number % 10 == 5) writer.close();
      };
      co_await server.start(handler);
      const ClientSession session;
      Semaphore fifty(50);
      int good = 0, hung_up = 0, gone = 0;
      const auto fetch = [&](int number) -> Coro<> {
        const auto permit = co_await fifty.scoped();
        const std::string target = "/" + std::to_string(number);
        try {
          if (number % 10 == 8) {  // reads only the head
            const auto response = co_await session.get(server.url(target));
            ++gone;
            co_return;
          }
          const auto response = co_await session.get(server.url(target));
          const std::string text = co_await response.text();
          good += text == target;
        } catch (const ClientConnectionError&) {
          ++hung_up;
        }
      };
      std::vector<Task<>> tasks;
      for (int number = 0; number < 1000; ++number) tasks.push_back(create_task(fetch(number)));
      for (Task<>& task : tasks) co_await task;
      EXPECT_EQ(good, 800);
      EXPECT_EQ(hung_up, 100);
      EXPECT_EQ(gone, 100);
      EXPECT_LE(server.connections(), 500);
      server.stop();
    }
    co_await until([&] { return open_descriptors() <= descriptors + 1; });  // the loop's own
  });
}

// ── the end of a session, and of a loop ─────────────────────────────────────────────────────────────────────────────

TEST(HttpFaults, ClosingTheSessionEndsWhatIsUnderWay) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(slow);
    ClientSession session;
    const auto response = co_await session.get(server.url("/body"));
    auto reading = create_task(thrown_by<ClientConnectionError>(response.text()));
    auto asking = create_task(thrown_by<ClientConnectionError>(session.get(server.url())));
    co_await until([&] { return server.requests().size() == 2; });
    EXPECT_FALSE(session.closed());
    session.close();
    session.close();
    EXPECT_TRUE(session.closed());
    EXPECT_EQ(co_await reading, "Session is closed");
    EXPECT_EQ(co_await asking, "Session is closed");
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(session.get(server.url())), "Session is closed");
    EXPECT_TRUE(session.cookies().empty());
    session.clear_cookies();
    server.stop();
  });
}

TEST(HttpFaults, DestroyingTheSessionClosesIt) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(slow);
    std::optional<ClientSession> session(std::in_place);
    auto asking = create_task(thrown_by<ClientConnectionError>(session->get(server.url())));
    auto not_begun = create_task(thrown_by<std::runtime_error>(session->get(server.url())));
    co_await until([&] { return server.requests().size() == 2; });
    auto late = session->get(server.url());
    session.reset();
    EXPECT_EQ(co_await asking, "Session is closed");
    EXPECT_EQ(co_await not_begun, "Session is closed");
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(std::move(late)), "Session is closed");
    ClientSession moved_from;
    ClientSession other = std::move(moved_from);
    EXPECT_TRUE(moved_from.closed());
    EXPECT_FALSE(other.closed());
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(moved_from.get(server.url())), "Session is closed");
    server.stop();
  });
}

TEST(HttpFaults, AssigningToTheSessionClosesItAtOnce) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(slow);
    ClientSession session;
    auto asking = create_task(thrown_by<ClientConnectionError>(session.get(server.url())));
    co_await until([&] { return server.requests().size() == 1; });
    ClientSession other;
    session = std::move(other);
    EXPECT_TRUE(other.closed());
    EXPECT_FALSE(session.closed());
    EXPECT_EQ(co_await asking, "Session is closed");
    ClientSession& itself = session;
    session = std::move(itself);
    EXPECT_FALSE(session.closed());
    const auto response = co_await session.get(server.url("/fast"));
    EXPECT_EQ(response.status(), 200);
    server.stop();
  });
}

TEST(HttpFaults, ASessionNeedsALoopThatRunsAndWatchesDescriptors) {
  EXPECT_THROW(ClientSession(), std::runtime_error);
  Loop in_virtual_time(std::make_unique<VirtualCore>());
  EXPECT_THROW(ClientSession{in_virtual_time}, std::logic_error);
  Loop closed;
  closed.close();
  EXPECT_THROW(ClientSession{closed}, std::runtime_error);
  Loop loop;
  EXPECT_THROW(ClientSession(loop, SessionOptions().read_bufsize(0)), std::invalid_argument);
}

TEST(HttpFaults, SessionAndResponseMayOutliveTheLoop) {
  const int descriptors = open_descriptors();
  std::optional<ClientSession> session;
  std::vector<http::ClientResponse> kept;
  run_io([&]() -> Coro<> {
    HttpServer server;
    co_await server.start(slow);
    session.emplace();
    kept.push_back(co_await session->get(server.url("/fast")));
    kept.push_back(co_await session->get(server.url("/body")));
    server.stop();
  });
  EXPECT_EQ(kept[0].status(), 200);
  run_io([&]() -> Coro<> {
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(session->get("http://127.0.0.1/")), "Event loop is closed");
    EXPECT_EQ(co_await kept[0].text(), "fast");
  });
  session.reset();
  kept.clear();
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(HttpFaults, TheLoopMayBeClosedWithRequestsUnderWay) {
  const int descriptors = open_descriptors();
  {
    Loop loop;
    ErrorLog errors(loop);
    HttpServer server;
    auto main = create_task(
        [&]() -> Coro<> {
          co_await server.start(slow);
          ClientSession session;
          const auto response = co_await session.get(server.url("/body"));
          auto reading = create_task(response.text());
          auto asking = create_task(session.get(server.url()));
          co_await until([&] { return server.requests().size() == 2; });
          loop.stop();
          co_await sleep(1h);
        },
        {.loop = &loop});
    loop.run_forever();
    loop.close();
    for (const std::string& message : errors.messages()) EXPECT_EQ(message, "Task was destroyed but it is pending!");
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

}  // namespace
}  // namespace asyncio::testing

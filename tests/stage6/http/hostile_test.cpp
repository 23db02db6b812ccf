// A hostile or broken server: for any data the client gets an answer, a ClientError or its timeout, and the session's
// next request succeeds.
#include "stage6/http/http_server.h"

#include <asyncio/gather.h>
#include <asyncio/semaphore.h>
#include <asyncio/timeouts.h>

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

namespace asyncio::testing {
namespace {

using http::ClientConnectionError;
using http::ClientError;
using http::ClientPayloadError;
using http::ClientSession;
using http::RequestOptions;

/// A server that answers every request with `text` and hangs up.
class TextServer {
 public:
  Coro<> start() {
    const auto serve = [this](StreamReader reader, StreamWriter writer) { return answer(*this, reader, writer); };
    server_ = co_await start_server(serve, "127.0.0.1", 0, {.backlog = 1000});
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()) + "/"; }
  std::string text;

 private:
  static Coro<> answer(TextServer& self, StreamReader reader, StreamWriter writer) {
    try {
      co_await reader.readuntil("\r\n\r\n");
      writer.write(self.text);
      co_await writer.drain();
    } catch (const std::exception&) {
    }
    writer.close();
  }
  std::optional<Server> server_;
};

/// The outcome of a request: "200", or its exception.
Coro<std::string> outcome_of(const ClientSession& session, std::string url) {
  try {
    const auto response = co_await session.get(std::move(url), RequestOptions().timeout(5s));
    co_await response.text();
    co_return std::to_string(response.status());
  } catch (const ClientPayloadError&) {
    co_return "payload";
  } catch (const ClientConnectionError&) {
    co_return "connection";
  } catch (const http::InvalidURL&) {
    co_return "url";
  } catch (const http::TooManyRedirects&) {
    co_return "redirects";
  } catch (const ClientError&) {
    co_return "client";
  } catch (const TimeoutError&) {
    co_return "timeout";
  } catch (const std::bad_alloc&) {
    co_return "bad_alloc";
  }
}

struct Case {
  std::string text;
  std::string outcome;
};

TEST(HttpHostile, WhatIsNotHttpIsTheConnectionsFault) {
  std::vector<Case> cases;
  const auto add = [&](std::string text, std::string outcome) {
    cases.push_back({std::move(text), std::move(outcome)});
  };
  add("SSH-2.0-OpenSSH_9.2\r\n", "connection");
  add("", "connection");
  add("\r\n\r\n", "connection");
  add("HTTP/7.3 200 OK\r\n\r\n", "connection");
  add("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x') + "\r\nContent-Length: 0\r\n\r\n", "connection");
  add("HTTP/1.1 200 OK\r\n" + std::string(200'000, 'x'), "connection");
  add("HTTP/1.1 200 " + std::string(200'000, 'x') + "\r\n\r\n", "connection");
  add("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "payload");
  add("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "payload");
  add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "payload");
  add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", "payload");
  add("HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n", "url");
  add("HTTP/1.1 302 Found\r\nLocation: nonsense://x/\r\nContent-Length: 0\r\n\r\n", "url");
  add("HTTP/1.1 302 Found\r\nLocation: http://[bad\r\nContent-Length: 0\r\n\r\n", "url");
  add("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "redirects");
  add("HTTP/1.1 302 Found\r\nLocation: \r\nContent-Length: 0\r\n\r\n", "302");
  add("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200");
  run_io([&]() -> Coro<> {
    TextServer server;
    co_await server.start();
    const ClientSession session;
    for (const Case& one : cases) {
      server.text = one.text;
      const std::string outcome = co_await outcome_of(session, server.url());
      EXPECT_EQ(outcome, one.outcome) << one.text.substr(0, 100);
    }
  });
}

TEST(HttpHostile, TheAnswerToARedirectIsNoUrlEither) {
  run_io([]() -> Coro<> {
    TextServer garbage;
    garbage.text = "SSH-2.0-OpenSSH_9.2\r\n";
    co_await garbage.start();
    TextServer server;
    server.text = "HTTP/1.1 302 Found\r\nLocation: " + garbage.url() + "\r\nContent-Length: 0\r\n\r\n";
    co_await server.start();
    const ClientSession session;
    const std::string outcome = co_await outcome_of(session, server.url());
    EXPECT_EQ(outcome, "connection");
  });
}

const std::string kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: a=b; Path=/\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n";
const std::string kRedirect = "HTTP/1.1 301 Moved\r\nLocation: /other\r\nContent-Length: 2\r\n\r\nno";

/// Each prefix, and each mutation at each place. With $ASYNCIO_DEEP all of them, otherwise every seventh.
std::vector<std::string> hostile_texts() {
  std::vector<std::string> texts;
  for (const std::string& good : {kAnswer, kRedirect}) {
    for (std::size_t at = 0; at < good.size(); ++at) {
      texts.push_back(good.substr(0, at));
      for (const char byte : {'\0', '\r', '\n', ' ', ':', '9', '-', '\xff'}) {
        std::string changed = good;
        changed[at] = byte;
        texts.push_back(changed);
        texts.push_back(good.substr(0, at) + byte + good.substr(at));
      }
      texts.push_back(good.substr(0, at) + good.substr(at + 1));
      texts.push_back(good.substr(0, at) + good.substr(at / 2));
      texts.push_back(good.substr(0, at) + std::string(3000, good[at]) + good.substr(at));
    }
  }
  if (std::getenv("ASYNCIO_DEEP")) return texts;
  std::vector<std::string> some;
  for (std::size_t i = 0; i < texts.size(); i += 7) some.push_back(texts[i]);
  return some;
}

TEST(HttpHostile, NothingThatAServerSendsIsAnythingButAClientError) {
  run_io([]() -> Coro<> {
    TextServer server, good;
    good.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    co_await server.start();
    co_await good.start();
    const std::vector<std::string> texts = hostile_texts();
    int answers = 0, errors = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const ClientSession session;
      server.text = texts[i];
      const std::string outcome = co_await outcome_of(session, server.url());
      outcome[0] >= '1' && outcome[0] <= '9' ? ++answers : ++errors;
      EXPECT_NE(outcome, "bad_alloc") << texts[i];
      EXPECT_NE(outcome, "timeout") << texts[i];  // the server has hung up
      if (i % 50 != 0) continue;
      const std::string afterwards = co_await outcome_of(session, good.url());
      EXPECT_EQ(afterwards, "200") << texts[i];
    }
    EXPECT_GT(answers, 10);
    EXPECT_GT(errors, 10);
  });
}

// Endless header lines, heads and bodies: the client's memory is bounded.
TEST(HttpHostile, WhatNeverEndsIsCutOff) {
  run_io([]() -> Coro<> {
    for (const std::string piece : {"x", "X: y\r\n", "HTTP/1.1 100 Continue\r\n\r\n"}) {
      const auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
        try {
          co_await reader.readuntil("\r\n\r\n");
          writer.write("HTTP/1.1 " + std::string(piece.size() == 1 ? "200 O" : "100 Continue\r\n") +
                       (piece.size() > 10 ? "\r\n" : ""));
          std::string many;
          while (many.size() < 20'000) many += piece;
          for (int i = 0; i < 2000; ++i) {
            writer.write(many);
            co_await writer.drain();
          }
        } catch (const std::exception&) {
        }
        writer.close();
      };
      Server server = co_await start_server(serve, "127.0.0.1", 0);
      const ClientSession session;
      const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
      const std::string outcome = co_await outcome_of(session, url);
      EXPECT_EQ(outcome, "connection") << piece;
      server.abort_clients();
      server.close();
    }
  });
}

}  // namespace
}  // namespace asyncio::testing

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
  for (const std::string no_host : {"http:///x", "http:/x", "///x", "http:////x"}) {
    add("HTTP/1.1 302 Found\r\nLocation: " + no_host + "\r\nContent-Length: 0\r\n\r\n", "url");
  }
  add("HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", "connection");
  add("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nxyz", "connection");
  add("HTTP/1.1 101 Switching Protocols\r\n\r\n", "connection");
  add("HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "connection");
  for (const std::string status :
       {"2000 OK", "20 OK", "200OK", "099 X", "2x0 OK", "-20 OK", "+200 OK", "200 O\rK", "0x200"}) {
    add("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n", "connection");
  }
  for (const std::string status : {"200", "200 ", "200  OK"}) {
    add("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n", "200");
  }
  add("HTTP/1.1 200 OK\r\n", "connection");
  add("HTTP/1.1 200 OK\r\nX: y\r\n", "connection");
  add("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "connection");
  add("HTTP/1.1 100 Continue\r\n\r\n", "connection");
  add("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", "connection");
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

// Two readers of such a head would disagree on where its body ends. [RFC 9112, 6.1 and 6.3]
TEST(HttpHostile, AHeadThatDoesNotSayInOneWayWhereItsBodyEndsIsRefused) {
  struct Row {
    std::string fields, complaint;  // "": accepted
    std::string libcurls = {};      // what libcurl 8 says before us
  };
  const std::string kLong(200, '0');
  const std::vector<Row> rows = {
      {"Content-Length: 2\r\n", ""},
      {"Content-Length: 2\r\nContent-Length: 2\r\n", ""},
      {"Content-Length: 2, 2\r\n", ""},
      {"Content-Length: 02\r\n", ""},
      {"Content-Length: " + kLong + "2\r\n", ""},
      {"Transfer-Encoding: identity\r\n", ""},
      {"Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Lengths that differ"},
      {"Content-Length: 3\r\nX: y\r\ncontent-length: 2\r\n", "Content-Lengths that differ"},
      {"Content-Length: 2, 3\r\n", "Content-Lengths that differ"},
      {"Content-Length: +2\r\n", "Content-Length that is not a number", "Invalid Content-Length"},
      {"Content-Length: -2\r\n", "Content-Length"},
      {"Content-Length: 0x2\r\n", "Content-Length that is not a number", "Invalid Content-Length"},
      {"Content-Length: 2 2\r\n", "Content-Length that is not a number", "Invalid Content-Length"},
      {"Content-Length: 2,\r\n", "Content-Length that is not a number", "Invalid Content-Length"},
      {"Content-Length: 2.0\r\n", "Content-Length that is not a number", "Invalid Content-Length"},
      {"Content-Length: 2\r\n 0\r\n", "continued on the next line"},
      {"Content-Length:\r\n", "Content-Length"},
      {"Content-Length: \r\n 2\r\n", "Content-Length"},
      {"Content-Length : 2\r\n", "white space before the colon"},
      {"Content-Length: 9223372036854775808\r\n", "Content-Length that is too large"},
      {"Content-Length: 18446744073709551618\r\n", "Content-Length that is too large"},
      {"Content-Length: 1" + kLong + "\r\n", "Content-Length that is too large"},
      {"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "both Content-Length and Transfer-Encoding"},
      {"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "both Content-Length and Transfer-Encoding"},
      {"Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "both Content-Length and Transfer-Encoding"},
      {"Transfer-Encoding: chunked, chunked\r\n", "chunked twice"},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: Chunked\r\n", "chunked twice"},
      {"Transfer-Encoding: chunked, gzip\r\n", "chunked that is not the last", "was listed after chunked"},
      {"Transfer-Encoding: chunked, identity\r\n", "chunked that is not the last", "was listed after chunked"},
      {"Transfer-Encoding : chunked\r\n", "white space before the colon"},
      {"Transfer-Encoding:\r\n chunked\r\n", "continued on the next line"},
      {"X: a\rTransfer-Encoding: chunked\r\nContent-Length: 2\r\n", "carriage return"},
      {"X: a\r\r\nContent-Length: 2\r\n", "carriage return"},
      {"\rX: a\r\nContent-Length: 2\r\n", "carriage return"},
      {"no colon\r\nContent-Length: 2\r\n", ""},  // libcurl's words
  };
  run_io([&]() -> Coro<> {
    TextServer server;
    co_await server.start();
    const ClientSession session;
    for (const Row& row : rows) {
      for (const std::string status : {"200 OK", "404 Not Found", "304 Not Modified", "302 Found\r\nLocation: /"}) {
        if (row.complaint.empty() && status != "200 OK") continue;
        const bool accepted = row.complaint.empty() && row.fields.find("no colon") == std::string::npos;
        server.text = "HTTP/1.1 " + status + "\r\n" + row.fields + "\r\nok";
        std::string text, complaint;
        try {
          const auto response = co_await session.get(server.url(), RequestOptions().timeout(5s));
          text = co_await response.text();
        } catch (const ClientConnectionError& error) {
          complaint = error.what();
        } catch (const ClientPayloadError& error) {  // libcurl 8's
          EXPECT_FALSE(row.libcurls.empty()) << row.fields << status;
          complaint = error.what();
        }
        EXPECT_EQ(text, accepted ? "ok" : "") << row.fields;
        EXPECT_EQ(complaint.empty(), accepted) << row.fields << status;
        const bool is_ours = row.libcurls.empty() || complaint.find(row.complaint) != std::string::npos;
        EXPECT_NE(complaint.find(is_ours ? row.complaint : row.libcurls), std::string::npos)
            << row.fields << status << complaint;
      }
    }
  });
}

// The name is not allowed, but harmless.
TEST(HttpHostile, AFieldNamedLikeAStatusLineDoesNotBeginANewHead) {
  run_io([]() -> Coro<> {
    TextServer server;
    co_await server.start();
    const ClientSession session;
    server.text = "HTTP/1.1 200 Fine\r\nBefore: b\r\nHTTP/1.1 404 x: y\r\nHTTP/x: z\r\nContent-Length: 2\r\n\r\nok";
    const auto response = co_await session.get(server.url(), RequestOptions().timeout(5s));
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(response.reason(), "Fine");
    EXPECT_EQ(response.headers().get("Before"), "b");
    EXPECT_EQ(response.headers().get("HTTP/x"), "z");
    EXPECT_EQ(response.headers().size(), 4u);
    const std::string text = co_await response.text();
    EXPECT_EQ(text, "ok");
  });
}

TEST(HttpHostile, TrailersOfARedirectDoNotBeginANewHead) {
  run_io([]() -> Coro<> {
    TextServer end, server;
    co_await end.start();
    co_await server.start();
    end.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nok";
    server.text = "HTTP/1.1 302 Found\r\nLocation: " + end.url() +
                  "\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nHTTP/x: y\r\nContent-Length: 7\r\n\r\n";
    const ClientSession session;
    const auto response = co_await session.get(server.url(), RequestOptions().timeout(5s));
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(response.headers().size(), 2u);
    const std::string text = co_await response.text();
    EXPECT_EQ(text, "ok");
  });
}

// As aiohttp does; the bytes behind the head are those of the other protocol.
TEST(HttpHostile, SwitchingProtocolsIsAnAnswerOnlyForWhoeverAsked) {
  run_io([]() -> Coro<> {
    TextServer server;
    co_await server.start();
    server.text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nxyz";
    const ClientSession session;
    const RequestOptions options = RequestOptions().header("Upgrade", "x").header("Connection", "Upgrade").timeout(5s);
    const auto response = co_await session.get(server.url(), options);
    EXPECT_EQ(response.status(), 101);
    EXPECT_EQ(response.headers().get("Upgrade"), "x");
    const std::string text = co_await response.text();
    EXPECT_EQ(text, "xyz");
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

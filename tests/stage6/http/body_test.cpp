// Bodies that arrive in pieces, are not read, or are closed early.
#include "stage6/http/http_server.h"

#include <asyncio/event.h>

#include <string>
#include <vector>

namespace asyncio::testing {
namespace {

using http::ClientSession;
using http::RequestOptions;
using http::SessionOptions;

/// Sends a head at once, then pieces on request.
class InPieces {
 public:
  explicit InPieces(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  HttpServer::Handler handler() {
    return [this](Request, StreamWriter writer) -> Coro<> {
      writer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n");
      for (const std::string& piece : pieces_) {
        co_await next.wait();
        next.clear();
        const std::string size = "0123456789abcdef"[piece.size()] + std::string("\r\n");  // fewer than 16 bytes
        writer.write(size + piece + "\r\n");
      }
      writer.write("0\r\nX-Sum: 42\r\n\r\n");
    };
  }
  Event next;

 private:
  std::vector<std::string> pieces_;
};

TEST(ResponseBody, ComesAsItIsSent) {
  run_io([]() -> Coro<> {
    std::vector<std::string> sent;
    for (const char* piece : {"one\n", "two", " three\n"}) sent.emplace_back(piece);
    InPieces pieces(sent);
    HttpServer server;
    co_await server.start(pieces.handler());
    const ClientSession session;
    const auto response = co_await session.get(server.url());  // only the head has arrived
    EXPECT_EQ(response.status(), 200);
    for (const std::string& piece : sent) {
      auto reading = create_task(response.read_chunk());
      co_await sleep(2ms);
      EXPECT_FALSE(reading.done());
      pieces.next.set();
      EXPECT_EQ(co_await reading, piece);
    }
    EXPECT_EQ(co_await response.read_chunk(), "");
    EXPECT_EQ(co_await response.read_chunk(), "");
    EXPECT_FALSE(response.headers().contains("X-Sum"));  // a trailer is not a header
  });
}

TEST(ResponseBody, IsAStreamReader) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer("first line\nsecond line\nrest"));
    const ClientSession session;
    const auto response = co_await session.get(server.url());
    const StreamReader content = response.content();
    EXPECT_EQ(co_await content.readline(), "first line\n");
    EXPECT_EQ(co_await content.readexactly(6), "second");
    EXPECT_EQ(co_await response.text(), " line\nrest");
    EXPECT_TRUE(content.at_eof());
  });
}

TEST(ResponseBody, ThatNobodyReadsMakesTheServerWait) {
  run_io([]() -> Coro<> {
    constexpr std::size_t kBlock = 256 * 1024, kBlocks = 128;
    const std::string block = pattern(kBlock);
    std::size_t sent = 0;
    const HttpServer::Handler handler = [&](Request, StreamWriter writer) -> Coro<> {
      writer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kBlock * kBlocks) + "\r\n\r\n");
      for (std::size_t i = 0; i < kBlocks; ++i) {
        writer.write(block);
        co_await writer.drain();
        sent += kBlock;
      }
    };
    HttpServer server;
    co_await server.start(handler);
    const ClientSession session(SessionOptions().read_bufsize(10'000));
    const auto response = co_await session.get(server.url());
    std::size_t before = 1;
    while (sent != before) {  // until the server has to wait
      before = sent;
      co_await sleep(50ms);
    }
    EXPECT_LT(sent, kBlock * kBlocks / 2);  // the kernel's buffers, and a little more

    std::string all;
    std::size_t longest = 0;
    for (;;) {
      const std::string chunk = co_await response.read_chunk();
      if (chunk.empty()) break;
      longest = std::max(longest, chunk.size());
      all += chunk;
    }
    EXPECT_EQ(all.size(), kBlock * kBlocks);
    EXPECT_LE(longest, 2 * 10'000u + 16 * 1024u);  // twice the limit, plus one piece of libcurl
    bool same = true;
    for (std::size_t i = 0; i < kBlocks; ++i) {
      same = same && all.compare(i * kBlock, kBlock, block) == 0;
    }
    EXPECT_TRUE(same);
  });
}

TEST(ResponseBody, OfManyMegabytesArrivesByteForByte) {
  run_io([]() -> Coro<> {
    const std::string body = pattern(16 << 20);
    HttpServer server;
    co_await server.start(answer(body));
    const ClientSession session;
    for (int i = 0; i < 2; ++i) {
      const auto response = co_await session.get(server.url());
      const std::string text = co_await response.text();
      EXPECT_TRUE(text == body);
    }
    EXPECT_EQ(server.connections(), 1);
  });
}

/// Sends a head and half a body, then waits until the client is gone.
Coro<> half(Request, StreamWriter writer) {
  writer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  co_await writer.drain();
  co_await sleep(1h);
}

TEST(ResponseBody, ThatIsLetGoHalfwayClosesItsConnectionAndNoOther) {
  run_io([]() -> Coro<> {
    HttpServer server;
    const HttpServer::Handler handler = [](Request request, StreamWriter writer) -> Coro<> {
      if (request.target == "/half") {
        writer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
      } else {
        writer.write(answer("whole"));
      }
      co_return;
    };
    co_await server.start(handler);
    const ClientSession session;
    {
      const auto response = co_await session.get(server.url("/half"));
      EXPECT_EQ(co_await response.read_chunk(), "hello");
    }
    co_await until([&] { return server.open_connections() == 0; });
    const auto response = co_await session.get(server.url("/whole"));
    EXPECT_EQ(co_await response.text(), "whole");
    EXPECT_EQ(server.connections(), 2);
  });
}

TEST(ResponseBody, CloseEndsAReadThatWaits) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(half);
    const ClientSession session;
    const auto response = co_await session.get(server.url());
    auto reading = create_task(thrown_by<http::ClientConnectionError>(response.text()));
    co_await sleep(2ms);
    EXPECT_FALSE(reading.done());
    response.close();
    response.close();
    EXPECT_EQ(co_await reading, "Connection closed");
    EXPECT_EQ(co_await thrown_by<http::ClientConnectionError>(response.text()), "Connection closed");
    server.stop();
  });
}

TEST(ResponseBody, AReaderWithoutItsResponseIsTold) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(half);
    const ClientSession session;
    StreamReader content;
    {
      const auto response = co_await session.get(server.url());
      content = response.content();
    }
    EXPECT_EQ(co_await thrown_by<http::ClientConnectionError>(content.read()), "Connection closed");
    server.stop();
  });
}

TEST(ResponseBody, AReadThatIsCancelledEndsTheTransfer) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(half);
    const ClientSession session;
    const auto response = co_await session.get(server.url());
    auto reading = create_task(response.text());
    co_await sleep(2ms);
    reading.cancel();
    co_await ticks(3);
    EXPECT_TRUE(reading.cancelled());
    EXPECT_EQ(co_await thrown_by<http::ClientConnectionError>(response.text()), "Connection closed");
    server.stop();
  });
}

TEST(ResponseBody, ThatHasComeCanBeReadAfterTheSessionIsClosed) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(answer("still here"));
    ClientSession session;
    const auto response = co_await session.get(server.url());
    co_await sleep(2ms);
    session.close();
    EXPECT_EQ(co_await response.text(), "still here");
  });
}

}  // namespace
}  // namespace asyncio::testing

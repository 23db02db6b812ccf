// Random input: a stream in pieces of random sizes, and strings that are not addresses.
#include "stage6/faults/faults.h"
#include "support/io.h"

#include <arpa/inet.h>
#include <asyncio/getaddrinfo.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace asyncio::testing {
namespace {

using Random = std::mt19937;

std::size_t up_to(Random& random, std::size_t most) { return random() % (most + 1); }

/// Lines, lengths followed by that many bytes, and blocks that end in a separator. The result of reading must not
/// depend on the pieces.
struct Program {
  enum class What { line, exactly, until };
  struct Step {
    What what;
    std::string expected;
  };
  std::vector<Step> steps;
  std::string bytes;

  explicit Program(Random& random) {
    for (int i = 0; i < 60; ++i) {
      std::string body(up_to(random, i % 7 == 0 ? 5'000 : 40), 'x');
      for (char& c : body) c = static_cast<char>('a' + random() % 4);
      const What what = What(random() % 3);
      if (what == What::line) body += '\n';
      if (what == What::until) body += "-|-";
      bytes += body;
      steps.push_back({what, std::move(body)});
    }
  }
};

Coro<std::string> read_step(StreamReader reader, Program::Step step) {
  std::string got;
  if (step.what == Program::What::line) {
    got = co_await reader.readline();
  } else if (step.what == Program::What::until) {
    got = co_await reader.readuntil("-|-");
  } else {
    got = co_await reader.readexactly(step.expected.size());
  }
  co_return got;
}

TEST(StreamFuzz, HowAStreamIsCutUpMakesNoDifference) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Program program(random);
    const std::size_t most = std::size_t{1} << (seed % 12);
    const Faults pieces([&random, most](std::string_view call) {
      if (call == "recv" && random() % 8 == 0) return Fault{.error = EAGAIN};
      return call == "recv" || call == "send" ? Fault{.at_most = 1 + up_to(random, most)} : Fault();
    });
    run_io([&program]() -> Coro<> {
      Server server = co_await start_server(
          [&program](StreamReader, StreamWriter writer) -> Coro<> {
            writer.write(program.bytes);
            co_await writer.drain();
            writer.close();
          },
          "127.0.0.1", 0);
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
      for (const Program::Step& step : program.steps) {
        const std::string got = co_await read_step(reader, step);
        EXPECT_EQ(got, step.expected);
        if (got != step.expected) break;
      }
      const std::string rest = co_await reader.read();
      EXPECT_EQ(rest, "");
      EXPECT_TRUE(reader.at_eof());
      writer.close();
      server.close();
    });
  }
}

TEST(AddressFuzz, ANumberIsWhatThePosixCallsTakeForOne) {
  Random random(1);
  const std::string alphabet = "0123456789.:afx%[] -";
  int numbers = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string host;
    if (i % 2) {  // similar to an IP address
      for (int part = 0; part < 4; ++part) host += std::to_string(random() % 300) + (part < 3 ? "." : "");
      if (random() % 4 == 0) host[random() % host.size()] = alphabet[random() % alphabet.size()];
    } else {
      host.resize(up_to(random, 12));
      for (char& c : host) c = alphabet[random() % alphabet.size()];
    }
    if (host.find('%') != std::string::npos) continue;  // inet_pton() does not know interfaces
    unsigned char bytes[16];
    const bool is_number =
        ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
    const auto address = Address::numeric(host, 80);
    EXPECT_EQ(address.has_value(), is_number) << '"' << host << '"';
    numbers += is_number;
  }
  EXPECT_GT(numbers, 1'000);
}

TEST(AddressFuzz, BadAddressesAreExceptionsAndLeakNothing) {
  const int before = open_descriptors();
  run_io([]() -> Coro<> {
    Random random(2);
    const bool ipv6 = has_ipv6();
    for (int i = 0; i < 200; ++i) {
      std::string bytes(sizeof(sockaddr_storage), '\0');
      for (char& c : bytes) c = static_cast<char>(random());
      const auto size = static_cast<socklen_t>(up_to(random, bytes.size()));
      sockaddr_storage storage;
      std::memcpy(&storage, bytes.data(), sizeof storage);
      storage.ss_family = AF_UNSPEC + 200;  // an unknown family
      const Address address(reinterpret_cast<const sockaddr*>(&storage), size);
      Socket socket = i % 2 ? Socket::stream(AF_INET) : Socket::datagram(ipv6 ? AF_INET6 : AF_INET);
      EXPECT_THROW(socket.bind(address), std::system_error);
      EXPECT_TRUE(co_await error_of(sock_connect(socket, address)));
      if (i % 2 == 0) {
        const std::error_code error = co_await error_of(sock_sendto(socket, "x", address));
        EXPECT_TRUE(error);
      }
    }
    for (const int port : {-1, 65536, 1 << 30}) {
      bool refused = false;
      try {
        co_await open_connection("127.0.0.1", port);
      } catch (const std::invalid_argument&) {
        refused = true;
      }
      EXPECT_TRUE(refused) << port;
    }
  });
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace asyncio::testing

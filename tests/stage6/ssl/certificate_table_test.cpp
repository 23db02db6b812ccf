// Which certificates are accepted, and with which words the others are refused: CPython 3.13's table, row by row.
// certificates/make.sh makes them with the openssl program; certificates/record.py has recorded the table.
#include "stage6/ssl/bare_peer.h"
#include "stage6/ssl/tls_support.h"

#include <openssl/err.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace asyncio::testing {
namespace {

const std::string kFolder = std::string(ASYNCIO_SSL_TESTS) + "/certificates/";

std::string file(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// "accepted", or the words of the refusal: of a client that verifies a server, or (with the host "-") the other way.
Coro<std::string> verdict(std::string folder, std::string name, std::string trusted, std::string host) {
  const bool of_client = host == "-";
  ssl::SSLContext verifying = ssl::create_default_context(
      of_client ? ssl::Purpose::CLIENT_AUTH : ssl::Purpose::SERVER_AUTH, folder + trusted + ".pem");
  if (of_client) {
    verifying.load_cert_chain(folder + "valid.pem", folder + "valid.key");
    verifying.set_verify_mode(ssl::VerifyMode::CERT_REQUIRED);
  }
  const Identity identity{file(folder + name + ".pem"), file(folder + name + ".key")};
  auto [here, there] = Socket::pair();
  BarePeer peer(std::move(there), of_client ? BarePeer::Side::client : BarePeer::Side::server,
                name == "none" ? nullptr : &identity);
  auto showing = create_task(thrown_by(peer.handshake()));
  std::string words = "accepted";
  const auto factory = [] { return std::make_shared<Protocol>(); };
  try {
    if (of_client) {
      AcceptOptions options;
      options.ssl = &verifying;
      co_await connect_accepted_socket(factory, std::move(here), options);
    } else {
      ConnectOptions options{.ssl = &verifying};
      options.server_hostname = host;
      co_await create_connection(factory, std::move(here), options);
    }
  } catch (const ssl::SSLCertVerificationError& error) {
    words = std::to_string(error.verify_code()) + " " + error.verify_message();
  } catch (const ssl::SSLError& error) {
    words = error.reason();
  }
  co_await std::move(showing);
  co_return words;
}

TEST(TlsCertificates, AreJudgedAsCPythonJudgesThem) {
  if (std::system("command -v openssl >/dev/null && command -v bash >/dev/null") != 0) {
    GTEST_SKIP() << "there is no openssl program";
  }
  const TemporaryFolder temporary;
  const std::string folder = temporary / "";
  ASSERT_EQ(std::system(("bash " + kFolder + "make.sh " + folder).c_str()), 0);  // before the time of run_io() begins
  run_io([folder]() -> Coro<> {
    std::ifstream table(kFolder + "expected");
    int rows = 0;
    for (std::string line; std::getline(table, line);) {
      if (line.front() == '#') continue;
      std::istringstream row(line);
      std::string name, trusted, host, words;
      row >> name >> trusted >> host >> std::ws;
      std::getline(row, words);
      const std::string ours = co_await verdict(folder, name, trusted, host);
      EXPECT_EQ(ours, words) << line;
      ++rows;
    }
    EXPECT_GE(rows, 40);
  });
}

}  // namespace
}  // namespace asyncio::testing

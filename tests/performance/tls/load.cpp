// The load on a TLS echo server, with blocking sockets and bare OpenSSL, TLS 1.3.
//
//   tls_load PORT PID SECONDS       prints "figure value": full and resumed handshakes a second, round trips of 64 bytes a
//                                   second, MB/s of 256 KiB that go there and back, each on one connection at a time; for
//                                   each the server's processor time too; and its resident bytes for an idle connection
//   tls_load PORT PID FIGURE TIMES  does that so often, and nothing else: full, resumed, round_trips or bulk; each time
//                                   when the server sleeps, as its instructions depend on what has come meanwhile
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

SSL_CTX* context = nullptr;
SSL_SESSION* session = nullptr;
sockaddr_in server{};
std::string pid;

void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "tls_load: %s\n", what);
  std::exit(1);
}

struct Connection {
  explicit Connection(SSL_SESSION* resumed = nullptr) : fd(::socket(AF_INET, SOCK_STREAM, 0)), ssl(SSL_new(context)) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    require(::connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0, "connect");
    SSL_set_fd(ssl, fd);
    if (resumed) SSL_set_session(ssl, resumed);
    require(SSL_connect(ssl) == 1, "handshake");
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    SSL_shutdown(ssl);
    SSL_free(ssl);
    ::close(fd);
  }
  void echo(std::vector<char>& data) {
    require(SSL_write(ssl, data.data(), static_cast<int>(data.size())) == static_cast<int>(data.size()), "write");
    for (std::size_t got = 0; got < data.size();) {
      const int some = SSL_read(ssl, data.data(), static_cast<int>(data.size() - got));
      require(some > 0, "read");
      got += static_cast<std::size_t>(some);
    }
  }
  int fd;
  SSL* ssl;
};

/// The server's processor time so far, in seconds.
double server_time() {
  std::ifstream file("/proc/" + pid + "/schedstat");
  double nanoseconds = 0;
  file >> nanoseconds;
  return nanoseconds / 1e9;
}
void await_sleep() {
  for (std::string number, name, state; state != "S"; std::this_thread::yield()) {
    std::ifstream("/proc/" + pid + "/stat") >> number >> name >> state;
    require(!state.empty(), "the server is gone");
  }
}
double server_bytes() {
  std::ifstream file("/proc/" + pid + "/statm");
  double all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

template <class Call>
void measure(const char* name, double seconds, double units, Call call) {
  call();
  const double before = server_time();
  const auto begin = Clock::now();
  int count = 0;
  std::chrono::duration<double> taken{};
  do {
    call();
    ++count;
    taken = Clock::now() - begin;
  } while (taken.count() < seconds);
  std::printf("%s %f %s_server_us %f\n", name, count * units / taken.count(), name,
              (server_time() - before) * 1e6 / count);
}

int keep_session(SSL*, SSL_SESSION* fresh) {
  if (session) SSL_SESSION_free(session);
  session = fresh;
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  require(argc == 4 || argc == 5, "PORT PID SECONDS, or PORT PID FIGURE TIMES");
  pid = argv[2];
  std::signal(SIGPIPE, SIG_IGN);
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_session);

  std::vector<char> small(64, 'x'), large(256 * 1024, 'x');
  const auto full = [&] {
    Connection connection;
    connection.echo(small);
  };
  const auto resumed = [&] {
    Connection connection(session);
    require(SSL_session_reused(connection.ssl) == 1, "the session is not resumed");
    connection.echo(small);
  };
  if (argc == 5) {
    const std::string_view figure = argv[3];
    const int times = std::atoi(argv[4]);
    full();
    Connection connection;
    connection.echo(small);
    for (int i = 0; i < times; ++i) {
      await_sleep();
      if (figure == "full") full();
      if (figure == "resumed") resumed();
      if (figure == "round_trips") connection.echo(small);
      if (figure == "bulk") connection.echo(large);
    }
    return 0;
  }
  const double seconds = std::atof(argv[3]);
  measure("full", seconds, 1, full);
  measure("resumed", seconds, 1, resumed);
  {
    Connection connection;
    measure("round_trips", seconds, 1, [&] { connection.echo(small); });
    measure("bulk", seconds, static_cast<double>(large.size()) / 1e6, [&] { connection.echo(large); });
  }
  constexpr int kIdle = 300;
  const double before = server_bytes();
  std::vector<std::unique_ptr<Connection>> idle;
  for (int i = 0; i < kIdle; ++i) {
    idle.push_back(std::make_unique<Connection>());
    idle.back()->echo(small);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::printf("idle_bytes %f\n", (server_bytes() - before) / kIdle);
}

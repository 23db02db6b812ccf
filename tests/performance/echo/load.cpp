// The load on an echo server: so many connections, each of which sends 64 bytes, waits until they are back, and sends
// again. Others may be open beside them and say nothing.
//
//   echo_load PORT PID CONNECTIONS SECONDS [IDLE]
//
// Prints one line: messages a second, processor time of the server (whose process is PID) for one message, and the
// round trips' median and 99th percentile: "messages_per_s 81234 server_ns 6150 median_us 11.8 p99_us 30.1". What the
// server takes is the kernel's count (/proc/PID/schedstat): it is right also where this program is the slower of the
// two.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMessage = 64;

int checked(long result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return static_cast<int>(result);
}

/// Connected, and echoing: one message has been there and back, so that the server has accepted it.
int connect_to(int port) {
  const int fd = checked(::socket(AF_INET, SOCK_STREAM, 0), "socket");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  checked(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
  char message[kMessage] = {};
  checked(::send(fd, message, kMessage, 0), "send");
  checked(::recv(fd, message, kMessage, MSG_WAITALL), "recv");
  return fd;
}

double processor_ns(const std::string& pid) {
  double ns = 0;
  std::ifstream("/proc/" + pid + "/schedstat") >> ns;
  return ns;
}

struct Connection {
  int fd = -1;
  std::size_t missing = 0;  // of the message under way
  Clock::time_point sent;
};

void send_message(Connection& connection) {
  static const std::array<char, kMessage> message{};
  checked(::send(connection.fd, message.data(), kMessage, 0), "send");
  connection.missing = kMessage;
  connection.sent = Clock::now();
}

class Load {
 public:
  Load(int port, int connections) : connections_(static_cast<std::size_t>(connections)), events_(connections_.size()) {
    for (Connection& connection : connections_) {
      connection.fd = connect_to(port);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = &connection;
      checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event), "epoll_ctl");
    }
    for (Connection& connection : connections_) send_message(connection);
  }

  /// Round trips, in microseconds; one at least, however slow the machine is.
  std::vector<float> run_until(Clock::time_point end) {
    std::vector<float> trips;
    trips.reserve(1 << 20);
    while (Clock::now() < end || trips.empty()) {
      const int ready =
          checked(epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 1000), "epoll_wait");
      for (int i = 0; i < ready; ++i) receive(*static_cast<Connection*>(events_[std::size_t(i)].data.ptr), trips);
    }
    return trips;
  }

 private:
  void receive(Connection& connection, std::vector<float>& trips) {
    char data[kMessage];
    const int size = checked(::recv(connection.fd, data, connection.missing, 0), "recv");
    if (size == 0) throw std::runtime_error("the server has closed a connection");
    connection.missing -= static_cast<std::size_t>(size);
    if (connection.missing > 0) return;
    trips.push_back(std::chrono::duration<float, std::micro>(Clock::now() - connection.sent).count());
    send_message(connection);
  }

  int epoll_ = checked(epoll_create1(0), "epoll_create1");
  std::vector<Connection> connections_;
  std::vector<epoll_event> events_;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 5) return std::fprintf(stderr, "usage: echo_load PORT PID CONNECTIONS SECONDS [IDLE]\n"), 2;
  const int port = std::atoi(argv[1]);
  const std::string pid = argv[2];
  const auto seconds = std::chrono::duration<double>(std::atof(argv[4]));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);

  for (int idle = argc > 5 ? std::atoi(argv[5]) : 0; idle > 0; --idle) connect_to(port);
  Load load(port, std::atoi(argv[3]));
  const auto after = [](std::chrono::duration<double> time) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
  };
  load.run_until(after(seconds / 5));  // until all are under way

  const double server_before = processor_ns(pid);
  const Clock::time_point begin = Clock::now();
  std::vector<float> trips = load.run_until(after(seconds));
  const std::chrono::duration<double> took = Clock::now() - begin;
  const double server = processor_ns(pid) - server_before;

  std::ranges::sort(trips);
  const double count = double(trips.size());
  std::printf("messages_per_s %.0f server_ns %.0f median_us %.1f p99_us %.1f\n", count / took.count(), server / count,
              double(trips[trips.size() / 2]), double(trips[trips.size() * 99 / 100]));
} catch (const std::exception& error) {
  return std::fprintf(stderr, "echo_load: %s\n", error.what()), 1;
}

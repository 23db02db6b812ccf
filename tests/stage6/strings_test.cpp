// Every public string parameter of stage 6: with '\0', line breaks, empty, too long, and invalid UTF-8.
#include "stage6/string_parameters.h"
#include "support/protocols.h"
#include "support/refusing.h"

#include <asyncio/datagrams.h>
#include <asyncio/getaddrinfo.h>
#include <asyncio/pipes.h>
#include <asyncio/processes.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace asyncio::testing {
namespace {

using subprocess::PIPE;

Coro<> serve_nothing(StreamReader, StreamWriter) { co_return; }

// ── hosts: looked up unchanged. (Fails on a machine whose resolver finds every name.) ──

Coro<bool> use_numeric(std::string text) {
  if (Address::numeric(text, 80)) co_return false;
  co_return Address::numeric("127.0.0.1" + std::string("\0", 1) + text, 80) == std::nullopt;
}
Coro<bool> use_getaddrinfo(std::string text) {
  if (text.empty()) text = "127.0.0.1";  // "" is the local machine
  const auto found = co_await getaddrinfo(std::move(text), 80);
  co_return found.size() == 1;
}
template <class F>
auto host(F call) {
  return [call](std::string text) -> Coro<bool> {
    if (text.find('\0') != text.npos) text = std::string("127.0.0.1\0.trusted", 18);
    const bool as_it_is = co_await call(std::move(text));
    co_return as_it_is;
  };
}
Coro<bool> connect_streams(std::string text) {
  co_await open_connection(std::move(text), refusing_port());
  co_return false;
}
Coro<bool> connect_protocol(std::string text) {
  co_await create_connection(make<LogProtocol>, std::move(text), refusing_port());
  co_return false;
}
Coro<bool> start_streams(std::string text) {
  Server server = co_await start_server(serve_nothing, text, 0);
  server.close();
  co_return text.empty();  // "" is all interfaces
}
Coro<bool> start_protocol(std::string text) {
  Server server = co_await create_server(make<LogProtocol>, text, 0);
  server.close();
  co_return text.empty();
}

Coro<bool> start_at_two(std::string text) {
  std::vector<std::string> hosts(1, "127.0.0.1");
  hosts.push_back(text);
  Server server = co_await create_server(make<LogProtocol>, hosts, 0);
  server.close();
  co_return text.empty();
}

// ── paths ──

template <class F>
auto path(F call) {
  return [call](std::string text) -> Coro<bool> {
    const TemporaryFolder folder;
    if (!text.empty()) text = folder / text;
    const bool whole = co_await call(text);
    co_return whole;
  };
}
Coro<bool> use_unix_path(std::string text) { co_return Address::unix_path(text).path() == text; }
Coro<bool> serve_path(std::string text) {
  Server server = co_await start_unix_server(serve_nothing, text);
  const bool there = ::access(text.c_str(), F_OK) == 0;
  const bool named = server.sockets().front().local_address().path() == text;
  server.close();
  co_return there&& named;
}
Coro<bool> serve_path_by_protocol(std::string text) {
  Server server = co_await create_unix_server(make<LogProtocol>, text);
  const bool named = server.sockets().front().local_address().path() == text;
  server.close();
  co_return named;
}
Coro<bool> connect_path(std::string text) {
  Server server = co_await start_unix_server(serve_nothing, text);
  auto [reader, writer] = co_await open_unix_connection(text);
  server.close();
  writer.close();
  co_return true;
}
Coro<bool> connect_path_by_protocol(std::string text) {
  Server server = co_await start_unix_server(serve_nothing, text);
  auto [transport, protocol] = co_await create_unix_connection(make<LogProtocol>, text);
  server.close();
  transport->close();
  co_return true;
}
/// Only connects: a shortened path would be found.
template <class F>
auto cut_path(F call) {
  return [call](std::string text) -> Coro<bool> {
    const TemporaryFolder folder;
    Server server = co_await start_unix_server(serve_nothing, folder / "a");
    if (!text.empty()) text = folder / text;
    co_await call(text);
    server.close();
    co_return false;
  };
}
Coro<> only_connect(std::string text) { co_await open_unix_connection(std::move(text)); }

// ── children ──

Coro<std::string> output_of(Process process) {
  auto [out, err] = co_await process.communicate();
  co_return out;
}
Coro<bool> use_program(std::string text) {
  co_await create_subprocess_exec(std::move(text));
  co_return false;
}
Coro<bool> use_argument(std::string text) {
  const Process process = co_await create_subprocess_exec("printf", "%s", text, ProcessOptions({}, PIPE));
  const std::string out = co_await output_of(process);
  co_return out == text;
}
Coro<bool> use_command(std::string text) {
  const Process process = co_await create_subprocess_shell("printf %s '" + text + "'", ProcessOptions({}, PIPE));
  const std::string out = co_await output_of(process);
  co_return out == text;
}
Coro<bool> use_command_by_protocol(std::string text) {
  auto [transport, protocol] =
      co_await subprocess_shell(make<SubprocessProtocol>, "printf %s '" + text + "' > /dev/null");
  const int code = co_await transport->wait();
  co_return code == 0;
}
Coro<bool> use_input(std::string text) {
  const Process process = co_await create_subprocess_exec("cat", ProcessOptions(PIPE, PIPE));
  auto [out, err] = co_await process.communicate(text);
  co_return out == text;
}
Coro<bool> use_cwd(std::string text) {
  ProcessOptions options;
  options.cwd = text.find('\0') == text.npos ? text : "/tmp" + text.substr(text.find('\0'));
  co_await create_subprocess_exec("true", options);
  co_return false;
}
Coro<bool> use_executable(std::string text) {
  ProcessOptions options;
  options.executable = text.find('\0') == text.npos ? text : "/bin/true" + text.substr(text.find('\0'));
  co_await create_subprocess_exec("true", options);
  co_return false;
}
Coro<bool> use_env_value(std::string text) {
  ProcessOptions options({}, PIPE);
  options.env = current_environment();
  (*options.env)["ASYNCIO_TEST"] = text;
  const Process process = co_await create_subprocess_exec("sh", "-c", "printf %s \"$ASYNCIO_TEST\"", options);
  const std::string out = co_await output_of(process);
  co_return out == text;
}
Coro<bool> use_env_name(std::string text) {
  ProcessOptions options({}, PIPE);
  options.env = current_environment();
  (*options.env)[text] = "value";
  const Process process = co_await create_subprocess_exec("env", "-0", options);
  const std::string out = co_await output_of(process);
  co_return out.find(text + "=value" + '\0') != out.npos;
}
Coro<bool> use_env_name_with_equals(std::string text) {
  const bool whole = co_await use_env_name(text + "=");
  co_return whole;
}

// ── bytes: all are allowed ──

Coro<bool> use_sock_sendall(std::string text) {
  auto [a, b] = Socket::pair();
  co_await sock_sendall(a, text);
  a.close();
  std::string all;
  for (;;) {
    const std::string data = co_await sock_recv(b, 100'000);
    if (data.empty()) break;
    all += data;
  }
  co_return all == text;
}
Coro<bool> use_sock_sendto(std::string text) {
  Socket to = Socket::datagram(AF_INET), from = Socket::datagram(AF_INET);
  to.bind(loopback(0));
  co_await sock_sendto(from, text, to.local_address());
  auto [data, sender] = co_await sock_recvfrom(to, 100'000);
  co_return data == text;
}
Coro<bool> use_write(std::string text) {
  auto [a, b] = Socket::pair();
  auto [reader, writer] = co_await open_connection(std::move(a));
  auto [other_reader, other_writer] = co_await open_connection(std::move(b));
  writer.write(text);
  writer.close();
  const std::string all = co_await other_reader.read();
  other_writer.close();
  co_return all == text;
}
Coro<bool> use_writelines(std::string text) {
  auto [a, b] = Socket::pair();
  auto [reader, writer] = co_await open_connection(std::move(a));
  auto [other_reader, other_writer] = co_await open_connection(std::move(b));
  const std::vector<std::string> lines(3, text);
  writer.writelines(lines);
  writer.close();
  const std::string all = co_await other_reader.read();
  other_writer.close();
  co_return all == text + text + text;
}
Coro<bool> use_feed_data(std::string text) {
  const StreamReader reader;
  reader.feed_data(text);
  reader.feed_eof();
  const std::string all = co_await reader.read();
  co_return all == text;
}
Coro<bool> use_separator(std::string text) {
  const StreamReader reader(1 << 20);
  reader.feed_data("before" + text + "behind");
  const std::string all = co_await reader.readuntil(text);
  co_return all == "before" + text;
}
Coro<bool> use_sendto(std::string text) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) != 0) co_return false;
  Socket a(ends[0]), b(ends[1]);
  auto [transport, protocol] = co_await create_datagram_endpoint(make<DatagramProtocol>, std::move(a));
  transport->sendto(text);
  const std::string data = co_await sock_recv(b, 100'000);
  transport->close();
  co_return data == text;
}

TEST(Strings, NoneIsCutShort) {
  constexpr Fate W = Fate::whole, R = Fate::refused, F = Fate::failed;
  std::vector<StringParameter> table = {
      // name, its use, and the fate of NUL, CR, LF, "", 64 KiB, invalid UTF-8
      {"numeric(host)", use_numeric, W, W, W, W, W, W},
      {"getaddrinfo(host)", use_getaddrinfo, R, F, F, W, F, F},
      {"open_connection(host)", host(connect_streams), R, F, F, F, F, F},
      {"create_connection(host)", host(connect_protocol), R, F, F, F, F, F},
      {"start_server(host)", host(start_streams), R, F, F, W, F, F},
      {"create_server(host)", host(start_protocol), R, F, F, W, F, F},
      {"create_server(hosts)", host(start_at_two), R, F, F, W, F, F},
      {"unix_path(path)", path(use_unix_path), R, W, W, R, R, W},
      {"start_unix_server(path)", path(serve_path), R, W, W, R, R, W},
      {"create_unix_server(path)", path(serve_path_by_protocol), R, W, W, R, R, W},
      {"open_unix_connection(path)", path(connect_path), R, W, W, R, R, W},
      {"open_unix_connection(path)", cut_path(only_connect), R, F, F, R, R, F},
      {"create_unix_connection(path)", path(connect_path_by_protocol), R, W, W, R, R, W},
      {"create_subprocess_exec(program)", use_program, R, F, F, F, F, F},
      {"create_subprocess_exec(args)", use_argument, R, W, W, W, W, W},
      {"create_subprocess_shell(command)", use_command, R, W, W, W, W, W},
      {"subprocess_shell(command)", use_command_by_protocol, R, W, W, W, W, W},
      {"communicate(input)", use_input},
      {"(cwd)", use_cwd, R, F, F, F, F, F},
      {"(executable)", use_executable, R, F, F, F, F, F},
      {"(env)", use_env_value, R, W, W, W, W, W},
      {"(env)", use_env_name, R, W, W, R, W, W},
      {"(env)", use_env_name_with_equals, R, R, R, R, R, R},
      {"sock_sendall(data)", use_sock_sendall},
      {"sock_sendto(data)", use_sock_sendto, W, W, W, W, F, W},  // more than a datagram holds
      {"write(data)", use_write},
      {"writelines(lines)", use_writelines},
      {"feed_data(data)", use_feed_data},
      {"readuntil(separator)", use_separator, W, W, W, R, W, W},
      {"sendto(data)", use_sendto},
  };
  const std::set<std::string> others = {
      // forwarded to a function above, or by one
      "(argv)", "add_arguments(argv)", "add_arguments(more)", "connect_to(host)", "connect_to_path(path)",
      "create(argv)", "feed_stdin(input)", "pipe_data_received(data)", "readuntil(separators)",
      "shell_command(command)", "start(argv)", "start_subprocess(argv)",
      // TLS has its own tests
      "(server_hostname)", "check_client(host)", "feed(received)", "start_tls(received)",
      // messages
      "(tree)", "(what)", "IncompleteReadError(partial)", "LimitOverrunError(message)", "cancel(message)"};
  check_string_parameters(ASYNCIO_STAGE6_SOURCE_DIR, std::move(table), others);
}

}  // namespace
}  // namespace asyncio::testing

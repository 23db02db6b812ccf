// Making the objects of a program: descriptors with fixed numbers, and protocols that log their callbacks.
#include "run.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <span>

namespace asyncio::conformance {
namespace {

void check(int result) {
  if (result == -1) throw std::system_error(errno, std::generic_category());
}

// ── descriptors ─────────────────────────────────────────────────────────────────────────────────────────────────────

/// Gives a new pair of descriptors the object's numbers.
void move_to(const Object& object, int ours, int peer) {
  check(dup3(ours, object.fd, O_CLOEXEC));
  check(dup3(peer, object.peer, O_CLOEXEC));
  ::close(ours);
  ::close(peer);
}

void make_socket_pair(const Object& object) {
  int ends[2];
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends));
  move_to(object, ends[0], ends[1]);
}

void make_pipe(const Object& object, bool ours_reads) {
  int ends[2];
  check(pipe2(ends, O_NONBLOCK | O_CLOEXEC));
  ours_reads ? move_to(object, ends[0], ends[1]) : move_to(object, ends[1], ends[0]);
}

// With addresses, which the kernel chooses: CPython asks whether there is one.
void make_datagram_pair(const Object& object) {
  int ends[2];
  sockaddr_un addresses[2] = {};
  socklen_t sizes[2];
  for (int i = 0; i < 2; ++i) {
    check(ends[i] = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    addresses[i].sun_family = AF_UNIX;
    check(bind(ends[i], reinterpret_cast<sockaddr*>(&addresses[i]), sizeof(sa_family_t)));
    sizes[i] = sizeof addresses[i];
    check(getsockname(ends[i], reinterpret_cast<sockaddr*>(&addresses[i]), &sizes[i]));
  }
  for (int i = 0; i < 2; ++i) check(::connect(ends[i], reinterpret_cast<sockaddr*>(&addresses[1 - i]), sizes[1 - i]));
  move_to(object, ends[0], ends[1]);
}

void make_tight(Object& object) {
  object.tight = true;
  const int least = 1;
  for (const int fd : {object.fd, object.peer}) {
    object.is("rwaz") ? fcntl(fd, F_SETPIPE_SZ, 4096) : setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
  }
}

// ── protocols ───────────────────────────────────────────────────────────────────────────────────────────────────────

std::string show_lost(const std::exception_ptr& error) { return error ? "!" + show_error(error) : std::string(); }

class HookedProtocol final : public Protocol {
 public:
  explicit HookedProtocol(Hooks hooks) : hooks_(std::move(hooks)) {}
  void connection_made(std::shared_ptr<Transport> transport) override {
    hooks_.object().transport = std::move(transport);
    hooks_.call("made");
  }
  void data_received(std::string_view data) override { hooks_.call("data", show_data(data)); }
  bool eof_received() override { return hooks_.call("eof"); }
  void connection_lost(std::exception_ptr error) override { hooks_.call("lost", show_lost(error)); }
  void pause_writing() override { hooks_.call("pause"); }
  void resume_writing() override { hooks_.call("resume"); }

 private:
  Hooks hooks_;
};

class HookedBuffer final : public BufferedProtocol {
 public:
  HookedBuffer(Hooks hooks, int size) : hooks_(std::move(hooks)), memory_(static_cast<std::size_t>(size), ' ') {}
  void connection_made(std::shared_ptr<Transport> transport) override {
    hooks_.object().transport = std::move(transport);
    hooks_.call("made");
  }
  std::span<char> get_buffer(std::size_t) override {
    if (hooks_.call("get")) return {};
    return memory_;
  }
  void buffer_updated(std::size_t size) override { hooks_.call("data", show_data(memory_.substr(0, size))); }
  bool eof_received() override { return hooks_.call("eof"); }
  void connection_lost(std::exception_ptr error) override { hooks_.call("lost", show_lost(error)); }
  void pause_writing() override { hooks_.call("pause"); }
  void resume_writing() override { hooks_.call("resume"); }

 private:
  Hooks hooks_;
  std::string memory_;
};

class HookedDatagrams final : public DatagramProtocol {
 public:
  HookedDatagrams(const Run& run, Hooks hooks) : run_(run), hooks_(std::move(hooks)) {}
  void connection_made(std::shared_ptr<DatagramTransport> transport) override {
    hooks_.object().transport = std::move(transport);
    hooks_.call("made");
  }
  void datagram_received(std::string_view data, const Address& address) override {
    std::string sender;
    for (const Object* other : run_.objects()) {
      if (other->is("e") && other->address == address) sender += " " + other->name;
    }
    hooks_.call("data", show_data(data) + sender);
  }
  void error_received(const std::system_error& error) override {
    hooks_.call("error", "!" + show_error(std::make_exception_ptr(error)));
  }
  void connection_lost(std::exception_ptr error) override { hooks_.call("lost", show_lost(error)); }
  void pause_writing() override { hooks_.call("pause"); }
  void resume_writing() override { hooks_.call("resume"); }

 private:
  const Run& run_;
  Hooks hooks_;
};

}  // namespace

Hooks::Hooks(Run& run, Object& object, std::string name, const Arguments& args, std::size_t first)
    : run_(run), object_(object), name_(std::move(name)) {
  for (std::size_t i = first; i + 1 < args.size(); i += 2) {
    if (args[i + 1].block) hooks_[args[i].word] = Hook{args[i + 1].block.get()};
  }
}

bool Hooks::call(const std::string& event, const std::string& detail) {
  if (event != "get") run_.log(name_, detail.empty() ? event : event + " " + detail);
  const auto hook = hooks_.find(event);
  if (hook == hooks_.end() || hook->second.left-- <= 0) return false;
  return run_.run_callback(*hook->second.block);
}

std::shared_ptr<BaseProtocol> make_protocol(Run& run, Object& object, const std::string& name, const Arguments& args) {
  if (object.is("b")) return std::make_shared<HookedBuffer>(Hooks(run, object, name, args, 2), to_int(args[1]));
  Hooks hooks(run, object, name, args, object.is("ice") ? 2 : 1);
  if (object.is("de")) return std::make_shared<HookedDatagrams>(run, std::move(hooks));
  return std::make_shared<HookedProtocol>(std::move(hooks));
}

// ── connecting ──────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

void make_descriptors(Object& object, bool tight) {
  if (object.is("sbxvk")) make_socket_pair(object);
  if (object.is("rawz")) make_pipe(object, object.is("ra"));
  if (object.is("d")) make_datagram_pair(object);
  if (tight) make_tight(object);
}

std::size_t to_limit(const Arguments& args) { return static_cast<std::size_t>(to_int(args[1])); }

Coro<> serve(Run& run, Object& object, const Arguments& args) {
  const Block& block = *args[2].block;
  const auto handler = [&run, &object, &block](StreamReader reader, StreamWriter writer) {
    object.reader = std::move(reader);
    object.transport = writer.transport();
    object.writer = std::move(writer);
    return run.coroutine(block);
  };
  const StreamReader reader(to_limit(args));
  const auto factory = [&] { return std::make_shared<StreamReaderProtocol>(reader, handler); };
  co_await connect_accepted_socket(factory, Socket(object.fd));
}

// ── by address ──

constexpr const char* kHost = "127.0.0.1";

// args[1]: tcp or unix; with a "-" behind it, the server does not accept yet.
template <class F>
Coro<> listen(Object& object, const Arguments& args, F factory) {
  const bool serves = !args[1].word.ends_with('-');
  if (args[1].word.starts_with("tcp")) {
    ServerOptions options;
    options.start_serving = serves;
    Server server = co_await create_server(factory, kHost, 0, options);
    object.server.emplace(std::move(server));
    object.address = object.server->sockets()[0].local_address();
  } else {
    UnixServerOptions options;
    options.start_serving = serves;
    const std::string path = "/tmp/asyncio_io_" + std::to_string(getpid()) + "_" + object.name;
    object.address = Address::unix_path(path);
    Server server = co_await create_unix_server(factory, path, options);
    object.server.emplace(std::move(server));
  }
}

Coro<> make_server(Run& run, Object& object, const Arguments& args) {
  if (object.is("n")) {
    const auto factory = [&run, &args] {
      Object& incoming = run.make_next('i');
      return std::static_pointer_cast<Protocol>(make_protocol(run, incoming, incoming.name, args));
    };
    co_await listen(object, args, factory);
  } else {
    const auto handler = [&run, &block = *args[3].block](StreamReader reader, StreamWriter writer) {
      Object& incoming = run.make_next('j');
      incoming.reader = std::move(reader);
      incoming.transport = writer.transport();
      incoming.writer = std::move(writer);
      return run.coroutine(block);
    };
    const auto factory = [handler, limit = static_cast<std::size_t>(to_int(args[2]))] {
      return std::make_shared<StreamReaderProtocol>(StreamReader(limit), handler);
    };
    co_await listen(object, args, factory);
  }
}

template <class F>
Coro<> connect_to(const Address& address, F factory) {
  if (address.is_ip()) {
    co_await create_connection(factory, kHost, address.port());
  } else {
    co_await create_unix_connection(factory, std::string(address.path()));
  }
}

Coro<> connect_client(Run& run, Object& object, const Arguments& args) {
  const Address address = run.find(args[1].word)->address;
  if (object.is("c")) {
    const auto protocol = make_protocol(run, object, object.name, args);
    const auto factory = [&] { return std::static_pointer_cast<Protocol>(protocol); };
    co_await connect_to(address, factory);
    co_return;
  }
  const auto limit = static_cast<std::size_t>(to_int(args[2]));
  std::optional<Streams> streams;
  if (address.is_ip()) {
    auto opened = co_await open_connection(kHost, address.port(), {.limit = limit});
    streams = std::move(opened);
  } else {
    auto opened = co_await open_unix_connection(std::string(address.path()), {.limit = limit});
    streams = std::move(opened);
  }
  object.transport = streams->second.transport();
  object.reader = std::move(streams->first);
  object.writer = std::move(streams->second);
}

Coro<> make_endpoint(Run& run, Object& object, const Arguments& args) {
  DatagramOptions options;
  options.local_addr = *Address::numeric(kHost, 0);
  if (const Object* const remote = run.find(args[1].word)) {
    options.remote_addr = remote->address;
    object.remote = remote->name;
  }
  const auto factory = [protocol = make_protocol(run, object, object.name, args)] {
    return std::static_pointer_cast<DatagramProtocol>(protocol);
  };
  auto [transport, protocol] = co_await create_datagram_endpoint(factory, options);
  object.address = transport->sockname();
}

std::size_t least_arguments(char kind) {
  constexpr std::pair<std::string_view, std::size_t> kLeast[] = {{"bxaynce", 2}, {"vo", 3}, {"u", 4}};
  for (const auto& [kinds, least] : kLeast) {
    if (kinds.find(kind) != kinds.npos) return least;
  }
  return 1;
}

// What is made by address needs something to connect to.
bool has_target(Run& run, char kind, const Argument& target) {
  const Object* const found = run.find(target.word);
  if (kind == 'c' || kind == 'o') return found && found->server;
  return kind != 'e' || target.word == "-" || (found && found->is("e") && found->has_address());
}

}  // namespace

Coro<Result> make_object(Run& run, bool tight, const Arguments& args) {
  const char kind = args[0].word.front();
  if (args.size() < least_arguments(kind) || (args.size() > 1 && !has_target(run, kind, args[1]))) co_return skip();
  Object* const made = run.make(args[0].word);
  if (!made) co_return skip();
  Object& object = *made;
  if (object.is("y")) {
    object.reader = StreamReader(to_limit(args));
    object.peer = -1;
    co_return Result();
  }
  if (object.is("nucoe")) {
    object.peer = -1;
    if (object.is("nu")) co_await make_server(run, object, args);
    if (object.is("co")) co_await connect_client(run, object, args);
    if (object.is("e")) co_await make_endpoint(run, object, args);
    co_return Result();
  }
  make_descriptors(object, tight);
  if (object.is("k")) {
    object.raw = Socket(object.fd);
  } else if (object.is("sb")) {
    const auto protocol = make_protocol(run, object, object.name, args);
    if (object.is("s")) {
      co_await create_connection([&] { return std::static_pointer_cast<Protocol>(protocol); }, Socket(object.fd));
    } else {
      co_await create_connection([&] { return std::static_pointer_cast<BufferedProtocol>(protocol); },
                                 Socket(object.fd));
    }
  } else if (object.is("rw")) {
    const auto factory = [protocol = make_protocol(run, object, object.name, args)] { return protocol; };
    if (object.is("r")) co_await connect_read_pipe(factory, FileDescriptor(object.fd));
    if (object.is("w")) co_await connect_write_pipe(factory, FileDescriptor(object.fd));
  } else if (object.is("d")) {
    const auto factory = [protocol = make_protocol(run, object, object.name, args)] { return protocol; };
    co_await create_datagram_endpoint(factory, Socket(object.fd));
  } else if (object.is("x")) {
    ConnectOptions options;
    options.limit = to_limit(args);
    auto [reader, writer] = co_await open_connection(Socket(object.fd), options);
    object.transport = writer.transport();
    object.reader = std::move(reader);
    object.writer = std::move(writer);
  } else if (object.is("v")) {
    co_await serve(run, object, args);
  } else if (object.is("a")) {
    const StreamReader reader(to_limit(args));
    const auto factory = [&] { return std::make_shared<StreamReaderProtocol>(reader); };
    auto [transport, protocol] = co_await connect_read_pipe(factory, FileDescriptor(object.fd));
    object.transport = transport;
    object.reader = reader;
  } else if (object.is("z")) {
    const auto factory = [] { return std::make_shared<FlowControlProtocol>(); };
    auto [transport, protocol] = co_await connect_write_pipe(factory, FileDescriptor(object.fd));
    object.transport = transport;
    object.writer.emplace(transport, protocol);
  }
  co_return Result();
}

}  // namespace asyncio::conformance

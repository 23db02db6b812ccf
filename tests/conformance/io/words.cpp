// What the words do: on transports, on streams, on raw sockets, and at the peer's end.
#include "run.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace asyncio::conformance {
namespace {

Result number(std::size_t value) { return Result{std::to_string(value)}; }

// ── transports ──────────────────────────────────────────────────────────────────────────────────────────────────────

// How much may be written until the peer has read everything: less than any kernel's buffers hold. Then the log does
// not depend on their size.
constexpr int kMostUnread = 16'000, kMostUnreadHere = 8'000;
constexpr int kMostDatagramsUnread = 5;

bool has_room(Object& object, std::size_t size) {
  if (object.tight) return true;
  if (object.unread + static_cast<int>(size) > (object.is("icjo") ? kMostUnreadHere : kMostUnread)) return false;
  object.unread += static_cast<int>(size);
  return true;
}

Result write(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  if (!object || !object->writing()) return skip();
  std::size_t position = object->sent;
  const std::string data = make_data(args[1].word, position);
  if (!has_room(*object, data.size())) return skip();
  object->sent = position;
  object->writing()->write(data);
  return {};
}

Result writelines(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  if (!object || !object->writing()) return skip();
  std::size_t position = object->sent;
  const std::string first = make_data(args[1].word, position), second = make_data(args[2].word, position);
  if (!has_room(*object, first.size() + second.size())) return skip();
  object->sent = position;
  const std::string_view lines[] = {first, second};
  object->writing()->writelines(lines);
  return {};
}

Result write_eof(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  if (!object || !object->writing()) return skip();
  object->writing()->write_eof();
  return {};
}

Result can_write_eof(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  return object && object->writing() ? flag(object->writing()->can_write_eof()) : skip();
}

Result close(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  if (!object || !object->transport) return skip();
  object->transport->close();
  return {};
}

Result is_closing(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  return object && object->transport ? flag(object->transport->is_closing()) : skip();
}

Result abort(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  if (!object || !object->sending()) return skip();
  object->sending()->abort();
  return {};
}

Result pause_reading(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  if (!object || !object->reading()) return skip();
  object->reading()->pause_reading();
  return {};
}

Result resume_reading(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  if (!object || !object->reading()) return skip();
  object->reading()->resume_reading();
  return {};
}

Result is_reading(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  return object && object->reading() ? flag(object->reading()->is_reading()) : skip();
}

Result buffer_size(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  return object && object->sending() ? number(object->sending()->get_write_buffer_size()) : skip();
}

std::optional<std::size_t> to_mark(const Argument& argument) {
  if (argument.word == "-") return std::nullopt;
  return static_cast<std::size_t>(to_int(argument));
}

Result set_limits(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  if (!object || !object->sending()) return skip();
  object->sending()->set_write_buffer_limits({to_mark(args[1]), to_mark(args[2])});
  return {};
}

Result set_protocol(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  if (!object || !object->is("sbrwd") || !object->open()) return skip();
  object->transport->set_protocol(make_protocol(run, *object, object->name + "'", args));
  return {};
}

Result get_limits(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  if (!object || !object->sending()) return skip();
  const WriteBufferLimits limits = object->sending()->get_write_buffer_limits();
  return Result{std::to_string(*limits.low) + "," + std::to_string(*limits.high)};
}

Result sendto(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  auto* const transport = object ? object->as<DatagramTransport>("de") : nullptr;
  if (!transport || !object->open() || (object->is("e") && object->remote.empty())) return skip();
  if (!object->tight && object->unread >= kMostDatagramsUnread * (object->is("e") ? 10 : 1)) return skip();
  ++object->unread;
  transport->sendto(make_data(args[1].word, object->sent));
  return {};
}

Result sendto_address(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  const Object* const to = run.find(args[1].word);
  if (!object || !object->is("e") || !object->open()) return skip();
  if (!to || !to->is("e") || !to->has_address() || (!object->remote.empty() && object->remote != to->name))
    return skip();
  if (object->unread >= kMostDatagramsUnread * 10) return skip();
  ++object->unread;
  dynamic_cast<DatagramTransport&>(*object->transport).sendto(make_data(args[2].word, object->sent), to->address);
  return {};
}

// ── servers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Server* server_of(Run& run, const Argument& argument) {
  Object* const object = run.find(argument.word);
  return object && object->server ? &*object->server : nullptr;
}

Result is_serving(Run& run, const Arguments& args) {
  const Server* const server = server_of(run, args[0]);
  if (!server) return skip();
  return Result((server->is_serving() ? "T " : "F ") + std::to_string(server->sockets().size()));
}

Result close_server(Run& run, const Arguments& args) {
  const Server* const server = server_of(run, args[0]);
  if (!server) return skip();
  server->close();
  return {};
}

Result close_clients(Run& run, const Arguments& args) {
  const Server* const server = server_of(run, args[0]);
  if (!server) return skip();
  args[1].word == "abort" ? server->abort_clients() : server->close_clients();
  return {};
}

Coro<Result> start_serving(Run& run, const Arguments& args) {
  const Server* const server = server_of(run, args[0]);
  if (!server) co_return skip();
  co_await server->start_serving();
  co_return Result();
}

Coro<Result> serve_forever(Run& run, const Arguments& args) {
  const Server* const server = server_of(run, args[0]);
  if (!server) co_return skip();
  co_await server->serve_forever();
  co_return Result();
}

Coro<Result> server_wait_closed(Run& run, const Arguments& args) {
  const Server* const server = server_of(run, args[0]);
  if (!server) co_return skip();
  co_await server->wait_closed();
  co_return Result();
}

// ── streams ─────────────────────────────────────────────────────────────────────────────────────────────────────────

StreamReader* reader_of(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  return object && object->reader ? &*object->reader : nullptr;
}
StreamWriter* writer_of(Run& run, const Arguments& args, std::string_view kinds) {
  Object* const object = run.find(args[0].word);
  return object && object->writer && object->is(kinds) ? &*object->writer : nullptr;
}

Result feed(Run& run, const Arguments& args) {
  const StreamReader* const reader = reader_of(run, args);
  if (!reader) return skip();
  reader->feed_data(make_data(args[1].word, run.find(args[0].word)->fed));
  return {};
}

Result feed_eof(Run& run, const Arguments& args) {
  const StreamReader* const reader = reader_of(run, args);
  if (!reader) return skip();
  reader->feed_eof();
  return {};
}

Result set_exception(Run& run, const Arguments& args) {
  const StreamReader* const reader = reader_of(run, args);
  if (!reader) return skip();
  reader->set_exception(make_error(args[1].word));
  return {};
}

Result at_eof(Run& run, const Arguments& args) {
  const StreamReader* const reader = reader_of(run, args);
  return reader ? flag(reader->at_eof()) : skip();
}

Result exception(Run& run, const Arguments& args) {
  const StreamReader* const reader = reader_of(run, args);
  if (!reader) return skip();
  return Result{reader->exception() ? show_error(reader->exception()) : "none"};
}

Coro<Result> read(Run& run, const Arguments& args) {
  const StreamReader* const reader = reader_of(run, args);
  if (!reader) co_return skip();
  const std::string data = co_await reader->read(to_int(args[1]));
  co_return Result{show_data(data)};
}

Coro<Result> readexactly(Run& run, const Arguments& args) {
  const StreamReader* const reader = reader_of(run, args);
  if (!reader) co_return skip();
  const std::string data = co_await reader->readexactly(to_int(args[1]));
  co_return Result{show_data(data)};
}

Coro<Result> readline(Run& run, const Arguments& args) {
  const StreamReader* const reader = reader_of(run, args);
  if (!reader) co_return skip();
  const std::string data = co_await reader->readline();
  co_return Result{show_data(data)};
}

Coro<Result> readuntil(Run& run, const Arguments& args) {
  const StreamReader* const reader = reader_of(run, args);
  if (!reader) co_return skip();
  std::vector<std::string> separators;
  for (std::size_t i = 1; i < args.size(); ++i) separators.push_back(args[i].word == "-" ? "" : args[i].word);
  const std::string data = co_await reader->readuntil(std::move(separators));
  co_return Result{show_data(data)};
}

Coro<Result> drain(Run& run, const Arguments& args) {
  const StreamWriter* const writer = writer_of(run, args, "xzvjo");
  if (!writer) co_return skip();
  co_await writer->drain();
  co_return Result();
}

Coro<Result> wait_closed(Run& run, const Arguments& args) {
  const StreamWriter* const writer = writer_of(run, args, "xvjo");
  if (!writer) co_return skip();
  co_await writer->wait_closed();
  co_return Result();
}

// ── the peer's end, and ours without a transport ────────────────────────────────────────────────────────────────────

Result show_system_error() {
  return Result{"!" + show_error(std::make_exception_ptr(std::system_error(errno, std::generic_category())))};
}

// Into a pipe that nobody reads it must not end the program; the library takes care of that by itself.
ssize_t put(const Object& object, int fd, const std::string& data) {
  if (!object.is("rwaz")) return ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const ssize_t sent = ::write(fd, data.data(), data.size());
  const int error = errno;
  ::signal(SIGPIPE, before);
  errno = error;
  return sent;
}

Result get(int fd, std::size_t size) {
  std::string data(size, '\0');
  const ssize_t received = ::read(fd, data.data(), size);
  if (received == -1) return show_system_error();
  return Result{show_data(std::string_view(data).substr(0, static_cast<std::size_t>(received)))};
}

Result peer_send(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  if (!object || object->peer == -1 || object->is("wz")) return skip();
  const ssize_t sent = put(*object, object->peer, make_data(args[1].word, object->peer_sent));
  return sent == -1 ? show_system_error() : number(static_cast<std::size_t>(sent));
}

Result peer_receive(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  if (!object || object->peer == -1 || object->is("ra") || (object->filled && !object->tight)) return skip();
  return get(object->peer, static_cast<std::size_t>(to_int(args[1])));
}

// Everything that is there. What fill() has put there is left out, as it depends on the kernel how much that is.
Result peer_receive_all(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  if (!object || object->peer == -1 || object->is("ra")) return skip();
  std::string all, buffer(300'000, '\0');
  std::string end;
  for (int datagrams = 0;;) {
    const ssize_t received = ::read(object->peer, buffer.data(), buffer.size());
    if (received == -1) end = errno == EAGAIN ? "" : show_system_error().text();
    if (received <= 0 && !(received == 0 && object->is("d") && ++datagrams < 20)) {
      if (received == 0) end = "eof";
      break;
    }
    all.append(buffer, 0, static_cast<std::size_t>(received));
    if (object->is("d")) all += '|';
  }
  if (object->is("d")) {
    while (all.starts_with("F|")) all.erase(0, 2);
  } else {
    all.erase(0, std::min(all.find_first_not_of('F'), all.size()));
  }
  object->filled = false;
  object->unread = 0;
  return Result{show_data(all) + (end.empty() ? "" : " " + end)};
}

Result peer_shut(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  if (!object || object->peer == -1 || object->is("rwazd")) return skip();
  ::shutdown(object->peer, SHUT_WR);
  return {};
}

Result peer_close(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  if (!object || object->peer == -1) return skip();
  ::close(object->peer);
  object->peer = -1;
  return {};
}

// So that nothing fits into the kernel's buffer any more.
Result fill(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  if (!object || object->peer == -1 || !object->open() || !object->is("sbwxzvdk") || object->unread > 0) return skip();
  if (object->writing() && object->writing()->get_write_buffer_size() > 0) return skip();
  if (object->as<DatagramTransport>("d") && object->sending()->get_write_buffer_size() > 0) return skip();
  for (const std::size_t size : {std::size_t{4096}, std::size_t{1}}) {
    const std::string data(object->is("d") ? 1 : size, 'F');
    while (put(*object, object->fd, data) > 0) {
    }
  }
  object->filled = true;
  return {};
}

Result raw_receive(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  if (!object || !object->is("k")) return skip();
  return get(object->fd, static_cast<std::size_t>(to_int(args[1])));
}

// Whether add_reader() can be tried there: on a socket of our own, or one whose transport forbids it.
bool watchable(const Object* object) { return object && object->is("sbxvdk") && object->open(); }

template <Readiness way>
Result add_watch(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  if (!watchable(object)) return skip();
  const Block& block = *args[1].block;
  const auto callback = [&run, object, &block, left = 3]() mutable {
    run.log(std::to_string(block.id), way == Readiness::read ? "readable" : "writable");
    if (--left == 0) way == Readiness::read ? remove_reader(object->fd) : remove_writer(object->fd);
    run.run_callback(block);
  };
  way == Readiness::read ? add_reader(object->fd, callback) : add_writer(object->fd, callback);
  return {};
}

template <Readiness way>
Result remove_watch(Run& run, const Arguments& args) {
  const Object* const object = run.find(args[0].word);
  if (!watchable(object)) return skip();
  return flag(way == Readiness::read ? remove_reader(object->fd) : remove_writer(object->fd));
}

/// Sets it during its lifetime.
class Mark {
 public:
  explicit Mark(bool& mark) : mark_(mark) { mark_ = true; }
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;
  ~Mark() { mark_ = false; }

 private:
  bool& mark_;
};

Coro<Result> receive(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  if (!object || !object->is("k") || object->receiving) co_return skip();
  const Mark mark(object->receiving);
  const std::string data = co_await sock_recv(object->raw, static_cast<std::size_t>(to_int(args[1])));
  co_return Result{show_data(data)};
}

Coro<Result> send_all(Run& run, const Arguments& args) {
  Object* const object = run.find(args[0].word);
  if (!object || !object->is("k") || object->sending_all) co_return skip();
  std::size_t position = object->sent;
  std::string data = make_data(args[1].word, position);
  if (!has_room(*object, data.size())) co_return skip();
  object->sent = position;
  const Mark mark(object->sending_all);
  co_await sock_sendall(object->raw, std::move(data));
  co_return Result();
}

template <bool tight>
Coro<Result> make_object(Run& run, const Arguments& args) {
  return make_object(run, tight, args);
}

// ── tasks and callbacks ─────────────────────────────────────────────────────────────────────────────────────────────

Coro<Result> ticks(Run&, const Arguments& args) {
  for (int i = to_int(args[0]); i > 0; --i) co_await sleep(std::chrono::seconds(0));
  co_return Result();
}

Result spawn(Run& run, const Arguments& args) {
  if (run.tasks.contains(args[0].word)) return skip();
  run.tasks.emplace(args[0].word, create_task(run.task(*args[1].block)));
  return {};
}

Result cancel(Run& run, const Arguments& args) {
  const auto task = run.tasks.find(args[0].word);
  return task == run.tasks.end() ? skip() : flag(task->second.cancel());
}

Result soon(Run& run, const Arguments& args) {
  run.loop().call_soon([&run, &block = *args[0].block] { run.run_callback(block); });
  return {};
}

Result raise(Run&, const Arguments& args) { std::rethrow_exception(make_error(args[0].word)); }
Result ret(Run&, const Arguments&) { return Result::from_return(); }

}  // namespace

void add_words(Words& words) {
  words.insert({{"w", {write}},
                {"wl", {writelines}},
                {"weof", {write_eof}},
                {"cwe", {can_write_eof}},
                {"close", {close}},
                {"isc", {is_closing}},
                {"abort", {abort}},
                {"pr", {pause_reading}},
                {"rr", {resume_reading}},
                {"isr", {is_reading}},
                {"size", {buffer_size}},
                {"lim", {set_limits}},
                {"getlim", {get_limits}},
                {"setp", {set_protocol}},
                {"st", {sendto}},
                {"stt", {sendto_address}},
                {"sis", {is_serving}},
                {"sclose", {close_server}},
                {"sclients", {close_clients}},
                {"sstart", {nullptr, start_serving}},
                {"sforever", {nullptr, serve_forever}},
                {"swait", {nullptr, server_wait_closed}},
                {"feed", {feed}},
                {"feof", {feed_eof}},
                {"exc", {set_exception}},
                {"ateof", {at_eof}},
                {"exn", {exception}},
                {"read", {nullptr, read}},
                {"readx", {nullptr, readexactly}},
                {"readline", {nullptr, readline}},
                {"readu", {nullptr, readuntil}},
                {"drain", {nullptr, drain}},
                {"wclosed", {nullptr, wait_closed}},
                {"send", {peer_send}},
                {"recv", {peer_receive}},
                {"recvall", {peer_receive_all}},
                {"shut", {peer_shut}},
                {"pclose", {peer_close}},
                {"fill", {fill}},
                {"krecv", {raw_receive}},
                {"addr", {add_watch<Readiness::read>}},
                {"addw", {add_watch<Readiness::write>}},
                {"remr", {remove_watch<Readiness::read>}},
                {"remw", {remove_watch<Readiness::write>}},
                {"srecv", {nullptr, receive}},
                {"ssend", {nullptr, send_all}},
                {"t", {nullptr, ticks}},
                {"task", {spawn}},
                {"cancel", {cancel}},
                {"soon", {soon}},
                {"raise", {raise}},
                {"ret", {ret}},
                {"new", {nullptr, make_object<false>}},
                {"tight", {nullptr, make_object<true>}}});
}

}  // namespace asyncio::conformance

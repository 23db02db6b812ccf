// One run of one program of transports, streams and sockets on our asyncio, and its log.
// Mirrors: oracle.py, class Run; what each word does is in words.cpp, in the same order as there. Read next: run.cpp
#pragma once

#include "../statements.h"

#include <asyncio/asyncio.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::conformance {

class Run;

/// One of the two is set: a word that can be used in callbacks, or one that waits.
struct Operation {
  using Now = Result (*)(Run&, const Arguments&);
  using Later = Coro<Result> (*)(Run&, const Arguments&);
  Now now = nullptr;
  Later later = nullptr;
};

/// The ends of a connection, and all that stands on ours. The first letter of the name is the kind:
/// s, b: sockets with a Protocol or a BufferedProtocol · r, w: pipes · d: datagrams · x, v, a, z: streams over a socket,
/// by open_connection() or as a server's client, and over a pipe to read or to write · y: a StreamReader alone · k: a
/// socket without a transport. Of these the program moves both ends; and there are what it makes by address:
/// n, u: servers, of protocols or streams · i, j: their connections · c, o: connections to them, of a protocol or streams ·
/// e: UDP.
struct Object {
  Object(std::string its_name, int number) : name(std::move(its_name)), fd(200 + 2 * number), peer(fd + 1) {}

  char kind() const noexcept { return name.front(); }
  bool is(std::string_view kinds) const noexcept { return kinds.find(kind()) != kinds.npos; }
  /// Its descriptor is still ours to use.
  bool open() const noexcept { return kind() == 'k' || (transport && !transport->is_closing()); }
  bool has_address() const noexcept { return address.family() != AF_UNSPEC; }
  template <class T>
  T* as(std::string_view kinds) const {
    return is(kinds) ? dynamic_cast<T*>(transport.get()) : nullptr;
  }
  ReadTransport* reading() const { return as<ReadTransport>("sbrxavicjo"); }
  WriteTransport* writing() const { return as<WriteTransport>("sbwxzvicjo"); }
  SendTransport* sending() const { return as<SendTransport>("sbwxzvicjode"); }

  std::string name;
  int fd;    // the same number on both sides: some messages have it
  int peer;  // -1: closed
  std::shared_ptr<BaseTransport> transport;
  std::optional<StreamReader> reader;
  std::optional<StreamWriter> writer;
  Socket raw;
  std::optional<Server> server;
  Address address;                               // of a server that was made, or of UDP
  std::string remote;                            // the UDP object that it is connected to
  bool tight = false;                            // the kernel's buffers are as small as they can be
  bool filled = false;                           // nothing fits into the kernel's buffer
  int unread = 0;                                // what was written since the peer has read everything
  std::size_t sent = 0, peer_sent = 0, fed = 0;  // where in the pattern of bytes each goes on
  bool receiving = false, sending_all = false;   // a task waits in sock_recv() or sock_sendall()
};

/// What a protocol does in each of its callbacks: a block, the first three times.
class Hooks {
 public:
  Hooks(Run& run, Object& object, std::string name, const Arguments& args, std::size_t first);
  /// Logs the callback and runs its block. True if that says `ret`.
  bool call(const std::string& event, const std::string& detail = std::string());
  Object& object() const noexcept { return object_; }

 private:
  struct Hook {
    const Block* block;
    int left = 3;
  };
  Run& run_;
  Object& object_;
  std::string name_;
  std::map<std::string, Hook> hooks_;
};

class Run {
 public:
  using Word = Operation;

  Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run();

  std::string run(const std::string& text);

  // ── for the words ──
  void log(const std::string& who, const std::string& text);
  Coro<bool> run_block(const Block& block);
  /// True if it was left by `ret`.
  bool run_callback(const Block& block);
  /// A block as a task, whose exception ends there.
  Coro<> task(const Block& block);
  /// A block as a coroutine whose exception passes.
  Coro<> coroutine(const Block& block);

  /// Null if there is none.
  Object* find(const std::string& name);
  /// Null if there is one already.
  Object* make(const std::string& name);
  /// A server's next connection: i0, i1 …, or with streams j0, j1 …
  Object& make_next(char kind);
  const std::vector<Object*>& objects() const noexcept { return in_order_; }
  Loop& loop() const { return *loop_; }

  std::map<std::string, AnyTask> tasks;

 private:
  class CountingCore;
  Coro<> drive(const Block& program);
  Coro<> clean_up();
  void on_error(const ErrorContext& context);

  CountingCore* core_ = nullptr;
  Loop* loop_ = nullptr;
  std::string lines_;
  bool over_ = false;
  int last_tick_ = -1;
  std::map<std::string, std::unique_ptr<Object>> objects_;
  std::vector<Object*> in_order_;
};

std::string show_data(std::string_view data);
std::exception_ptr make_error(const std::string& kind);
/// "30": 30 bytes of a pattern with a '\n' in every seven, which goes on at `position`; "z30": 30 times z.
std::string make_data(const std::string& size, std::size_t& position);
int to_int(const Argument& argument);

/// Makes the object args[0] and connects it. `tight`: with kernel buffers as small as they can be.
Coro<Result> make_object(Run& run, bool tight, const Arguments& args);
/// A protocol of the object's kind; its callbacks are args[1], args[2] …: names and blocks.
std::shared_ptr<BaseProtocol> make_protocol(Run& run, Object& object, const std::string& name, const Arguments& args);

using Words = std::map<std::string, Operation>;
void add_words(Words& words);

}  // namespace asyncio::conformance

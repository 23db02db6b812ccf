// A chat server. Who does not read is put out, before the unread lines fill the memory. At SIGTERM or Ctrl-C the server
// takes leave: everybody is still sent what was written, and has SECONDS (5) to read it.
//
//   chat_server [PORT [SECONDS]]               and then, twice: nc 127.0.0.1 PORT
#include <asyncio/asyncio.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>

using namespace asyncio;
using Seconds = std::chrono::duration<double>;

class Chat {
 public:
  /// One client, from the first line, which is the name, to the last.
  Coro<> serve(StreamReader reader, StreamWriter writer) {
    writer.write("Your name?\n");
    std::string name = co_await reader.readline();
    while (!name.empty() && (name.back() == '\n' || name.back() == '\r')) name.pop_back();
    if (name.empty() || members_.contains(name)) {
      writer.write("Sorry, not this one.\n");
      co_return;  // the last handle is gone, so the connection closes
    }
    const Member member(*this, name, writer);
    try {
      for (;;) {
        const auto line = co_await reader.next_line();
        if (!line) break;
        tell_the_others(name, name + ": " + *line);
      }
    } catch (const std::exception& error) {  // the connection broke, or the line has no end
      std::cout << name << ": " << error.what() << std::endl;
    }
  }

  void tell_everybody(const std::string& line) { tell_the_others("", line); }

 private:
  static constexpr std::size_t kMostUnread = 1 << 20;  // bytes, besides what the kernel keeps

  /// In the room for as long as it lives: the coroutine may end in any way, a cancel among them.
  class Member {
   public:
    Member(Chat& chat, std::string name, const StreamWriter& writer) : chat_(chat), name_(std::move(name)) {
      chat_.members_.emplace(name_, writer);
      chat_.tell_everybody("* " + name_ + " comes in\n");
    }
    ~Member() {
      chat_.members_.erase(name_);
      chat_.tell_everybody("* " + name_ + " has left\n");
    }
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

   private:
    Chat& chat_;
    const std::string name_;
  };

  /// Does not await drain(): one slow reader would hold up all the others.
  void tell_the_others(const std::string& name, const std::string& line) {
    for (const auto& [other, writer] : members_) {
      if (other == name || writer.is_closing()) continue;
      writer.write(line);
      if (writer.transport()->get_write_buffer_size() <= kMostUnread) continue;
      std::cout << other << " does not read, and is put out" << std::endl;
      writer.transport()->abort();
    }
  }

  std::map<std::string, StreamWriter> members_;
};

/// No new clients; those who are there get what was written to them, if they read it in time.
Coro<> shut_down(const Server& server, Seconds limit) {
  server.close();
  server.close_clients();
  try {
    co_await wait_for(server.wait_closed(), limit);
  } catch (const TimeoutError&) {
    std::cout << "some did not read: cut off\n";
    server.abort_clients();
  }
}

Coro<> serve_until_signal(int port, Seconds limit) {
  Event stop;
  for (const int signal : {SIGTERM, SIGINT}) add_signal_handler(signal, [&stop] { stop.set(); });

  const auto chat = std::make_shared<Chat>();  // the handler has a share: clients may leave after this coroutine
  const auto handler = [chat](StreamReader reader, StreamWriter writer) { return chat->serve(reader, writer); };
  const Server server = co_await start_server(handler, "127.0.0.1", port);
  std::cout << "port " << server.port() << std::endl;

  co_await stop.wait();
  std::cout << "taking leave" << std::endl;
  chat->tell_everybody("* the server takes leave\n");
  co_await shut_down(server, limit);
  std::cout << "bye\n";
}

int main(int argc, char** argv) {
  try {
    run(serve_until_signal(argc > 1 ? std::stoi(argv[1]) : 0, Seconds(argc > 2 ? std::stod(argv[2]) : 5)));
  } catch (const std::exception& error) {
    std::cerr << "chat_server: " << error.what() << '\n';
    return 1;
  }
}

// Exercise 1: a chat server. Who does not read is put out, before what is written to it fills the memory.
#include <asyncio/run.h>
#include <asyncio/streams.h>

#include <iostream>
#include <map>
#include <string>

using namespace std::chrono_literals;
using asyncio::Coro;
using asyncio::StreamReader;
using asyncio::StreamWriter;

class Chat {
 public:
  Coro<> serve(StreamReader reader, StreamWriter writer) {
    std::string name = co_await reader.readline();
    if (name.empty()) co_return;
    name.pop_back();
    const Member member(*this, name, writer);
    for (;;) {
      const std::string line = co_await reader.readline();
      if (line.empty()) co_return;
      tell_the_others(name, name + ": " + line);
    }
  }
  bool has(const std::string& name) const { return members_.contains(name); }

 private:
  static constexpr std::size_t kMostUnread = 1 << 20;  // bytes, besides what the kernel keeps

  /// In the room for as long as it lives: the coroutine may end in any way.
  class Member {
   public:
    Member(Chat& chat, const std::string& name, const StreamWriter& writer) : chat_(chat), name_(name) {
      chat_.members_.insert_or_assign(name, writer);
    }
    ~Member() { chat_.members_.erase(name_); }

   private:
    Chat& chat_;
    const std::string& name_;
  };

  /// Does not await drain(): one slow reader would hold up all the others.
  void tell_the_others(const std::string& name, const std::string& line) {
    for (const auto& [other, writer] : members_) {
      if (other == name) continue;
      writer.write(line);
      if (writer.transport()->get_write_buffer_size() > kMostUnread) writer.transport()->abort();
    }
  }

  std::map<std::string, StreamWriter> members_;
};

Coro<> main_program() {
  Chat chat;
  const auto handler = [&chat](StreamReader reader, StreamWriter writer) { return chat.serve(reader, writer); };
  const asyncio::Server server = co_await asyncio::start_server(handler, "127.0.0.1", 0);

  auto [ann_reads, ann] = co_await asyncio::open_connection("127.0.0.1", server.port());
  auto [bob_reads, bob] = co_await asyncio::open_connection("127.0.0.1", server.port());
  auto [deaf_reads, deaf] = co_await asyncio::open_connection("127.0.0.1", server.port());
  ann.write("ann\n");
  bob.write("bob\n");
  deaf.write("deaf\n");
  while (!chat.has("ann") || !chat.has("bob") || !chat.has("deaf")) co_await asyncio::sleep(1ms);

  ann.write("hello\n");
  std::string heard = co_await bob_reads.readline();
  std::cout << "bob hears " << heard;
  bob.write("hello, ann\n");
  heard = co_await ann_reads.readline();
  std::cout << "ann hears " << heard;

  const std::string long_line(60'000, '!');
  int lines = 0;
  for (; chat.has("deaf") && lines < 10'000; ++lines) {  // deaf never reads, and its socket has taken a part
    ann.write(long_line + "\n");
    heard = co_await bob_reads.readline();
  }
  std::cout << std::boolalpha << "deaf is still in the room: " << chat.has("deaf") << '\n';

  ann.write("where is deaf?\n");
  heard = co_await bob_reads.readline();
  std::cout << "bob hears " << heard;
  ann.close();
  bob.close();
  while (chat.has("ann") || chat.has("bob")) co_await asyncio::sleep(1ms);
  std::cout << "the room is empty\n";
}

int main() { asyncio::run(main_program()); }

// A client for Redis, whose one connection many tasks share: each sends its command at once, as answers come in order.
//   redis_client [PATH]                        redis-server --unixsocket /tmp/redis.sock & redis_client /tmp/redis.sock
#include <asyncio/asyncio.h>

#include <deque>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;

struct Reply {
  enum Kind { nil, string, list, error } kind = nil;
  std::string text;  // of a string, an integer, an error
  std::vector<Reply> items;
};

/// "+text", ":number", "-error", "$size" and so many bytes, or "*size" and so many replies; a size of -1 is nil.
Coro<Reply> read_reply(StreamReader reader) {
  std::string line = co_await reader.readuntil("\r\n");
  const char type = line[0];
  Reply reply;
  reply.text = line.substr(1, line.size() - 3);
  reply.kind = type == '-' ? Reply::error : type == '*' ? Reply::list : Reply::string;
  if (type != '$' && type != '*') co_return reply;
  const int size = std::stoi(std::exchange(reply.text, ""));
  if (size < 0) reply.kind = Reply::nil;
  if (type == '$' && size >= 0) {
    const std::string bytes = co_await reader.readexactly(size + 2);  // with its "\r\n"
    reply.text = bytes.substr(0, bytes.size() - 2);
  }
  for (int i = 0; type == '*' && i < size; ++i) {
    Reply item = co_await read_reply(reader);
    reply.items.push_back(std::move(item));
  }
  co_return reply;
}

class Redis {  // it has to outlive its commands
 public:
  explicit Redis(Streams streams) : writer_(streams.second), replies_(create_task(read_replies(streams.first))) {}
  ~Redis() { replies_.cancel(); }
  Redis(Redis&&) = delete;  // nor copied: read_replies() refers to it

  /// `co_await redis.command("SET", "key", "value")` Throws what Redis refuses it with, or what ended the connection.
  template <class... Words>
  Coro<Reply> command(const Words&... words) {
    return ask({std::string(words)...});
  }

 private:
  Coro<Reply> ask(std::vector<std::string> words) {
    if (replies_.done()) throw std::runtime_error("there is no connection to Redis any more");
    std::string request = '*' + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) request += '$' + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    const Future<Reply> answered = create_future<Reply>();
    waiting_.push_back(answered);
    writer_.write(request);  // no await since push_back(): futures and requests are in the same order
    co_await writer_.drain();
    const Reply reply = co_await answered;
    if (reply.kind == Reply::error) throw std::runtime_error(reply.text);
    co_return reply;
  }

  Coro<> read_replies(StreamReader reader) {
    try {
      for (;;) {
        Reply reply = co_await read_reply(reader);
        const Future<Reply> answered = waiting_.front();
        waiting_.pop_front();
        if (!answered.done()) answered.set_result(std::move(reply));  // done: the task that asked was cancelled
      }
    } catch (const std::exception&) {
      for (const Future<Reply>& answered : waiting_)
        if (!answered.done()) answered.set_exception(std::current_exception());
    }
  }

  StreamWriter writer_;
  std::deque<Future<Reply>> waiting_;  // one for each command that has no answer yet, the oldest first
  Task<> replies_;
};

Coro<> visit(Redis& redis, int number) {
  const Reply length = co_await redis.command("LPUSH", "example:log", "visit " + std::to_string(number));
  if (length.text != std::to_string(number)) throw std::logic_error("this is the answer to another's command");
}

Coro<> use(std::string path) {
  const Streams streams = co_await open_unix_connection(path);
  Redis redis(streams);
  co_await redis.command("DEL", "example:log");
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    for (int number = 1; number <= 1000; ++number) group.create_task(visit(redis, number));
    co_return;
  });
  const Reply count = co_await redis.command("LLEN", "example:log");
  const Reply last = co_await redis.command("LRANGE", "example:log", "0", "2");
  std::cout << count.text << " visits, the last ones:\n";
  for (const Reply& visit : last.items) std::cout << "  " << visit.text << '\n';
  const Reply missing = co_await redis.command("GET", "example:no such key");
  std::cout << "a key that is not there is nil: " << std::boolalpha << (missing.kind == Reply::nil) << '\n';
  try {
    co_await redis.command("fly", "home");
  } catch (const std::runtime_error& error) {
    std::cout << "refused: " << error.what() << '\n';
  }
}

int main(int argc, char** argv) {
  try {
    run(use(argc > 1 ? argv[1] : "/run/redis/redis-server.sock"));
  } catch (const std::exception& error) {
    std::cerr << "redis_client: " << error.what() << '\n';
    return 1;
  }
}

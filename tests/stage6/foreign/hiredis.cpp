// A foreign C library on our loop: hiredis, the client of Redis. It needs an event loop to start and stop watching its
// socket, for reading and for writing. The rest is a future.
//
//   stage6_hiredis PORT
#include <asyncio/asyncio.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace asyncio;

class Redis {
 public:
  explicit Redis(int port) : context_(redisAsyncConnect("127.0.0.1", port)) {
    if (!context_ || context_->err) throw std::runtime_error(context_ ? context_->errstr : "no memory");
    context_->ev.data = context_;
    context_->ev.addRead = [](void* context) {
      const auto handle = [context] { redisAsyncHandleRead(static_cast<redisAsyncContext*>(context)); };
      if (!is_watched(context, Readiness::read)) add_reader(fd_of(context), handle);
    };
    context_->ev.delRead = [](void* context) { remove_reader(fd_of(context)); };
    context_->ev.addWrite = [](void* context) {
      const auto handle = [context] { redisAsyncHandleWrite(static_cast<redisAsyncContext*>(context)); };
      if (!is_watched(context, Readiness::write)) add_writer(fd_of(context), handle);
    };
    context_->ev.delWrite = [](void* context) { remove_writer(fd_of(context)); };
    context_->ev.cleanup = [](void* context) {
      remove_reader(fd_of(context));
      remove_writer(fd_of(context));
    };
    context_->ev.addWrite(context_);  // so hiredis notices the connection
  }
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;
  ~Redis() { redisAsyncFree(context_); }

  /// The answer as text; throws the server's errors.
  Coro<std::string> command(std::vector<std::string> words) {
    std::vector<const char*> data;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      data.push_back(word.data());
      sizes.push_back(word.size());
    }
    auto reply = create_future<std::string>();
    auto kept = std::make_unique<Future<std::string>>(reply);  // until on_reply(), which is always called
    const int count = static_cast<int>(words.size());
    if (redisAsyncCommandArgv(context_, on_reply, kept.get(), count, data.data(), sizes.data()) != REDIS_OK) {
      throw std::runtime_error("the connection is closed");
    }
    kept.release();
    co_return co_await std::move(reply);
  }

 private:
  static int fd_of(void* context) { return static_cast<redisAsyncContext*>(context)->c.fd; }
  static bool is_watched(void* context, Readiness way) {
    auto* core = dynamic_cast<SelectorCore*>(&Loop::running().core());
    return core && (core->watched(fd_of(context)) & way) != Readiness::none;
  }

  static void on_reply(redisAsyncContext* context, void* answer, void* data) {
    const std::unique_ptr<Future<std::string>> future(static_cast<Future<std::string>*>(data));
    if (future->done()) return;  // cancelled
    const auto* reply = static_cast<const redisReply*>(answer);
    if (!reply) {
      future->set_exception(std::runtime_error(context->err ? context->errstr : "the connection is closed"));
    } else if (reply->type == REDIS_REPLY_ERROR) {
      future->set_exception(std::runtime_error(std::string(reply->str, reply->len)));
    } else if (reply->type == REDIS_REPLY_INTEGER) {
      future->set_result(std::to_string(reply->integer));
    } else {
      future->set_result(reply->str ? std::string(reply->str, reply->len) : "nil");
    }
  }

  redisAsyncContext* context_;
};

void expect(const std::string& actual, const std::string& expected) {
  if (actual != expected) throw std::runtime_error("'" + actual + "' instead of '" + expected + "'");
}

std::vector<std::string> words(const char* a, const char* b, std::string c = "") {
  std::vector<std::string> all;
  all.emplace_back(a);
  all.emplace_back(b);
  if (!c.empty()) all.push_back(std::move(c));
  return all;
}

Coro<> talk(int port) {
  Redis redis(port);
  expect(co_await redis.command(words("PING", "hello")), "hello");
  expect(co_await redis.command(words("GET", "nothing")), "nil");
  const std::string big(3 << 20, 'x');  // larger than the socket's buffer: needs the writer
  expect(co_await redis.command(words("SET", "big", big)), "OK");
  expect(co_await redis.command(words("GET", "big")), big);

  std::vector<Coro<std::string>> many;  // all at once, in order on one connection
  for (int i = 0; i < 1000; ++i) many.push_back(redis.command(words("INCR", "counter")));
  const std::vector<std::string> counted = co_await gather(std::move(many));
  for (int i = 0; i < 1000; ++i) expect(counted[static_cast<std::size_t>(i)], std::to_string(i + 1));

  std::string what;
  try {
    co_await redis.command(words("INCR", "big"));
  } catch (const std::runtime_error& error) {
    what = error.what();
  }
  expect(what.substr(0, 3), "ERR");

  Redis other(port);  // waits for the first one's value
  auto waiting = create_task(other.command(words("BLPOP", "list", "10")));
  auto given_up = create_task(other.command(words("PING", "late")));
  co_await asyncio::sleep(std::chrono::milliseconds(20));
  given_up.cancel();
  expect(co_await redis.command(words("RPUSH", "list", "item")), "1");
  expect(co_await waiting, "nil");  // an array, not unpacked here
  expect(co_await other.command(words("PING", "again")), "again");
}

}  // namespace

int main(int, char** argv) {
  try {
    asyncio::run(talk(std::stoi(argv[1])));
    std::cout << "hiredis runs on our loop\n";
  } catch (const std::exception& error) {
    std::cerr << "stage6_hiredis: " << error.what() << '\n';
    return 1;
  }
}

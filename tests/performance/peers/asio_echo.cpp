// asio's echo server: with coroutines as in its examples, or, with the argument `callbacks`, with callbacks, which are
// its faster way. Prints its port.
#include <asio.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

using asio::ip::tcp;

namespace {

asio::awaitable<void> echo(tcp::socket socket) {
  try {
    std::array<char, 65536> data;
    for (;;) {
      const std::size_t size = co_await socket.async_read_some(asio::buffer(data), asio::use_awaitable);
      co_await asio::async_write(socket, asio::buffer(data, size), asio::use_awaitable);
    }
  } catch (const std::exception&) {  // the end of the stream
  }
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : socket_(std::move(socket)) {}
  void read() {
    socket_.async_read_some(asio::buffer(data_), [self = shared_from_this()](asio::error_code error, std::size_t size) {
      if (!error) self->write(size);
    });
  }

 private:
  void write(std::size_t size) {
    asio::async_write(socket_, asio::buffer(data_, size),
                      [self = shared_from_this()](asio::error_code error, std::size_t) {
                        if (!error) self->read();
                      });
  }
  tcp::socket socket_;
  std::array<char, 65536> data_;
};

asio::awaitable<void> serve(tcp::acceptor& acceptor, bool callbacks) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    socket.set_option(tcp::no_delay(true));
    if (callbacks) {
      std::make_shared<Session>(std::move(socket))->read();
    } else {
      asio::co_spawn(acceptor.get_executor(), echo(std::move(socket)), asio::detached);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  asio::io_context context(1);
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  acceptor.listen(1024);
  std::printf("%d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  asio::co_spawn(context, serve(acceptor, argc > 1 && std::string_view(argv[1]) == "callbacks"), asio::detached);
  context.run();
}

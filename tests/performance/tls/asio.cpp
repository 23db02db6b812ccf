// asio's echo server over TLS, with coroutines, or with the argument `callbacks` with callbacks. Prints its port.
#include "performance/tls/certificate.h"

#include <asio.hpp>
#include <asio/ssl.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

using asio::ip::tcp;
using Stream = asio::ssl::stream<tcp::socket>;

namespace {

asio::awaitable<void> echo(Stream stream) {
  try {
    std::array<char, 65536> data;
    co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    for (;;) {
      const std::size_t size = co_await stream.async_read_some(asio::buffer(data), asio::use_awaitable);
      co_await asio::async_write(stream, asio::buffer(data, size), asio::use_awaitable);
    }
  } catch (const std::exception&) {  // the end of the stream
  }
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(Stream stream) : stream_(std::move(stream)) {}
  void start() {
    stream_.async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](asio::error_code error) {
      if (!error) self->read();
    });
  }

 private:
  void read() {
    stream_.async_read_some(asio::buffer(data_), [self = shared_from_this()](asio::error_code error, std::size_t size) {
      if (!error) self->write(size);
    });
  }
  void write(std::size_t size) {
    asio::async_write(stream_, asio::buffer(data_, size),
                      [self = shared_from_this()](asio::error_code error, std::size_t) {
                        if (!error) self->read();
                      });
  }
  Stream stream_;
  std::array<char, 65536> data_;
};

asio::awaitable<void> serve(tcp::acceptor& acceptor, asio::ssl::context& context, bool callbacks) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    socket.set_option(tcp::no_delay(true));
    Stream stream(std::move(socket), context);
    if (callbacks) {
      std::make_shared<Session>(std::move(stream))->start();
    } else {
      asio::co_spawn(acceptor.get_executor(), echo(std::move(stream)), asio::detached);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const tls::Identity identity;
  asio::ssl::context secured(asio::ssl::context::tls_server);
  tls::configure(secured.native_handle(), identity);
  asio::io_context context(1);
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  acceptor.listen(1024);
  std::printf("%d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  const bool callbacks = argc > 1 && std::string_view(argv[1]) == "callbacks";
  asio::co_spawn(context, serve(acceptor, secured, callbacks), asio::detached);
  context.run();
}

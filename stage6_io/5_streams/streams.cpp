#include "asyncio/streams.h"

#include <utility>

namespace asyncio {
namespace {

using detail::ReaderState;

Streams make_streams(const StreamReader& reader, std::shared_ptr<Transport> transport,
                     const std::shared_ptr<StreamReaderProtocol>& protocol) {
  const detail::Ref<ReaderState> state(&reader.state());
  const detail::Ref<detail::StreamOwner> owner(
      new detail::StreamOwner(std::move(transport), detail::flow_of<BufferedProtocol>(protocol), state), detail::adopt);
  return Streams(StreamReader(state, owner), StreamWriter(owner));
}

/// Makes the protocol that feeds the reader.
class ReaderProtocolFactory {
 public:
  explicit ReaderProtocolFactory(StreamReader reader) noexcept : reader_(std::move(reader)) {}
  std::shared_ptr<StreamReaderProtocol> operator()() const { return std::make_shared<StreamReaderProtocol>(reader_); }

 private:
  StreamReader reader_;
};

Coro<Streams> connect(std::string host, int port, ConnectOptions options, detail::TlsRequest tls) {
  const StreamReader reader(options.limit);
  ReaderProtocolFactory factory(reader);
  auto [transport, protocol] =
      co_await detail::create_connection(std::move(factory), std::move(host), port, options, std::move(tls));
  co_return make_streams(reader, std::move(transport), protocol);
}
Coro<Streams> connect(Socket connected, ConnectOptions options, detail::TlsRequest tls) {
  const StreamReader reader(options.limit);
  ReaderProtocolFactory factory(reader);
  auto [transport, protocol] =
      co_await detail::create_connection(std::move(factory), std::move(connected), AF_UNSPEC, std::move(tls), false);
  co_return make_streams(reader, std::move(transport), protocol);
}
Coro<Streams> connect_unix(std::string path, UnixConnectOptions options, detail::TlsRequest tls) {
  const StreamReader reader(options.limit);
  ReaderProtocolFactory factory(reader);
  auto [transport, protocol] =
      co_await detail::create_unix_connection(std::move(factory), std::move(path), std::move(tls));
  co_return make_streams(reader, std::move(transport), protocol);
}

}  // namespace

// What the options point to may be gone when the coroutine runs: TlsRequest copies it now.
Coro<Streams> open_connection(std::string host, int port, ConnectOptions options) {
  return connect(std::move(host), port, options, detail::TlsRequest(options.ssl, options));
}

Coro<Streams> open_connection(Socket connected, ConnectOptions options) {
  return connect(std::move(connected), options, detail::TlsRequest(options.ssl, options));
}

Coro<Streams> open_unix_connection(std::string path, UnixConnectOptions options) {
  return connect_unix(std::move(path), options, detail::TlsRequest(options.ssl, options));
}

detail::AnyProtocolFactory detail::stream_factory(ClientCallback callback, std::size_t limit) {
  ReaderState::check_limit(limit);
  return [callback = std::move(callback), limit] {
    return std::make_shared<StreamReaderProtocol>(StreamReader(limit), callback);
  };
}

}  // namespace asyncio

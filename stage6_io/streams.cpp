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

/// Makes the protocol of that reader.
class ReaderProtocolFactory {
 public:
  explicit ReaderProtocolFactory(StreamReader reader) noexcept : reader_(std::move(reader)) {}
  std::shared_ptr<StreamReaderProtocol> operator()() const { return std::make_shared<StreamReaderProtocol>(reader_); }

 private:
  StreamReader reader_;
};

}  // namespace

Coro<Streams> open_connection(std::string host, int port, ConnectOptions options) {
  const StreamReader reader(options.limit);
  ReaderProtocolFactory factory(reader);
  auto [transport, protocol] = co_await create_connection(std::move(factory), std::move(host), port, options);
  co_return make_streams(reader, std::move(transport), protocol);
}

Coro<Streams> open_connection(Socket connected, ConnectOptions options) {
  const StreamReader reader(options.limit);
  ReaderProtocolFactory factory(reader);
  auto [transport, protocol] = co_await create_connection(std::move(factory), std::move(connected));
  co_return make_streams(reader, std::move(transport), protocol);
}

Coro<Streams> open_unix_connection(std::string path, ConnectOptions options) {
  const StreamReader reader(options.limit);
  ReaderProtocolFactory factory(reader);
  auto [transport, protocol] = co_await create_unix_connection(std::move(factory), std::move(path));
  co_return make_streams(reader, std::move(transport), protocol);
}

detail::AnyProtocolFactory detail::stream_factory(ClientCallback callback, std::size_t limit) {
  ReaderState::check_limit(limit);
  return [callback = std::move(callback), limit] {
    return std::make_shared<StreamReaderProtocol>(StreamReader(limit), callback);
  };
}

}  // namespace asyncio

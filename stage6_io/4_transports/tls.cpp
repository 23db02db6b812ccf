#include "asyncio/tls.h"

#include "asyncio/detail/start_tls.h"
#include "asyncio/task.h"

#include <stdexcept>
#include <utility>

namespace asyncio {
namespace detail {

void TlsRequest::check_server() const {
  if (engine_) return;
  if (handshake_timeout_.has_value()) throw std::invalid_argument("ssl_handshake_timeout is only meaningful with ssl");
  if (shutdown_timeout_.has_value()) throw std::invalid_argument("ssl_shutdown_timeout is only meaningful with ssl");
}

void TlsRequest::check_client(const std::string& host, const char* missing) {
  if (server_hostname_ && !engine_) throw std::invalid_argument("server_hostname is only meaningful with ssl");
  if (engine_ && !server_hostname_) {
    if (host.empty()) throw std::invalid_argument(missing);
    server_hostname_ = host;
  }
  check_server();
}

std::shared_ptr<TlsLayer> TlsRequest::make_layer(Loop& loop, std::shared_ptr<BaseProtocol> protocol, bool server_side,
                                                 Future<> handshake, bool call_connection_made) const {
  TlsSetup setup;
  setup.server_side = server_side;
  if (!server_side) setup.server_hostname = server_hostname_.value_or("");
  setup.handshake_timeout = handshake_timeout_;
  setup.shutdown_timeout = shutdown_timeout_;
  setup.handshake = std::move(handshake);
  setup.call_connection_made = call_connection_made;
  return engine_->make_layer(loop, std::move(protocol), std::move(setup));
}

Coro<std::shared_ptr<Transport>> start_tls(std::shared_ptr<Transport> transport, std::shared_ptr<BaseProtocol> protocol,
                                           TlsRequest request, bool server_side, std::string received,
                                           std::function<void(std::shared_ptr<Transport>)> begun) {
  if (!transport || !transport->can_start_tls()) {
    throw std::invalid_argument("transport " + (transport ? transport->repr() : "null") +
                                " is not supported by start_tls()");
  }
  Loop& loop = Loop::running();
  const Future<> handshake(loop);
  const std::shared_ptr<TlsLayer> layer = request.make_layer(loop, std::move(protocol), server_side, handshake, false);
  layer->feed(received);
  Handle made = loop.call_soon([layer, transport] { layer->connection_made(transport); });
  Handle resumed;
  try {
    resumed = loop.call_soon([transport] { transport->resume_reading(); });
  } catch (...) {  // no memory: it goes on as it was
    made.cancel();
    throw;
  }
  // Paused, so that nothing is received before the layer knows its transport.
  transport->pause_reading();
  transport->set_protocol(layer);
  if (begun) begun(layer->app_transport());
  try {
    co_await handshake;
  } catch (...) {
    layer->app_transport()->close();
    transport->close();
    made.cancel();
    resumed.cancel();
    throw;
  }
  co_return layer->app_transport();
}

Coro<std::shared_ptr<Transport>> start_tls(std::shared_ptr<Transport> transport, std::shared_ptr<BaseProtocol> protocol,
                                           TlsRequest request, bool server_side, std::string received) {
  return start_tls(std::move(transport), std::move(protocol), std::move(request), server_side, std::move(received),
                   nullptr);
}

}  // namespace detail

Coro<std::shared_ptr<Transport>> start_tls(std::shared_ptr<Transport> transport, std::shared_ptr<BaseProtocol> protocol,
                                           const TlsContext& context, StartTlsOptions options) {
  return detail::start_tls(std::move(transport), std::move(protocol), detail::TlsRequest(&context, options),
                           options.server_side);
}

}  // namespace asyncio

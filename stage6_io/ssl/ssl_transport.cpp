#include "asyncio/ssl/detail/ssl_transport.h"

#include "asyncio/ssl/detail/ssl_protocol.h"

#include <stdexcept>
#include <utility>

namespace asyncio::ssl::detail {

SSLTransport::SSLTransport(SSLProtocol& layer, std::shared_ptr<const SSLObject> ssl_object) noexcept
    : layer_(&layer), ssl_object_(std::move(ssl_object)) {}

// Keeps the layer alive during a call, which may end the connection.
void SSLTransport::close() {
  if (std::exchange(closed_, true) || !layer_) return;
  layer_->shared_from_this()->close();
}

void SSLTransport::abort() {
  closed_ = true;
  if (layer_) layer_->shared_from_this()->abort();
}

void SSLTransport::set_protocol(std::shared_ptr<BaseProtocol> protocol) {
  if (layer_) layer_->set_protocol(std::move(protocol));
}

std::shared_ptr<BaseProtocol> SSLTransport::get_protocol() const { return layer_ ? layer_->protocol() : nullptr; }

int SSLTransport::fileno() const noexcept { return layer_ && layer_->raw() ? layer_->raw()->fileno() : -1; }

std::string SSLTransport::repr() const {
  const std::string raw = layer_ && layer_->raw() ? layer_->raw()->repr() : "closed";
  return "<SSLTransport " + std::string(closed_ && layer_ ? "closing " : "") + "over " + raw + ">";
}

std::size_t SSLTransport::get_write_buffer_size() const noexcept { return layer_ ? layer_->unsent() : 0; }

WriteBufferLimits SSLTransport::get_write_buffer_limits() const noexcept {
  return layer_ ? layer_->limits() : WriteBufferLimits();
}

void SSLTransport::set_write_buffer_limits(WriteBufferLimits limits) {
  if (layer_) layer_->shared_from_this()->set_limits(limits);
}

bool SSLTransport::is_reading() const noexcept { return layer_ && !closed_ && layer_->is_reading(); }

void SSLTransport::pause_reading() {
  if (layer_) layer_->pause_reading();
}

void SSLTransport::resume_reading() {
  if (layer_) layer_->resume_reading();
}

void SSLTransport::write(std::string_view data) {
  if (layer_ && !data.empty()) layer_->shared_from_this()->write(data);
}

void SSLTransport::write_eof() { throw std::logic_error("write_eof() is not supported by TLS transports"); }

}  // namespace asyncio::ssl::detail

// The transport that a TLS connection gives to the protocol above. It forwards to SSLProtocol.
// Mirrors: Lib/asyncio/sslproto.py, _SSLProtocolTransport. Read next: ssl_protocol.h
#pragma once

#include <asyncio/ssl/ssl_object.h>
#include <asyncio/transports.h>

#include <memory>
#include <string>
#include <string_view>

namespace asyncio::ssl::detail {

class SSLProtocol;

/// The raw transport owns the SSLProtocol, which owns this transport and the protocol above. This transport owns
/// neither. Therefore all are freed when the raw transport goes, at the latest when its loop is closed.
class SSLTransport final : public Transport {
 public:
  SSLTransport(SSLProtocol& layer, std::shared_ptr<const SSLObject> ssl_object) noexcept;

  void close() override;
  bool is_closing() const noexcept override { return closed_; }
  void set_protocol(std::shared_ptr<BaseProtocol> protocol) override;
  std::shared_ptr<BaseProtocol> get_protocol() const override;
  Address sockname() const noexcept override { return sockname_; }
  Address peername() const noexcept override { return peername_; }
  int fileno() const noexcept override;
  std::string repr() const override;

  void abort() override;
  std::size_t get_write_buffer_size() const noexcept override;
  WriteBufferLimits get_write_buffer_limits() const noexcept override;
  void set_write_buffer_limits(WriteBufferLimits limits = {}) override;

  bool is_reading() const noexcept override;
  void pause_reading() override;
  void resume_reading() override;

  void write(std::string_view data) override;
  /// Throws std::logic_error: asyncio's TLS closes both halves at once.
  void write_eof() override;
  bool can_write_eof() const noexcept override { return false; }
  bool can_start_tls() const noexcept override { return true; }

  const std::shared_ptr<const SSLObject>& ssl_object() const noexcept { return ssl_object_; }

 private:
  friend SSLProtocol;

  SSLProtocol* layer_;  // null once the connection is lost
  std::shared_ptr<const SSLObject> ssl_object_;
  Address sockname_;
  Address peername_;
  bool closed_ = false;
};

}  // namespace asyncio::ssl::detail

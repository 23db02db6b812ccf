// The TLS layer alone, in memory: on a transport that only records, opposite a peer that is bare OpenSSL.
#pragma once

#include "stage6/ssl/bare_peer.h"
#include "stage6/ssl/tls_support.h"
#include "support/protocols.h"

#include <asyncio/tls.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::testing {

/// A raw transport that keeps what is written to it. Above `most` bytes it asks for a pause.
class RecordingTransport final : public Transport {
 public:
  void close() override { closed = true; }
  bool is_closing() const noexcept override { return closed || aborted; }
  void set_protocol(std::shared_ptr<BaseProtocol> protocol) override { protocol_ = std::move(protocol); }
  std::shared_ptr<BaseProtocol> get_protocol() const override { return protocol_; }
  int fileno() const noexcept override { return 77; }
  std::string repr() const override { return "<RecordingTransport>"; }
  void abort() override { aborted = true; }
  std::size_t get_write_buffer_size() const noexcept override { return unsent; }
  WriteBufferLimits get_write_buffer_limits() const noexcept override { return {65536, 16384}; }
  void set_write_buffer_limits(WriteBufferLimits) override {}
  bool is_reading() const noexcept override { return reading; }
  void pause_reading() override { reading = false; }
  void resume_reading() override { reading = true; }
  void write(std::string_view data) override {
    written += data;
    if (written.size() > most) protocol_->pause_writing();
  }
  void write_eof() override {}
  bool can_write_eof() const noexcept override { return true; }
  bool can_start_tls() const noexcept override { return true; }

  std::string written;
  std::size_t most = SIZE_MAX;
  std::size_t unsent = 0;
  bool closed = false;
  bool aborted = false;
  bool reading = true;

 private:
  std::shared_ptr<BaseProtocol> protocol_;
};

/// A client's or a server's layer, its raw transport and the protocol above; opposite a peer that is bare OpenSSL.
struct Layers {
  explicit Layers(bool connected = true, std::shared_ptr<BaseProtocol> above = nullptr, bool is_server = false,
                  int version = TLS1_3_VERSION)
      : Layers(connected, std::move(above), is_server, version, is_server ? server_context() : client_context()) {}
  Layers(bool connected, std::shared_ptr<BaseProtocol> above, bool is_server, int version, ssl::SSLContext with)
      : context(std::move(with)),
        peer(Socket(), is_server ? BarePeer::Side::client : BarePeer::Side::server, is_server ? nullptr : &localhost(),
             version) {
    asyncio::detail::TlsSetup setup;
    setup.server_side = is_server;
    if (!is_server) setup.server_hostname = "localhost";
    setup.handshake = handshake;
    if (!above) above = protocol;
    layer = context.engine()->make_layer(Loop::running(), above, std::move(setup));
    transport = layer->app_transport();
    raw->set_protocol(layer);
    if (connected) layer->connection_made(raw);
  }

  ~Layers() { raw->set_protocol(nullptr); }  // the two own each other

  void receive(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::span<char> room = layer->get_buffer(bytes.size());
      const std::size_t size = std::min(room.size(), bytes.size());
      std::copy_n(bytes.begin(), size, room.begin());
      bytes.remove_prefix(size);
      layer->buffer_updated(size);
    }
  }
  /// Carries bytes between the two until neither has any.
  void exchange() {
    for (;;) {
      const std::string to_peer = std::exchange(raw->written, std::string());
      if (!to_peer.empty()) BIO_write(SSL_get_rbio(peer.ssl()), to_peer.data(), static_cast<int>(to_peer.size()));
      if (!SSL_is_init_finished(peer.ssl())) SSL_do_handshake(peer.ssl());
      const std::string from_peer = peer.take_outgoing();
      if (to_peer.empty() && from_peer.empty()) return;
      receive(from_peer);
    }
  }
  /// Decrypts what the peer has got.
  std::string heard() {
    exchange();
    std::string all;
    char buffer[16384];
    std::size_t got = 0;
    while (SSL_read_ex(peer.ssl(), buffer, sizeof buffer, &got) == 1) all.append(buffer, got);
    return all;
  }

  ssl::SSLContext context;
  Future<> handshake = create_future();
  std::shared_ptr<LogProtocol> protocol = make<LogProtocol>();
  std::shared_ptr<RecordingTransport> raw = std::make_shared<RecordingTransport>();
  std::shared_ptr<asyncio::detail::TlsLayer> layer;
  std::shared_ptr<Transport> transport;
  BarePeer peer;
};

}  // namespace asyncio::testing

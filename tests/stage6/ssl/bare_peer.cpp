#include "stage6/ssl/bare_peer.h"

#include <asyncio/sleep.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace asyncio::testing {
namespace {

void check(bool ok, const char* what) {
  if (!ok)
    throw std::runtime_error(std::string("the bare peer: ") + what + ": " + ERR_reason_error_string(ERR_get_error()));
}

void use_identity(SSL_CTX* context, const Identity& identity) {
  BIO* certificate = BIO_new_mem_buf(identity.certificate.data(), static_cast<int>(identity.certificate.size()));
  BIO* key = BIO_new_mem_buf(identity.key.data(), static_cast<int>(identity.key.size()));
  X509* x509 = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
  EVP_PKEY* pkey = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
  const bool ok = SSL_CTX_use_certificate(context, x509) == 1 && SSL_CTX_use_PrivateKey(context, pkey) == 1;
  X509_free(x509);
  while (X509* next = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr)) SSL_CTX_add0_chain_cert(context, next);
  EVP_PKEY_free(pkey);
  BIO_free(certificate);
  BIO_free(key);
  check(ok, "certificate");
}

}  // namespace

BarePeer::BarePeer(Socket socket, Side side, const Identity* identity, int version)
    : context_(SSL_CTX_new(TLS_method())), socket_(std::move(socket)) {
  SSL_CTX_set_min_proto_version(context_.get(), version);
  SSL_CTX_set_max_proto_version(context_.get(), version);
  SSL_CTX_set_security_level(context_.get(), 0);
  if (identity) use_identity(context_.get(), *identity);
  ssl_.reset(SSL_new(context_.get()));
  side == Side::server ? SSL_set_accept_state(ssl()) : SSL_set_connect_state(ssl());
  BIO* incoming = BIO_new(BIO_s_mem());
  BIO* outgoing = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(incoming, -1);
  SSL_set_bio(ssl(), incoming, outgoing);
}

Coro<BarePeer> BarePeer::connect(int port, int version) {
  Socket socket = Socket::stream(AF_INET);
  co_await sock_connect(socket, *Address::numeric("127.0.0.1", port));
  co_return BarePeer(std::move(socket), Side::client, nullptr, version);
}

std::string BarePeer::take_outgoing() {
  char* data = nullptr;
  BIO* outgoing = SSL_get_wbio(ssl());
  const long size = BIO_get_mem_data(outgoing, &data);
  std::string bytes(data, static_cast<std::size_t>(size));
  BIO_reset(outgoing);
  return bytes;
}

Coro<> BarePeer::send_outgoing() {
  const std::string bytes = take_outgoing();
  for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size() - at)) {
    co_await sock_sendall(socket_, bytes.substr(at, piece));
    if (piece < bytes.size()) co_await sleep(std::chrono::seconds(0));
  }
}

Coro<bool> BarePeer::receive() {
  const std::string bytes = co_await sock_recv(socket_, 65536);
  if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl()), bytes.data(), static_cast<int>(bytes.size()));
  co_return !bytes.empty();
}

Coro<> BarePeer::handshake() {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl());
    const int error = SSL_get_error(ssl(), result);
    co_await send_outgoing();
    if (result == 1) co_return;
    check(error == SSL_ERROR_WANT_READ, "handshake");
    const bool more = co_await receive();
    check(more, "the end of the stream in the handshake");
  }
}

Coro<std::string> BarePeer::read(std::size_t size) {
  std::string data(size, '\0');
  for (;;) {
    ERR_clear_error();
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl(), data.data(), size, &got);
    const int error = SSL_get_error(ssl(), result);
    co_await send_outgoing();
    data.resize(got);
    if (result == 1 || error == SSL_ERROR_ZERO_RETURN) co_return data;
    check(error == SSL_ERROR_WANT_READ, "read");
    const bool more = co_await receive();
    if (!more) co_return data;
    data.resize(size);
  }
}

Coro<std::string> BarePeer::read_all() {
  std::string all;
  for (;;) {
    const std::string some = co_await read();
    if (some.empty()) co_return all;
    all += some;
  }
}

void BarePeer::encrypt(std::string_view data) {
  ERR_clear_error();
  std::size_t written = 0;
  check(SSL_write_ex(ssl(), data.data(), data.size(), &written) == 1, "write");
}

Coro<> BarePeer::write(std::string data) {
  encrypt(data);
  co_await send_outgoing();
}

Coro<> BarePeer::shutdown() {
  ERR_clear_error();
  SSL_shutdown(ssl());
  co_await send_outgoing();
}

}  // namespace asyncio::testing

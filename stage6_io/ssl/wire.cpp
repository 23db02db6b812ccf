#include "asyncio/ssl/detail/wire.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

namespace asyncio::ssl::detail {
namespace {

Wire& wire_of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

int read_from(BIO* bio, char* buffer, std::size_t size, std::size_t* count) {
  BIO_clear_retry_flags(bio);
  auto& incoming = wire_of(bio).incoming;
  if (incoming.empty()) {
    BIO_set_retry_read(bio);
    return 0;
  }
  *count = std::min(size, incoming.size());
  std::memcpy(buffer, incoming.view().data(), *count);
  incoming.drop(*count);
  return 1;
}

int write_to(BIO* bio, const char* data, std::size_t size, std::size_t* count) {
  BIO_clear_retry_flags(bio);
  Wire& wire = wire_of(bio);
  try {
    if (const std::size_t expected = std::exchange(wire.expected, 0); wire.outgoing.empty()) {
      wire.outgoing.reserve(expected);
    }
    wire.outgoing.append(std::string_view(data, size));
  } catch (...) {
    wire.failure = std::current_exception();
    return 0;
  }
  *count = size;
  return 1;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "asyncio::ssl");
  if (!method) throw std::bad_alloc();
  BIO_meth_set_read_ex(method, read_from);
  BIO_meth_set_write_ex(method, write_to);
  BIO_meth_set_ctrl(method, control);
  return method;
}

}  // namespace

void Wire::attach(ssl_st* ssl) {
  static BIO_METHOD* const method = make_method();
  BIO* bio = BIO_new(method);
  if (!bio) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
}

}  // namespace asyncio::ssl::detail

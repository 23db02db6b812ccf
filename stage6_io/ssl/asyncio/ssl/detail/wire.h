// Two buffers in memory that OpenSSL reads from and writes to. Therefore TLS works on any transport.
// Mirrors: ssl.MemoryBIO. Read next: ssl_protocol.h
#pragma once

#include <asyncio/detail/byte_buffer.h>
#include <asyncio/ssl/detail/openssl.h>

#include <cstddef>
#include <exception>

namespace asyncio::ssl::detail {

/// OpenSSL's BIO_s_mem has two drawbacks: each read copies the remaining bytes, and by default "empty" means the end of
/// the stream.
class Wire {
 public:
  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// `ssl` then reads from incoming ("try again" if it is empty) and writes to outgoing.
  /// REQUIRES: *this outlives `ssl`'s last use. Throws std::bad_alloc.
  void attach(ssl_st* ssl);

  asyncio::detail::ByteBuffer incoming;
  asyncio::detail::ByteBuffer outgoing;
  // So many bytes come at once: outgoing makes room for all of them. If it grew by the record, what it leaves behind
  // would make glibc give the top of the heap back to the kernel and take it again: in a third of the runs 256 KiB took
  // six times as long.
  std::size_t expected = 0;
  std::exception_ptr failure;  // what adding to outgoing has thrown: OpenSSL only knows that its write failed
};

}  // namespace asyncio::ssl::detail

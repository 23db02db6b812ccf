// ClientResponse: a status, headers, and a body that may still be arriving.
// Mirrors: aiohttp's ClientResponse. Read next: errors.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/http/detail/transfer.h>
#include <asyncio/http/errors.h>

#include <string>
#include <utility>

namespace asyncio::http {

/// A handle; copies share one response. If the last copy goes before the whole body has arrived, its connection is
/// closed; otherwise the session reuses the connection. [async with session.get(…) as response]
class ClientResponse {
 public:
  /// The status code: 200, 404 …
  int status() const noexcept { return transfer_->status(); }
  /// Whether the status is below 400.
  bool ok() const noexcept { return status() < 400; }
  /// "Not Found"; "" over HTTP/2, which has no reasons.
  const std::string& reason() const noexcept { return transfer_->reason(); }
  /// The fields of the head.
  const Headers& headers() const noexcept { return transfer_->headers(); }
  /// The URL after redirects, without name and password.
  const std::string& url() const noexcept { return transfer_->url(); }
  /// Throws ClientResponseError unless ok().
  void raise_for_status() const;

  /// The body as it arrives, with its Content-Encoding undone: `co_await response.content().readline()`.
  StreamReader content() const { return transfer_->content(); }
  /// The bytes that have arrived, at least 1; "" at the end. Throws ClientPayloadError if it breaks off, TimeoutError.
  Coro<std::string> read_chunk() const { return read_chunk(transfer_); }

  /// The whole body. A second call returns it again. Throws as read_chunk().
  Coro<std::string> read() const { return read(transfer_); }
  /// As read(). The bytes are not converted, whatever charset the server names (nearly always UTF-8).
  Coro<std::string> text() const { return read(transfer_); }

  /// Receives no more of the body. Reading then throws ClientConnectionError.
  void close() const;

  // ── for the library ──
  explicit ClientResponse(detail::Ref<detail::Transfer> transfer) noexcept : transfer_(std::move(transfer)) {}

 private:
  static Coro<std::string> read_chunk(detail::Ref<detail::Transfer> transfer);
  static Coro<std::string> read(detail::Ref<detail::Transfer> transfer);

  detail::Ref<detail::Transfer> transfer_;
};

}  // namespace asyncio::http

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the task does not suspend for bytes that have arrived; else it runs in the tick after the one in which they
//   come.
// Errors: ClientPayloadError and other ClientErrors; TimeoutError.
// Units: status() is HTTP's number.

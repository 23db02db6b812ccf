// ClientResponse: a status and headers, and a body that may still be on its way.
// Mirrors: aiohttp's ClientResponse. Read next: client_session.h
#pragma once

#include <asyncio/coro.h>
#include <asyncio/http/detail/transfer.h>
#include <asyncio/http/errors.h>

#include <string>
#include <utility>

namespace asyncio::http {

/// A handle; copies speak of the same response. When the last one goes before the body has come whole, its connection
/// is closed; otherwise the session keeps that for the next request. [async with session.get(…) as response]
class ClientResponse {
 public:
  int status() const noexcept { return transfer_->status(); }
  bool ok() const noexcept { return status() < 400; }
  /// "Not Found"; "" over HTTP/2, which does without.
  const std::string& reason() const noexcept { return transfer_->reason(); }
  const Headers& headers() const noexcept { return transfer_->headers(); }
  /// Where it came from, after redirects; without name and password.
  const std::string& url() const noexcept { return transfer_->url(); }
  /// Throws ClientResponseError from 400 on.
  void raise_for_status() const;

  /// The body as it comes, with its Content-Encoding undone: `co_await response.content().readline()`, or …
  StreamReader content() const { return transfer_->content(); }
  /// … from one byte to as many as have come; "" at the end. Throws ClientPayloadError if it breaks off, TimeoutError.
  Coro<std::string> read_chunk() const { return read_chunk(transfer_); }

  /// All of it. It is kept: a second call gives the same again. Throws as read_chunk().
  Coro<std::string> read() const { return read(transfer_); }
  /// The same; the bytes are not converted, whatever charset the server speaks of (UTF-8, nearly always).
  Coro<std::string> text() const { return read(transfer_); }

  /// Wants no more of it: what is still on its way is not received. Who reads then gets a ClientConnectionError.
  void close() const;

  // ── for the library ──
  explicit ClientResponse(detail::Ref<detail::Transfer> transfer) noexcept : transfer_(std::move(transfer)) {}

 private:
  static Coro<std::string> read_chunk(detail::Ref<detail::Transfer> transfer);
  static Coro<std::string> read(detail::Ref<detail::Transfer> transfer);

  detail::Ref<detail::Transfer> transfer_;
};

}  // namespace asyncio::http

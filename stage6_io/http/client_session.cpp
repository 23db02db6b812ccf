#include "asyncio/http/client_session.h"

#include <stdexcept>

namespace asyncio::http {

using asyncio::detail::adopt;
using detail::Multi;
using detail::Ref;
using detail::Transfer;

// ── the session ─────────────────────────────────────────────────────────────────────────────────────────────────────

ClientSession::ClientSession(Loop& loop, SessionOptions options) : multi_(new Multi(loop, options), adopt) {}

ClientSession::~ClientSession() { close(); }

// An exception at the await, such as CancelledError, releases the transfer and so ends it. A cancel needs no more code.
Coro<ClientResponse> ClientSession::request(Ref<Multi> multi, std::string method, std::string url,
                                            RequestOptions options) {
  if (!multi || multi->closed()) throw std::runtime_error("Session is closed");
  if (!multi->open_loop()) throw std::runtime_error("Event loop is closed");
  const Ref<Transfer> transfer(new Transfer(multi, std::move(method), url, std::move(options)), adopt);
  transfer->start();
  co_await transfer->head().wait();
  transfer->throw_if_failed();
  co_return ClientResponse(transfer);
}

Coro<ClientResponse> request(std::string method, std::string url, RequestOptions options) {
  // The response keeps the transfer alive, and the transfer keeps the Multi.
  const Ref<Multi> multi(new Multi(Loop::running(), SessionOptions()), adopt);
  ClientResponse response =
      co_await ClientSession::request(multi, std::move(method), std::move(url), std::move(options));
  co_return response;
}

// ── the response ────────────────────────────────────────────────────────────────────────────────────────────────────

void ClientResponse::raise_for_status() const {
  if (!ok()) throw ClientResponseError(status(), reason(), url());
}

void ClientResponse::close() const {
  transfer_->fail(detail::exception_with<ClientConnectionError>("Connection closed"));
}

Coro<std::string> ClientResponse::read_chunk(Ref<Transfer> transfer) {
  const StreamReader content = transfer->content();
  std::string chunk = co_await content.read(1 << 30);
  co_return chunk;
}

Coro<std::string> ClientResponse::read(Ref<Transfer> transfer) {
  if (!transfer->body()) {
    const ClientResponse response(transfer);
    try {
      const StreamReader content = transfer->content();
      std::string all = co_await content.read();
      transfer->body() = std::make_unique<const std::string>(std::move(all));
    } catch (...) {
      response.close();  // the bytes read are lost, so the rest is useless
      throw;
    }
  }
  co_return *transfer->body();
}

}  // namespace asyncio::http

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

// A CancelledError at the await, or anything else, destroys the transfer on its way out: that is the whole of cancelling.
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
  // The response keeps the transfer, and the transfer this.
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
  transfer_->fail(std::make_exception_ptr(ClientConnectionError("Connection closed")));
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
      response.close();  // what was read is lost, and the rest is of no use
      throw;
    }
  }
  co_return *transfer->body();
}

}  // namespace asyncio::http

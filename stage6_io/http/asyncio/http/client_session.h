// ClientSession: HTTP requests by libcurl, on our loop. It needs libcurl, so it has a target of its own: asyncio::http.
// Mirrors: aiohttp's ClientSession. Read next: request_options.h
#pragma once

#include <asyncio/http/client_response.h>
#include <asyncio/http/request_options.h>

#include <string>
#include <utility>
#include <vector>

namespace asyncio::http {

/// Keeps connections and cookies from one request to the next. Belongs to one loop and its thread.
///
/// A request is a coroutine that returns a response as soon as its status and headers have arrived. Cancelling it ends
/// its transfer; the session stays usable. All requests throw: InvalidURL, ClientConnectionError and other
/// ClientErrors; TimeoutError; std::runtime_error("Session is closed"), ("Event loop is closed").
class ClientSession {
 public:
  /// On the running loop. Throws std::runtime_error("no running event loop"), ClientError; std::logic_error if the
  /// loop's core cannot watch descriptors.
  explicit ClientSession(SessionOptions options = SessionOptions()) : ClientSession(Loop::running(), options) {}
  explicit ClientSession(Loop& loop, SessionOptions options = SessionOptions());
  ClientSession(ClientSession&&) noexcept = default;
  /// Closes the session that it held.
  ClientSession& operator=(ClientSession&& other) noexcept {
    ClientSession old(std::move(other));
    std::swap(multi_, old.multi_);
    return *this;
  }
  /// Closes the session.
  ~ClientSession();

  /// `auto response = co_await session.get("http://httpbin.org/get", RequestOptions().param("a", "1"));`
  Coro<ClientResponse> get(std::string url, RequestOptions options = RequestOptions()) const {
    return request("GET", std::move(url), std::move(options));
  }
  /// The same with POST.
  Coro<ClientResponse> post(std::string url, RequestOptions options = RequestOptions()) const {
    return request("POST", std::move(url), std::move(options));
  }
  /// Any other method: "PUT", "DELETE", "HEAD" … A redirect repeats it, with its body; but POST becomes GET, unless the
  /// status is 307 or 308.
  Coro<ClientResponse> request(std::string method, std::string url, RequestOptions options = RequestOptions()) const {
    return request(multi_, std::move(method), std::move(url), std::move(options));
  }

  /// The cookies of all hosts.
  std::vector<Cookie> cookies() const { return multi_->cookies(); }
  /// Forgets them.
  void clear_cookies() const { multi_->clear_cookies(); }

  /// Closes its connections. Pending requests fail with ClientConnectionError("Session is closed"); a body that has
  /// arrived in full can still be read. May be called twice, and when the loop is closed.
  void close() const {
    if (multi_) multi_->close();
  }
  bool closed() const noexcept { return !multi_ || multi_->closed(); }

 private:
  friend Coro<ClientResponse> request(std::string method, std::string url, RequestOptions options);
  static Coro<ClientResponse> request(detail::Ref<detail::Multi> multi, std::string method, std::string url,
                                      RequestOptions options);

  detail::Ref<detail::Multi> multi_;
};

/// One request, without a session: `auto response = co_await http::request("GET", url);` [aiohttp.request]
Coro<ClientResponse> request(std::string method, std::string url, RequestOptions options = RequestOptions());

}  // namespace asyncio::http

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a request begins in the step that awaits it. The task runs in the tick after the one in which the head has
//   arrived.
// Errors: ClientError and what derives from it; TimeoutError; std::invalid_argument for a method that is none;
//   std::runtime_error once the session or the loop is closed.
// Units: none.

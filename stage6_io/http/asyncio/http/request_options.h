// What can be said of one request, and of all requests of a session.
// Mirrors: the keyword arguments of aiohttp's ClientSession and its request(). Read next: client_response.h
#pragma once

#include <asyncio/http/headers.h>
#include <asyncio/time.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http {

/// `RequestOptions().param("a", "1").timeout(5s)`: each call gives the object back, for the next one.
class RequestOptions {
 public:
  RequestOptions() = default;

  /// "?a=1", behind what the URL has already; percent-encoded as needed.
  RequestOptions& param(std::string_view name, std::string_view value);
  /// Goes before a header of the session of that name. Throws std::invalid_argument if the name is no token, or the
  /// value has a line break in it: it would be the next header, or worse.
  RequestOptions& header(std::string_view name, std::string_view value);

  /// The body. A header Content-Type of one's own goes before the one implied here.
  RequestOptions& data(std::string bytes, std::string_view content_type = "application/octet-stream");
  /// One field of a form: "a=1&b=2", application/x-www-form-urlencoded.
  RequestOptions& form(std::string_view name, std::string_view value);
  /// A text that is JSON already.
  RequestOptions& json(std::string text) { return data(std::move(text), "application/json"); }

  /// For all of it, from the beginning to the last byte of the body; then TimeoutError. In whole milliseconds, at least
  /// one. nullopt: no limit. [ClientTimeout.total]
  template <AnyDuration D>
  RequestOptions& timeout(D limit) {
    total_timeout = to_duration(limit);
    return *this;
  }
  RequestOptions& timeout(std::nullopt_t) {
    total_timeout = Duration::max();
    return *this;
  }
  /// Until there is a connection. [ClientTimeout.connect]
  template <AnyDuration D>
  RequestOptions& connect_timeout(D limit) {
    connecting_timeout = to_duration(limit);
    return *this;
  }

  /// false: a redirect is an answer like any other.
  RequestOptions& allow_redirects(bool on) {
    redirects_allowed = on;
    return *this;
  }
  /// More than that (10 unless told otherwise): TooManyRedirects.
  RequestOptions& max_redirects(int most) {
    redirects_at_most = most;
    return *this;
  }

  /// Whatever else libcurl can do: `setup` is called with the CURL* of the request, last, and sets options of its own.
  /// The callbacks, CURLOPT_PRIVATE and CURLOPT_SHARE are ours. It must not throw.
  RequestOptions& easy_setup(std::function<void(void*)> setup) {
    setup_easy = std::move(setup);
    return *this;
  }

  // ── for the library ──
  std::string query;  // encoded: "a=1&b=2"
  Headers headers;
  std::optional<std::string> body;
  std::string content_type;
  std::optional<Duration> total_timeout;  // Duration::max(): none; nullopt: the session's
  std::optional<Duration> connecting_timeout;
  bool redirects_allowed = true;
  int redirects_at_most = 10;
  std::function<void(void*)> setup_easy;
};

/// `ClientSession session(SessionOptions().limit(3).timeout(10s));`
class SessionOptions {
 public:
  SessionOptions() = default;

  /// Sent with each request. Throws as RequestOptions::header().
  SessionOptions& header(std::string_view name, std::string_view value);
  /// For each request that does not say otherwise; five minutes, as in aiohttp.
  template <AnyDuration D>
  SessionOptions& timeout(D limit) {
    total_timeout = to_duration(limit);
    return *this;
  }
  /// Connections at once, in all and to one host (0: as many as it takes); a request that finds none waits its turn.
  /// [TCPConnector(limit=100, limit_per_host=0)]
  SessionOptions& limit(int connections) {
    connections_at_most = connections;
    return *this;
  }
  SessionOptions& limit_per_host(int connections) {
    connections_per_host = connections;
    return *this;
  }
  /// Of a body that nobody reads, up to twice this is kept; then the server has to wait. [read_bufsize]
  SessionOptions& read_bufsize(std::size_t bytes) {
    buffer_size = bytes;
    return *this;
  }
  /// TLS: trust what this file (PEM) vouches for, in place of the system's certificates; or trust anybody.
  SessionOptions& ca_file(std::string path) {
    certificates = std::move(path);
    return *this;
  }
  SessionOptions& verify(bool on) {
    verify_peer = on;
    return *this;
  }
  /// Heed http_proxy, https_proxy, no_proxy … in the environment. [trust_env]
  SessionOptions& trust_env(bool on) {
    heed_environment = on;
    return *this;
  }

  // ── for the library ──
  Headers headers;
  Duration total_timeout = std::chrono::minutes(5);
  int connections_at_most = 100;
  int connections_per_host = 0;
  std::size_t buffer_size = 64 * 1024;
  std::string certificates;
  bool verify_peer = true;
  bool heed_environment = false;
};

namespace detail {
/// Everything but letters, digits and "-._~" becomes %XX: safe in a query, and in a form.
std::string percent_encode(std::string_view text);
/// Throws std::invalid_argument unless the name is a token, as RFC 9110 has it, and the value one line.
void check_header(std::string_view name, std::string_view value);
bool is_token(std::string_view text) noexcept;
}  // namespace detail

}  // namespace asyncio::http

// RequestOptions: the options of one request. SessionOptions: those of a session.
// Mirrors: the keyword arguments of aiohttp's ClientSession and its request(). Read next: headers.h
#pragma once

#include <asyncio/http/headers.h>
#include <asyncio/time.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http {

namespace detail {
class Multi;
class Transfer;
}  // namespace detail

/// `RequestOptions().param("a", "1").timeout(5s)`: each call returns the object, for the next call.
class RequestOptions {
 public:
  RequestOptions() = default;

  /// Appends "?a=1" or "&a=1" to the URL; percent-encoded as needed.
  RequestOptions& param(std::string_view name, std::string_view value);
  /// Overrides the session's header of that name. Throws std::invalid_argument if the name is not a token, or the
  /// value contains a line break: the server would read the rest as another header.
  RequestOptions& header(std::string_view name, std::string_view value);

  /// The body. A Content-Type set by header() takes precedence over this one. Throws as header() does.
  RequestOptions& data(std::string bytes, std::string_view content_type = "application/octet-stream");
  /// Adds one field of a form: "a=1&b=2", application/x-www-form-urlencoded.
  RequestOptions& form(std::string_view name, std::string_view value);
  /// `text` is JSON already.
  RequestOptions& json(std::string text) { return data(std::move(text), "application/json"); }

  /// The limit from the start to the last byte of the body; then TimeoutError. Rounded up to whole milliseconds, at
  /// least one. nullopt: no limit. [ClientTimeout.total]
  template <AnyDuration D>
  RequestOptions& timeout(D limit) {
    total_timeout_ = to_duration(limit);
    return *this;
  }
  RequestOptions& timeout(std::nullopt_t) {
    total_timeout_ = Duration::max();
    return *this;
  }
  /// The limit for connecting. [ClientTimeout.connect]
  template <AnyDuration D>
  RequestOptions& connect_timeout(D limit) {
    connecting_timeout_ = to_duration(limit);
    return *this;
  }

  /// true: follows 301, 302, 303, 307 and 308, as Fetch does. The first three turn POST into GET, and 303 every method
  /// but HEAD; the body and its headers are then dropped. So are, as soon as a redirect leads to another origin, user
  /// and password, Authorization, Proxy-Authorization and Cookie; not the cookies that the session keeps.
  /// false: a redirect is an ordinary answer.
  RequestOptions& allow_redirects(bool on) {
    redirects_allowed_ = on;
    return *this;
  }
  /// More redirects than this (default: 10): TooManyRedirects.
  RequestOptions& max_redirects(int most) {
    redirects_at_most_ = most;
    return *this;
  }

  /// For libcurl's other options: `setup` is called with the request's CURL*, after all other options are set. It must
  /// not throw, nor set callbacks, CURLOPT_PRIVATE or CURLOPT_SHARE.
  RequestOptions& easy_setup(std::function<void(void*)> setup) {
    setup_easy_ = std::move(setup);
    return *this;
  }

 private:
  friend class detail::Transfer;

  std::string query_;  // encoded: "a=1&b=2"
  Headers headers_;
  std::optional<std::string> body_;
  std::string content_type_;
  std::optional<Duration> total_timeout_;  // Duration::max(): none; nullopt: the session's
  std::optional<Duration> connecting_timeout_;
  bool redirects_allowed_ = true;
  int redirects_at_most_ = 10;
  std::function<void(void*)> setup_easy_;
};

/// `ClientSession session(SessionOptions().limit(3).timeout(10s));`
class SessionOptions {
 public:
  SessionOptions() = default;

  /// Sent with each request. Throws as RequestOptions::header().
  SessionOptions& header(std::string_view name, std::string_view value);
  /// The default of RequestOptions::timeout(): five minutes, as in aiohttp.
  template <AnyDuration D>
  SessionOptions& timeout(D limit) {
    total_timeout_ = to_duration(limit);
    return *this;
  }
  /// Simultaneous connections, in total and to one host (0: no limit). A request beyond the limit waits.
  /// [TCPConnector(limit=100, limit_per_host=0)]
  SessionOptions& limit(int connections) {
    connections_at_most_ = connections;
    return *this;
  }
  SessionOptions& limit_per_host(int connections) {
    connections_per_host_ = connections;
    return *this;
  }
  /// Buffers up to twice this many bytes of an unread body; then the server has to wait. [read_bufsize]
  SessionOptions& read_bufsize(std::size_t bytes) {
    buffer_size_ = bytes;
    return *this;
  }
  /// TLS: trusts the certificates in this PEM file instead of the system's.
  SessionOptions& ca_file(std::string path) {
    certificates_ = std::move(path);
    return *this;
  }
  /// TLS: false trusts any server.
  SessionOptions& verify(bool on) {
    verify_peer_ = on;
    return *this;
  }
  /// Heeds http_proxy, https_proxy, no_proxy … in the environment. [trust_env]
  SessionOptions& trust_env(bool on) {
    heed_environment_ = on;
    return *this;
  }

 private:
  friend class detail::Multi;
  friend class detail::Transfer;

  Headers headers_;
  Duration total_timeout_ = std::chrono::minutes(5);
  int connections_at_most_ = 100;
  int connections_per_host_ = 0;
  std::size_t buffer_size_ = 64 * 1024;
  std::string certificates_;
  bool verify_peer_ = true;
  bool heed_environment_ = false;
};

namespace detail {
/// Everything but letters, digits and "-._~" becomes %XX: safe in a query, and in a form.
std::string percent_encode(std::string_view text);
/// Throws std::invalid_argument unless the name is a token of RFC 9110 and the value is one line.
void check_header(std::string_view name, std::string_view value);
bool is_token(std::string_view text) noexcept;
}  // namespace detail

}  // namespace asyncio::http

// For the whole header, unless a name says otherwise:
// Threads: any thread; one object belongs to one thread at a time.
// Ticks: none: they count from the request on.
// Errors: std::invalid_argument for a header that cannot be, and for a duration that is not a number.
// Units: a time-out is any std::chrono duration, rounded up to milliseconds; limit() and max_redirects() are counts,
//   read_bufsize() is in bytes.

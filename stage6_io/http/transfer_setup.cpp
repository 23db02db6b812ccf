// Translates a request into libcurl's options.
#include "asyncio/http/detail/transfer.h"

#include "asyncio/http/errors.h"
#include "curl_support.h"
#include "url.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <memory>
#include <new>
#include <stdexcept>

namespace asyncio::http::detail {
namespace {

/// "/get?z=0#part" and "a=1": "/get?z=0&a=1#part"
std::string with_query(std::string url, const std::string& query) {
  if (query.empty()) return url;
  const std::size_t end = std::min(url.find('#'), url.size());
  const char separator = url.find('?') < end ? '&' : '?';
  return url.insert(end, separator + query);
}

/// At least 1, as 0 means "no limit" to libcurl; at most INT_MAX, libcurl's largest.
long to_milliseconds(Duration limit) {
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  return static_cast<long>(std::clamp<decltype(count)>(count, 1, INT_MAX));
}

}  // namespace

void Transfer::set_up() {
  set_callbacks();
  set_method_and_body();
  set_headers();
  set_limits();
  set_security();
  if (options_.setup_easy_) options_.setup_easy_(easy_);
}

// Name and password go into separate options: the URL also appears in messages.
void Transfer::set_url(const std::string& text) {
  Url url(with_query(text, options_.query_));
  const std::string user = url.get(CURLUPART_USER, CURLU_URLDECODE);
  const std::string password = url.get(CURLUPART_PASSWORD, CURLU_URLDECODE);
  if (!user.empty() || !password.empty()) {
    set_option(easy_, CURLOPT_USERNAME, user);
    set_option(easy_, CURLOPT_PASSWORD, password);
    url.remove_credentials();
  }
  url_ = url.get(CURLUPART_URL);
  set_option(easy_, CURLOPT_URL, url_);
}

void Transfer::set_callbacks() {
  set_option(easy_, CURLOPT_PRIVATE, this);
  set_option(easy_, CURLOPT_ERRORBUFFER, error_text_);
  set_option(easy_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set_option(easy_, CURLOPT_HEADERDATA, this);
  set_option(easy_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set_option(easy_, CURLOPT_WRITEDATA, this);
  set_option(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set_option(easy_, CURLOPT_NOSIGNAL, 1L);  // no SIGALRM: the program may have threads
#if LIBCURL_VERSION_NUM >= 0x075700
  set_option(easy_, CURLOPT_QUICK_EXIT,
             1L);  // a cancel does not wait for the thread that looks up a name
#endif
}

void Transfer::set_method_and_body() {
  if (!is_token(method_)) throw std::invalid_argument("not an HTTP method: '" + method_ + "'");
  if (method_ == "POST" || method_ == "PUT" || method_ == "PATCH") {
    if (!options_.body_) options_.body_.emplace();  // sends Content-Length: 0
  }
  if (options_.body_) {
    set_option(easy_, CURLOPT_POST, 1L);
    set_option(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(options_.body_->size()));
    set_option(easy_, CURLOPT_POSTFIELDS, options_.body_->data());
  }
  if (method_ == "HEAD") {
    set_option(easy_, CURLOPT_NOBODY, 1L);
  } else if (method_ != (options_.body_ ? "POST" : "GET")) {
    set_option(easy_, CURLOPT_CUSTOMREQUEST, method_);
    set_option(easy_, CURLOPT_POSTREDIR, static_cast<long>(CURL_REDIR_POST_ALL));  // the method stays, so the body must
  }
}

void Transfer::HeaderList::add(const std::string& line) {
  curl_slist* const longer = curl_slist_append(list_, line.c_str());
  if (!longer) throw std::bad_alloc();
  list_ = longer;
}

Transfer::HeaderList::~HeaderList() { curl_slist_free_all(list_); }

namespace {
/// True for headers to drop together with the body. [Fetch: request-body-header name]
bool is_about_the_body(std::string_view name) {
  for (const std::string_view other :
       {"Content-Encoding", "Content-Language", "Content-Location", "Content-Type", "Content-Length"}) {
    if (same_name(name, other)) return true;
  }
  return false;
}
/// True for headers that only the original origin may see.
bool is_a_credential(std::string_view name) {
  return same_name(name, "Authorization") || same_name(name, "Cookie") || same_name(name, "Proxy-Authorization");
}

}  // namespace

void Transfer::set_headers() {
  Headers all = options_.headers_;
  for (const auto& [name, value] : multi_->options().headers_) {
    if (!options_.headers_.contains(name)) all.add(name, value);
  }
  if (options_.body_ && !options_.content_type_.empty() && !all.contains("Content-Type")) {
    all.add("Content-Type", options_.content_type_);
  }
  if (!all.contains("User-Agent")) {
    all.add("User-Agent", std::string("asyncio-stages libcurl/") + curl_version_info(CURLVERSION_NOW)->version);
  }
  HeaderList list;
  for (const auto& [name, value] : all) {
    if (became_get_ && is_about_the_body(name)) continue;
    if (left_origin_ && is_a_credential(name)) continue;
    list.add(value.empty() ? name + ";" : name + ": " + value);
  }
  // Without this, libcurl would declare a body of unknown type a form.
  if (options_.body_ && !became_get_ && !all.contains("Content-Type")) list.add("Content-Type:");
  if (options_.body_ && !all.contains("Expect"))
    list.add("Expect:");  // send a large body without waiting for 100 Continue
  set_option(easy_, CURLOPT_HTTPHEADER, list.get());
  header_list_.swap(list);
  if (!all.contains("Accept-Encoding"))
    set_option(easy_, CURLOPT_ACCEPT_ENCODING, "");  // every encoding that libcurl can decode
}

void Transfer::set_limits() {
  const Duration total = options_.total_timeout_.value_or(multi_->options().total_timeout_);
  if (total != Duration::max()) set_option(easy_, CURLOPT_TIMEOUT_MS, to_milliseconds(total));
  if (options_.connecting_timeout_) {
    set_option(easy_, CURLOPT_CONNECTTIMEOUT_MS, to_milliseconds(*options_.connecting_timeout_));
  }
  set_option(easy_, CURLOPT_MAXREDIRS, static_cast<long>(std::max(options_.redirects_at_most_, 0)));
#if LIBCURL_VERSION_NUM >= 0x075500
  set_option(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  set_option(easy_, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  set_option(easy_, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
  set_option(easy_, CURLOPT_REDIR_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

void Transfer::set_security() {
  const SessionOptions& session = multi_->options();
  set_option(easy_, CURLOPT_SHARE, multi_->share());
  set_option(easy_, CURLOPT_COOKIEFILE, "");  // enables cookies; reads no file
  if (!session.heed_environment_) set_option(easy_, CURLOPT_PROXY, "");
  if (!session.certificates_.empty()) set_option(easy_, CURLOPT_CAINFO, session.certificates_);
  if (!session.verify_peer_) {
    set_option(easy_, CURLOPT_SSL_VERIFYPEER, 0L);
    set_option(easy_, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

}  // namespace asyncio::http::detail

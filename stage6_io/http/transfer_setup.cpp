// How a request becomes options of libcurl.
#include "asyncio/http/detail/transfer.h"

#include "asyncio/http/errors.h"
#include "curl_support.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <memory>
#include <new>
#include <stdexcept>

namespace asyncio::http::detail {
namespace {

/// libcurl's parser of URLs.
class Url {
 public:
  explicit Url(std::string text) : text_(std::move(text)), parts_(curl_url()) {
    if (!parts_) throw std::bad_alloc();
    check(curl_url_set(parts_.get(), CURLUPART_URL, text_.c_str(), 0));
    const std::string scheme = get(CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") throw InvalidURL("not a URL of http or https: " + text_);
  }

  /// "" if there is no such part.
  std::string get(CURLUPart part, unsigned flags = 0) const {
    char* found = nullptr;
    if (curl_url_get(parts_.get(), part, &found, flags) != CURLUE_OK) return "";
    const std::unique_ptr<char, void (*)(void*)> freed_at_end(found, curl_free);
    return found;
  }
  void remove(CURLUPart part) { check(curl_url_set(parts_.get(), part, nullptr, 0)); }

 private:
  struct Free {
    void operator()(CURLU* parts) const { curl_url_cleanup(parts); }
  };
  void check(CURLUcode code) const {
    if (code == CURLUE_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code != CURLUE_OK) throw InvalidURL("not a URL: " + text_ + " (" + describe(code) + ")");
  }
  static std::string describe(CURLUcode code) {
#if LIBCURL_VERSION_NUM >= 0x075000
    return curl_url_strerror(code);
#else
    return "CURLUcode " + std::to_string(code);
#endif
  }

  std::string text_;
  std::unique_ptr<CURLU, Free> parts_;
};

/// "/get?z=0#part" and "a=1": "/get?z=0&a=1#part"
std::string with_query(std::string url, const std::string& query) {
  if (query.empty()) return url;
  const std::size_t end = std::min(url.find('#'), url.size());
  const char separator = url.find('?') < end ? '&' : '?';
  return url.insert(end, separator + query);
}

/// At least 1, for libcurl takes 0 as "no limit"; and no more than it can count.
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
  if (options_.setup_easy) options_.setup_easy(easy_);
}

// Name and password go into options of their own: the URL is for messages as well.
void Transfer::set_url(const std::string& text) {
  Url url(with_query(text, options_.query));
  const std::string user = url.get(CURLUPART_USER, CURLU_URLDECODE);
  const std::string password = url.get(CURLUPART_PASSWORD, CURLU_URLDECODE);
  if (!user.empty() || !password.empty()) {
    set_option(easy_, CURLOPT_USERNAME, user.c_str());
    set_option(easy_, CURLOPT_PASSWORD, password.c_str());
    url.remove(CURLUPART_USER);
    url.remove(CURLUPART_PASSWORD);
  }
  url_ = url.get(CURLUPART_URL);
  set_option(easy_, CURLOPT_URL, url_.c_str());
}

void Transfer::set_callbacks() {
  set_option(easy_, CURLOPT_PRIVATE, this);
  set_option(easy_, CURLOPT_ERRORBUFFER, error_text_);
  set_option(easy_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set_option(easy_, CURLOPT_HEADERDATA, this);
  set_option(easy_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set_option(easy_, CURLOPT_WRITEDATA, this);
  set_option(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set_option(easy_, CURLOPT_NOSIGNAL, 1L);  // no SIGALRM: a program has threads
#if LIBCURL_VERSION_NUM >= 0x075700
  set_option(easy_, CURLOPT_QUICK_EXIT,
             1L);  // cancelled while its thread looks a name up: does not wait for the thread
#endif
}

void Transfer::set_method_and_body() {
  if (!is_token(method_)) throw std::invalid_argument("not an HTTP method: '" + method_ + "'");
  if (method_ == "POST" || method_ == "PUT" || method_ == "PATCH") {
    if (!options_.body) options_.body.emplace();  // empty, and said so: Content-Length: 0
  }
  if (options_.body) {
    set_option(easy_, CURLOPT_POST, 1L);
    set_option(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(options_.body->size()));
    set_option(easy_, CURLOPT_POSTFIELDS, options_.body->data());
  }
  if (method_ == "HEAD") {
    set_option(easy_, CURLOPT_NOBODY, 1L);
  } else if (method_ != (options_.body ? "POST" : "GET")) {
    set_option(easy_, CURLOPT_CUSTOMREQUEST, method_.c_str());
    set_option(easy_, CURLOPT_POSTREDIR, static_cast<long>(CURL_REDIR_POST_ALL));  // the method stays, so the body must
  }
}

void Transfer::add_header(const std::string& line) {
  curl_slist* const list = curl_slist_append(header_list_, line.c_str());
  if (!list) throw std::bad_alloc();
  header_list_ = list;
}

void Transfer::set_headers() {
  Headers all = options_.headers;
  for (const auto& [name, value] : multi_->options().headers) {
    if (!options_.headers.contains(name)) all.add(name, value);
  }
  if (options_.body && !options_.content_type.empty() && !all.contains("Content-Type")) {
    all.add("Content-Type", options_.content_type);
  }
  if (!all.contains("User-Agent")) {
    all.add("User-Agent", std::string("asyncio-stages libcurl/") + curl_version_info(CURLVERSION_NOW)->version);
  }
  for (const auto& [name, value] : all) add_header(value.empty() ? name + ";" : name + ": " + value);
  if (options_.body && !all.contains("Expect")) add_header("Expect:");  // a big body goes out at once, without asking
  set_option(easy_, CURLOPT_HTTPHEADER, header_list_);
  if (!all.contains("Accept-Encoding")) set_option(easy_, CURLOPT_ACCEPT_ENCODING, "");  // all that libcurl can undo
}

void Transfer::set_limits() {
  const Duration total = options_.total_timeout.value_or(multi_->options().total_timeout);
  if (total != Duration::max()) set_option(easy_, CURLOPT_TIMEOUT_MS, to_milliseconds(total));
  if (options_.connecting_timeout) {
    set_option(easy_, CURLOPT_CONNECTTIMEOUT_MS, to_milliseconds(*options_.connecting_timeout));
  }
  set_option(easy_, CURLOPT_FOLLOWLOCATION, options_.redirects_allowed ? 1L : 0L);
  set_option(easy_, CURLOPT_MAXREDIRS, static_cast<long>(std::max(options_.redirects_at_most, 0)));
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
  set_option(easy_, CURLOPT_COOKIEFILE, "");  // no file, but cookies
  if (!session.heed_environment) set_option(easy_, CURLOPT_PROXY, "");
  if (!session.certificates.empty()) set_option(easy_, CURLOPT_CAINFO, session.certificates.c_str());
  if (!session.verify_peer) {
    set_option(easy_, CURLOPT_SSL_VERIFYPEER, 0L);
    set_option(easy_, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

}  // namespace asyncio::http::detail

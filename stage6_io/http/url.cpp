#include "url.h"

#include "asyncio/http/errors.h"
#include "asyncio/http/headers.h"

#include <algorithm>
#include <new>
#include <utility>

namespace asyncio::http::detail {
namespace {

// It is no URL, so that a password may stand anywhere before an '@'.
std::string without_credentials(const std::string& text) {
  const std::size_t at = text.rfind('@');
  if (at == text.npos) return text;
  const std::size_t slashes = text.find("//");
  return text.substr(0, slashes < at ? slashes + 2 : 0) + text.substr(at + 1);
}

}  // namespace

Url::Url(std::string text) : text_(std::move(text)), parts_(curl_url()) {
  if (!parts_) throw std::bad_alloc();
  set(text_, 0);
}

void Url::set(const std::string& text, unsigned flags) {
  text_ = text;
  if (text.find('\0') != text.npos) throw InvalidURL("not a URL: there is a NUL in it");
  check(curl_url_set(parts_.get(), CURLUPART_URL, text.c_str(), flags));
  const std::string scheme = get(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    throw InvalidURL("not a URL of http or https: " + without_credentials(text));
  }
  if (hides_its_host(text)) throw InvalidURL("not a URL: " + without_credentials(text) + " (No host part in the URL)");
}

Url Url::joined(const std::string& location) const {
  unsigned flags = CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME;  // as libcurl itself joins them
#if LIBCURL_VERSION_NUM >= 0x074e00
  flags |= CURLU_ALLOW_SPACE;
#endif
  Url other(get(CURLUPART_URL));
  other.set(location, flags);
  return other;
}

std::string Url::get(CURLUPart part, unsigned flags) const {
  char* found = nullptr;
  const CURLUcode code = curl_url_get(parts_.get(), part, &found, flags);
  if (code == CURLUE_OUT_OF_MEMORY || code == CURLUE_URLDECODE) check(code);  // "%00" in name or password
  if (code != CURLUE_OK) return "";
  const std::unique_ptr<char, void (*)(void*)> freed_at_end(found, curl_free);
  return found;
}

void Url::remove_credentials() {
  for (const CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS}) {
    check(curl_url_set(parts_.get(), part, nullptr, 0));
  }
}

void Url::check(CURLUcode code) const {
  if (code == CURLUE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code == CURLUE_OK) return;
#if LIBCURL_VERSION_NUM >= 0x075000
  const std::string why = curl_url_strerror(code);
#else
  const std::string why = "CURLUcode " + std::to_string(code);
#endif
  throw InvalidURL("not a URL: " + without_credentials(text_) + " (" + why + ")");
}

bool hides_its_host(std::string_view text) {
  const std::size_t colon = text.find(':');
  const bool relative = colon == text.npos || text.find_first_of("/?#") < colon;
  if (!relative && !same_name(text.substr(0, colon), "http") && !same_name(text.substr(0, colon), "https"))
    return false;
  const std::string_view rest = text.substr(relative ? 0 : colon + 1);
  const std::size_t slashes = std::min(rest.find_first_not_of('/'), rest.size());
  return slashes > 2 || (slashes == 1 && !relative);
}

bool same_origin(const Url& a, const Url& b) {
  return a.get(CURLUPART_SCHEME) == b.get(CURLUPART_SCHEME) &&
         same_name(a.get(CURLUPART_HOST), b.get(CURLUPART_HOST)) &&
         a.get(CURLUPART_PORT, CURLU_DEFAULT_PORT) == b.get(CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

}  // namespace asyncio::http::detail

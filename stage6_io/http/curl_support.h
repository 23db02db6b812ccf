// What our .cpp files share in speaking to libcurl. Not for users: the public headers do without <curl/curl.h>.
#pragma once

#include "asyncio/http/errors.h"

#include <curl/curl.h>

#include <new>
#include <string>
#include <type_traits>

namespace asyncio::http::detail {

/// curl_easy_setopt(), which takes anything through its "…" and reads a long where it needs one.
template <class T>
void set_option(void* easy, CURLoption option, T value) {
  static_assert(std::is_same_v<T, long> || std::is_same_v<T, curl_off_t> || std::is_pointer_v<T>,
                "libcurl's options are long, curl_off_t, or pointers");
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code != CURLE_OK) throw ClientError(std::string("curl_easy_setopt: ") + curl_easy_strerror(code), code);
}

template <class T>
void set_option(void* multi, CURLMoption option, T value) {
  const CURLMcode code = curl_multi_setopt(multi, option, value);
  if (code != CURLM_OK) throw ClientError(std::string("curl_multi_setopt: ") + curl_multi_strerror(code));
}

template <class T>
T get_info(void* easy, CURLINFO info) {
  T value = {};
  curl_easy_getinfo(easy, info, &value);
  return value;
}

}  // namespace asyncio::http::detail

// Wrappers of libcurl's functions for our .cpp files. Not for users: no public header includes <curl/curl.h>.
#pragma once

#include "asyncio/http/errors.h"

#include <asyncio/detail/c_string.h>
#include <curl/curl.h>

#include <new>
#include <string>
#include <type_traits>

namespace asyncio::http::detail {

/// curl_easy_setopt() is variadic: an int in place of a long would compile. This function refuses it.
template <class T>
void set_option(void* easy, CURLoption option, T value) {
  static_assert(std::is_same_v<T, long> || std::is_same_v<T, curl_off_t> || std::is_pointer_v<T>,
                "libcurl's options are long, curl_off_t, or pointers");
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code != CURLE_OK) throw ClientError(std::string("curl_easy_setopt: ") + curl_easy_strerror(code), code);
}

/// Throws if the text contains '\0': libcurl would drop the rest.
inline void set_option(void* easy, CURLoption option, const std::string& text) {
  asyncio::detail::check_c_string(text);
  set_option(easy, option, text.c_str());
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

// From libcurl's error codes to our exceptions. Read next: ../../../errors.cpp
#pragma once

#include <exception>
#include <new>
#include <string>

namespace asyncio::http::detail {

/// How far a request got before it failed. One libcurl code can mean a wrong URL before the request is sent, and a
/// wrong server after the answer began.
enum class Progress { not_sent, sent, head_arrived };

/// The exception E with these texts, or without memory for it std::bad_alloc.
template <class E>
std::exception_ptr exception_with(const char* text, const char* more = "") noexcept {
  try {
    return std::make_exception_ptr(E(std::string(text) + more));
  } catch (const std::bad_alloc&) {
    return std::current_exception();
  }
}

/// The exception for a CURLcode other than CURLE_OK; `what` begins its message.
std::exception_ptr exception_of(int code, Progress progress, const std::string& what);

}  // namespace asyncio::http::detail

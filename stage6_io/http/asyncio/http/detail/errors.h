// From libcurl's error codes to our exceptions. Read next: ../../../errors.cpp
#pragma once

#include <exception>
#include <string>

namespace asyncio::http::detail {

/// How far a request got before it failed. One libcurl code can mean a wrong URL before the request is sent, and a
/// wrong server after the answer began.
enum class Progress { not_sent, sent, head_arrived };

/// The exception for a CURLcode other than CURLE_OK; `what` begins its message.
std::exception_ptr exception_of(int code, Progress progress, const std::string& what);

}  // namespace asyncio::http::detail

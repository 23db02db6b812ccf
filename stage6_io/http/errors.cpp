#include "asyncio/http/errors.h"

#include "asyncio/http/detail/errors.h"

#include <asyncio/timeouts.h>
#include <curl/curl.h>

#include <new>

namespace asyncio::http::detail {
namespace {

// The server's answer is not HTTP, or incomplete.
std::exception_ptr bad_answer(int code, Progress progress, const std::string& what) {
  if (progress == Progress::head_arrived) return std::make_exception_ptr(ClientPayloadError(what, code));
  return std::make_exception_ptr(ClientConnectionError(what, code));
}

}  // namespace

std::exception_ptr exception_of(int code, Progress progress, const std::string& what) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return std::make_exception_ptr(TimeoutError(what));
    case CURLE_TOO_MANY_REDIRECTS:
      return std::make_exception_ptr(TooManyRedirects(what, code));
    case CURLE_OUT_OF_MEMORY:  // before 8.6, libcurl also reports a header line that is too long as this
      if (progress == Progress::not_sent) return std::make_exception_ptr(std::bad_alloc());
      return bad_answer(code, progress, what + ", or a line of the answer's head is too long");
    case CURLE_UNSUPPORTED_PROTOCOL:  // in the URL or in a redirect; or the answer is not HTTP
    case CURLE_URL_MALFORMAT:
      if (progress == Progress::not_sent) return std::make_exception_ptr(InvalidURL(what, code));
      return bad_answer(code, progress, what);
    case CURLE_BAD_CONTENT_ENCODING:
      return std::make_exception_ptr(ClientPayloadError(what, code));
    case CURLE_FAILED_INIT:  // from here on: the fault of neither network nor server
    case CURLE_NOT_BUILT_IN:
    case CURLE_FUNCTION_NOT_FOUND:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_HTTP_RETURNED_ERROR:  // easy_setup() set CURLOPT_FAILONERROR
    case CURLE_ABORTED_BY_CALLBACK:
      return std::make_exception_ptr(ClientError(what, code));
    default:
      return bad_answer(code, progress, what);
  }
}

}  // namespace asyncio::http::detail

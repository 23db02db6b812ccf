// The exception for each error code of libcurl and each progress of the request.
#include "stage6/http/http_server.h"

#include <asyncio/http/detail/errors.h>
#include <asyncio/timeouts.h>
#include <curl/curl.h>

#include <map>
#include <new>
#include <string>

namespace asyncio::testing {
namespace {

using http::detail::Progress;

std::string name_of(const std::exception_ptr& error, int code) {
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return "bad_alloc";
  } catch (const TimeoutError& timeout) {
    EXPECT_EQ(std::string(timeout.what()).find("what"), 0u);
    return "TimeoutError";
  } catch (const http::ClientError& client) {
    EXPECT_EQ(client.code(), code);
    EXPECT_EQ(std::string(client.what()).find("what"), 0u);
    if (dynamic_cast<const http::ClientConnectionError*>(&client)) return "connection";
    if (dynamic_cast<const http::ClientPayloadError*>(&client)) return "payload";
    if (dynamic_cast<const http::InvalidURL*>(&client)) return "url";
    if (dynamic_cast<const http::TooManyRedirects*>(&client)) return "redirects";
    return "client";
  }
}

/// The exceptions before the request is sent, before the head arrives, and after it.
struct Row {
  std::string not_sent, sent, head_arrived;
};

// All other codes mean a failed connection or an incomplete body.
const std::map<int, Row> kRows = {
    {CURLE_UNSUPPORTED_PROTOCOL, {"url", "connection", "payload"}},
    {CURLE_FAILED_INIT, {"client", "client", "client"}},
    {CURLE_URL_MALFORMAT, {"url", "connection", "payload"}},
    {CURLE_NOT_BUILT_IN, {"client", "client", "client"}},
    {CURLE_HTTP_RETURNED_ERROR, {"client", "client", "client"}},
    {CURLE_OUT_OF_MEMORY, {"bad_alloc", "connection", "payload"}},
    {CURLE_OPERATION_TIMEDOUT, {"TimeoutError", "TimeoutError", "TimeoutError"}},
    {CURLE_FUNCTION_NOT_FOUND, {"client", "client", "client"}},
    {CURLE_ABORTED_BY_CALLBACK, {"client", "client", "client"}},
    {CURLE_BAD_FUNCTION_ARGUMENT, {"client", "client", "client"}},
    {CURLE_TOO_MANY_REDIRECTS, {"redirects", "redirects", "redirects"}},
    {CURLE_UNKNOWN_OPTION, {"client", "client", "client"}},
    {CURLE_BAD_CONTENT_ENCODING, {"payload", "payload", "payload"}},
};

TEST(HttpErrors, EachCodeOfLibcurlHasItsException) {
  int known = 0;
  for (int code = CURLE_OK + 1; code < CURL_LAST; ++code) {
    SCOPED_TRACE(curl_easy_strerror(static_cast<CURLcode>(code)));
    const auto found = kRows.find(code);
    const Row row = found != kRows.end() ? found->second : Row{"connection", "connection", "payload"};
    known += found != kRows.end();
    EXPECT_EQ(name_of(http::detail::exception_of(code, Progress::not_sent, "what"), code), row.not_sent);
    EXPECT_EQ(name_of(http::detail::exception_of(code, Progress::sent, "what"), code), row.sent);
    EXPECT_EQ(name_of(http::detail::exception_of(code, Progress::head_arrived, "what"), code), row.head_arrived);
  }
  EXPECT_EQ(known, static_cast<int>(kRows.size()));
}

}  // namespace
}  // namespace asyncio::testing

// Every public string parameter of asyncio::http: with '\0', line breaks, empty, too long, and invalid UTF-8.
#include "stage6/http/http_server.h"
#include "stage6/string_parameters.h"

#include <cctype>

namespace asyncio::testing {
namespace {

using http::ClientSession;
using http::RequestOptions;
using http::SessionOptions;

/// Sends a request; returns the one that the server got.
Coro<Request> sent(RequestOptions options, SessionOptions session_options = SessionOptions(),
                   std::string method = "POST", std::string target = "/") {
  HttpServer server;
  co_await server.start(answer("ok"));
  const ClientSession session(session_options);
  const auto response = co_await session.request(std::move(method), server.url(target), std::move(options));
  server.stop();
  co_return server.requests().at(0);
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Coro<bool> use_url(std::string text) {
  const Request request = co_await sent(RequestOptions(), SessionOptions(), "GET", "/" + text);
  // Unchanged, or libcurl has replaced non-ASCII bytes by an equivalent "%ff".
  co_return request.target == "/" + text || lower(request.target) == lower("/" + http::detail::percent_encode(text));
}
Coro<bool> use_method(std::string text) {
  const Request request = co_await sent(RequestOptions(), SessionOptions(), text);
  co_return request.method == text;
}
Coro<bool> use_param_name(std::string text) {
  const Request request = co_await sent(RequestOptions().param(text, "v"));
  co_return request.target == "/?" + http::detail::percent_encode(text) + "=v";
}
Coro<bool> use_param_value(std::string text) {
  const Request request = co_await sent(RequestOptions().param("n", text));
  co_return request.target == "/?n=" + http::detail::percent_encode(text);
}
Coro<bool> use_header_name(std::string text) {
  const Request request = co_await sent(RequestOptions().header(text, "v"));
  co_return request.headers.get(text) == "v";
}
Coro<bool> use_header_value(std::string text) {
  const Request request = co_await sent(RequestOptions().header("X-Name", text));
  co_return request.headers.contains("X-Name") && request.headers["X-Name"] == text;
}
Coro<bool> use_session_header_value(std::string text) {
  const Request request = co_await sent(RequestOptions(), SessionOptions().header("X-Name", text));
  co_return request.headers.contains("X-Name") && request.headers["X-Name"] == text;
}
Coro<bool> use_session_header_name(std::string text) {
  const Request request = co_await sent(RequestOptions(), SessionOptions().header(text, "v"));
  co_return request.headers.get(text) == "v";
}
Coro<bool> use_content_type(std::string text) {
  const Request request = co_await sent(RequestOptions().data("body", text));
  co_return request.headers.get("Content-Type", "") == text;
}
Coro<bool> use_body(std::string text) {
  const Request request = co_await sent(RequestOptions().data(text));
  co_return request.body == text;
}
Coro<bool> use_json(std::string text) {
  const Request request = co_await sent(RequestOptions().json(text));
  co_return request.body == text;
}
Coro<bool> use_form_name(std::string text) {
  const Request request = co_await sent(RequestOptions().form(text, "v"));
  co_return request.body == http::detail::percent_encode(text) + "=v";
}
Coro<bool> use_form_value(std::string text) {
  const Request request = co_await sent(RequestOptions().form("n", text));
  co_return request.body == "n=" + http::detail::percent_encode(text);
}
Coro<bool> use_ca_file(std::string text) {
  const Request request = co_await sent(RequestOptions(), SessionOptions().ca_file(text));
  co_return text.find('\0') == text.npos;  // the file is only read for TLS
}
Coro<bool> use_user(std::string text) {
  HttpServer server;
  co_await server.start(answer("ok"));
  const ClientSession session;
  const std::string user = http::detail::percent_encode(text);
  const auto response = co_await session.get("http://" + user + ":pass@" + server.url().substr(7));
  server.stop();
  co_return server.requests().at(0).headers.contains("Authorization") || text.empty();
}

TEST(HttpStrings, NoneIsCutShortNorBecomesALine) {
  constexpr Fate W = Fate::whole, R = Fate::refused, F = Fate::failed;
  std::vector<StringParameter> table = {
      // name, its use, and the fate of NUL, CR, LF, "", 64 KiB, invalid UTF-8
      {"get(url)", use_url, R, R, R, W, F, W},
      {"post(url)", use_url, R, R, R, W, F, W},
      {"request(url)", use_url, R, R, R, W, F, W},
      {"request(method)", use_method, R, R, R, R, F, R},
      {"param(name)", use_param_name, W, W, W, W, F, W},
      {"param(value)", use_param_value, W, W, W, W, F, W},
      {"header(name)", use_header_name, R, R, R, R, F, R},
      {"header(value)", use_header_value, R, R, R, W, F, W},
      {"header(value)", use_session_header_value, R, R, R, W, F, W},
      {"header(name)", use_session_header_name, R, R, R, R, F, R},
      {"data(content_type)", use_content_type, R, R, R, W, F, W},
      {"data(bytes)", use_body},
      {"json(text)", use_json},
      {"form(name)", use_form_name},
      {"form(value)", use_form_value},
      {"ca_file(path)", use_ca_file, R, W, W, W, W, W},
      {"(user)", use_user, R, R, R, W, F, W},
  };
  const std::set<std::string> others = {
      // unchecked, because servers may send anything; a request's are checked by header()
      "add(name)", "add(value)", "append_to_last(more)",
      // compared or made safe
      "contains(name)", "find(name)", "get(name)", "get(fallback)", "getall(name)", "same_name(a)", "same_name(b)",
      "is_token(text)", "check_header(name)", "check_header(value)", "percent_encode(text)",
      // messages
      "ClientError(what)", "ClientResponseError(reason)", "ClientResponseError(url)"};
  check_string_parameters(ASYNCIO_STAGE6_SOURCE_DIR "/http", std::move(table), others);
}

}  // namespace
}  // namespace asyncio::testing

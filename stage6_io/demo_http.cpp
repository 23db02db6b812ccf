#include "demo_http.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace demo {

using namespace lib;

Url::Url(const std::string& text) {
  const std::string scheme = "http://";
  if (text.rfind(scheme, 0) != 0) throw std::invalid_argument("not an http:// URL: " + text);
  const std::size_t slash = text.find('/', scheme.size());
  authority = text.substr(scheme.size(), slash - scheme.size());
  if (slash != text.npos) target = text.substr(slash);
  const std::size_t colon = authority.rfind(':');
  host = authority.substr(0, colon);
  if (colon != authority.npos) port = std::stoi(authority.substr(colon + 1));
  if (host.empty()) throw std::invalid_argument("no host in the URL " + text);
}

Coro<std::map<std::string, std::string>> read_headers(StreamReader reader) {
  std::map<std::string, std::string> headers;
  for (;;) {
    std::string line = co_await reader.readline();
    if (line == "\r\n" || line == "\n" || line.empty()) co_return headers;
    const std::size_t colon = std::min(line.find(':'), line.size());
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    const std::size_t end = line.find_last_not_of(" \t\r\n");
    headers[name] = begin == line.npos || end < begin ? "" : line.substr(begin, end + 1 - begin);
  }
}

namespace {

Coro<std::string> read_chunks(StreamReader reader) {
  std::string body;
  for (;;) {
    const std::string size_line = co_await reader.readline();
    const std::size_t size = std::stoul(size_line, nullptr, 16);
    const std::string chunk = co_await reader.readexactly(static_cast<std::ptrdiff_t>(size) + 2);  // with its \r\n
    if (size == 0) co_return body;
    body += chunk.substr(0, size);
  }
}

}  // namespace

Coro<Response> http_get(std::string url_text) {
  const Url url(url_text);
  auto [reader, writer] = co_await open_connection(url.host, url.port);
  writer.write("GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority +
               "\r\nAccept: */*\r\nConnection: close\r\n\r\n");
  co_await writer.drain();

  Response response;
  const std::string status_line = co_await reader.readline();  // HTTP/1.1 200 OK
  if (status_line.rfind("HTTP/1.", 0) != 0 || status_line.size() < 12) {
    throw std::runtime_error("not an HTTP answer: " + status_line);
  }
  response.status = std::stoi(status_line.substr(9, 3));
  response.headers = co_await read_headers(reader);
  if (response.headers["transfer-encoding"] == "chunked") {
    response.body = co_await read_chunks(reader);
  } else if (const auto length = response.headers.find("content-length"); length != response.headers.end()) {
    response.body = co_await reader.readexactly(std::stol(length->second));
  } else {
    response.body = co_await reader.read();  // until the server closes the connection
  }
  writer.close();
  co_return response;
}

std::string format(const std::string& pattern, int number) {
  const std::size_t braces = pattern.find("{}");
  if (braces == pattern.npos) return pattern;
  return pattern.substr(0, braces) + std::to_string(number) + pattern.substr(braces + 2);
}

std::string json_string(const std::string& json, const std::string& outer, const std::string& inner) {
  std::size_t at = json.find('"' + outer + '"');
  if (at != json.npos) at = json.find('"' + inner + '"', at);
  if (at != json.npos) at = json.find(':', at);
  if (at != json.npos) at = json.find('"', at);
  const std::size_t end = at == json.npos ? at : json.find('"', at + 1);
  if (end == json.npos) throw std::runtime_error("no " + outer + "." + inner + " in " + json);
  return json.substr(at + 1, end - at - 1);
}

}  // namespace demo

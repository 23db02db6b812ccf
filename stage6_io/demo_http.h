// The part of HTTP/1.1 that the notes' programs need: GET, with one answer per connection. For the demo only.
#pragma once

#include "demo_lib.h"

#include <map>
#include <string>

namespace demo {

/// "http://127.0.0.1:8000/get?a=1", taken apart. Throws std::invalid_argument if it is not of this form.
class Url {
 public:
  explicit Url(const std::string& text);
  std::string host;
  int port = 80;
  std::string target = "/";  // path and query
  std::string authority;     // as written in the URL: "127.0.0.1:8000"
};

class Response {
 public:
  Response() = default;
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

/// Fetches a page. Throws std::system_error if there is no connection, std::runtime_error if the answer is no HTTP.
lib::Coro<Response> http_get(std::string url);

/// "{}" in the pattern becomes `number`, as by Python's format().
std::string format(const std::string& pattern, int number);

/// data["outer"]["inner"] of a JSON text, if it is a string. Throws std::runtime_error if it is not there.
std::string json_string(const std::string& json, const std::string& outer, const std::string& inner);

/// Reads "Name: value" lines up to the empty line. Names in lower case.
lib::Coro<std::map<std::string, std::string>> read_headers(lib::StreamReader reader);

}  // namespace demo

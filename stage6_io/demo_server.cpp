#include "demo_server.h"

#include "demo_http.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace demo {

using namespace lib;

namespace {

const std::map<std::string, std::string> kPages = {
    {"/", "<!DOCTYPE html>\n<h1>It works</h1>\n"},
    {"/python", "<!DOCTYPE html>\n<h1>Python</h1>\n<p>async and await since 2015</p>\n"},
    {"/cplusplus", "<!DOCTYPE html>\n<h1>C++</h1>\n<p>co_await since 2020</p>\n"},
};

std::string answer(const std::string& status, const std::string& type, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

std::string quoted(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) json += c;
  }
  return json + "\"";
}

std::string json_object(const std::vector<std::pair<std::string, std::string>>& members, const std::string& indent) {
  std::string json = "{";
  for (const auto& [name, value] : members) {
    json += (json.size() > 1 ? ",\n" : "\n") + indent + "  " + quoted(name) + ": " + quoted(value);
  }
  return json + (members.empty() ? "}" : "\n" + indent + "}");
}

/// "a=1&b=2"
std::vector<std::pair<std::string, std::string>> parse_query(const std::string& query) {
  std::vector<std::pair<std::string, std::string>> args;
  std::istringstream parts(query);
  for (std::string part; std::getline(parts, part, '&');) {
    const std::size_t equals = std::min(part.find('='), part.size());
    args.emplace_back(part.substr(0, equals), part.substr(std::min(equals + 1, part.size())));
  }
  return args;
}

std::string get_json(const std::string& target, const std::map<std::string, std::string>& headers,
                     const std::string& origin) {
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string query = target.substr(std::min(question + 1, target.size()));
  const auto host = headers.find("host");
  const std::string authority = host == headers.end() ? "" : host->second;
  return "{\n  \"args\": " + json_object(parse_query(query), "  ") +
         ",\n  \"headers\": " + json_object({headers.begin(), headers.end()}, "  ") +
         ",\n  \"origin\": " + quoted(origin) + ",\n  \"url\": " + quoted("http://" + authority + target) + "\n}\n";
}

std::string respond(const std::string& method, const std::string& target,
                    const std::map<std::string, std::string>& headers, const std::string& origin) {
  if (method != "GET") return answer("405 Method Not Allowed", "text/plain", "only GET\n");
  const std::string path = target.substr(0, target.find('?'));
  if (path == "/get") return answer("200 OK", "application/json", get_json(target, headers, origin));
  if (const auto page = kPages.find(path); page != kPages.end()) return answer("200 OK", "text/html", page->second);
  return answer("404 Not Found", "text/plain", "there is no " + path + "\n");
}

}  // namespace

Coro<> HttpServer::start(int port) {
  const auto handler = [this](StreamReader reader, StreamWriter writer) { return serve(reader, writer); };
  server_ = co_await start_server(handler, "127.0.0.1", port);
}

Coro<> HttpServer::serve(StreamReader reader, StreamWriter writer) {
  const std::string request_line = co_await reader.readline();  // GET /get?a=1 HTTP/1.1
  std::istringstream words(request_line);
  std::string method, target;
  words >> method >> target;
  const auto headers = co_await read_headers(reader);

  const std::size_t number_at = target.find("a=");
  const int turn = number_at == target.npos ? 0 : std::atoi(target.c_str() + number_at + 2);
  const bool taking_turns = taking_turns_;
  if (taking_turns) co_await turns_[turn].wait();

  writer.write(target.empty() ? answer("400 Bad Request", "text/plain", "what?\n")
                              : respond(method, target, headers, writer.peername().host()));
  writer.write_eof();
  co_await reader.read();  // until the client closes: closing first could drop data that it has not read
  if (taking_turns && taking_turns_) turns_[turn + 1].set();
  writer.close();
}

}  // namespace demo

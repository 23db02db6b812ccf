// libcurl's parser of URLs, for our .cpp files.
// Read next: url.cpp
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// A URL of http or https. No message contains its user or its password.
class Url {
 public:
  /// Throws InvalidURL.
  explicit Url(std::string text);

  /// "" if there is no such part.
  std::string get(CURLUPart part, unsigned flags = 0) const;
  void remove_credentials();
  /// What a Location in the answer to this URL leads to. Throws InvalidURL.
  Url joined(const std::string& location) const;

 private:
  struct Free {
    void operator()(CURLU* parts) const { curl_url_cleanup(parts); }
  };
  void set(const std::string& text, unsigned flags);
  void check(CURLUcode code) const;

  std::string text_;
  std::unique_ptr<CURLU, Free> parts_;
};

/// Whether libcurl would take a part of the path for the host: the x of "http:///x", "http:/x" and "///x".
bool hides_its_host(std::string_view url);

/// Whether both have the same scheme, host and port. [Fetch: same origin]
bool same_origin(const Url& a, const Url& b);

}  // namespace asyncio::http::detail

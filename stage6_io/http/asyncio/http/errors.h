// What a request can fail with. libcurl says in each what went wrong, in its own words.
// Mirrors: aiohttp's client_exceptions.py. Read next: headers.h
#pragma once

#include <stdexcept>
#include <string>

namespace asyncio::http {

/// The base of them all. What takes longer than its time limit is an asyncio::TimeoutError instead, as in Python.
class ClientError : public std::runtime_error {
 public:
  explicit ClientError(const std::string& what, int code = 0) : std::runtime_error(what), code_(code) {}
  /// libcurl's CURLcode; 0 if the error is our own.
  int code() const noexcept { return code_; }

 private:
  int code_;
};

/// No connection, or it broke before there was an answer: a name that nobody knows, a port where nobody listens, a
/// certificate that is not to be trusted, a server that hangs up.
class ClientConnectionError : public ClientError {
  using ClientError::ClientError;
};

/// The answer had begun, and its body did not come whole.
class ClientPayloadError : public ClientError {
  using ClientError::ClientError;
};

/// Not a URL, or not one of http and https.
class InvalidURL : public ClientError {
  using ClientError::ClientError;
};

class TooManyRedirects : public ClientError {
  using ClientError::ClientError;
};

/// What raise_for_status() throws: "404, message='Not Found', url='http://…'".
class ClientResponseError : public ClientError {
 public:
  ClientResponseError(int status, const std::string& reason, const std::string& url)
      : ClientError(std::to_string(status) + ", message='" + reason + "', url='" + url + "'"), status_(status) {}
  int status() const noexcept { return status_; }

 private:
  int status_;
};

}  // namespace asyncio::http

// The exceptions of a request. The message of each contains libcurl's description.
// Mirrors: aiohttp's client_exceptions.py. Read next: ../../../ssl/asyncio/ssl/context.h
#pragma once

#include <asyncio/detail/repr.h>

#include <stdexcept>
#include <string>

namespace asyncio::http {

/// The base class. A request that exceeds its time limit throws asyncio::TimeoutError instead, as in Python.
class ClientError : public std::runtime_error {
 public:
  /// `code` is libcurl's, or 0.
  explicit ClientError(const std::string& what, int code = 0) : std::runtime_error(what), code_(code) {}
  /// libcurl's CURLcode; 0 if the error is our own.
  int code() const noexcept { return code_; }

 private:
  int code_;
};

/// No connection, or no answer: an unknown name, a port where nobody listens, an untrusted certificate, a server that
/// hangs up or does not speak HTTP, or whose head does not say in exactly one way where the body ends.
class ClientConnectionError : public ClientError {
  using ClientError::ClientError;
};

/// The head arrived, but not the whole body.
class ClientPayloadError : public ClientError {
  using ClientError::ClientError;
};

/// Not an http or https URL.
class InvalidURL : public ClientError {
  using ClientError::ClientError;
};

/// More redirects than allowed.
class TooManyRedirects : public ClientError {
  using ClientError::ClientError;
};

/// Thrown by raise_for_status(): "404, message='Not Found', url='http://…'".
class ClientResponseError : public ClientError {
 public:
  /// A status of 400 or more, with the server's words.
  ClientResponseError(int status, const std::string& reason, const std::string& url)
      : ClientError(std::to_string(status) + ", message=" + asyncio::detail::python_repr(reason) +
                    ", url=" + asyncio::detail::python_repr(url)),
        status_(status) {}
  /// The status code.
  int status() const noexcept { return status_; }

 private:
  int status_;
};

}  // namespace asyncio::http

// For the whole header, unless a name says otherwise:
// Threads: any thread; one object belongs to one thread at a time.
// Ticks: none.
// Errors: none: these are the errors.
// Units: code() is libcurl's number, status() HTTP's.

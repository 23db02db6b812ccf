// Declares OpenSSL's types: our headers include none of OpenSSL's. Skip on a first reading.
#pragma once

#include <exception>
#include <memory>
#include <string>

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;
struct x509_st;

namespace asyncio::ssl::detail {

struct Free {
  void operator()(ssl_st* ssl) const noexcept;
  void operator()(ssl_ctx_st* context) const noexcept;
  void operator()(ssl_session_st* session) const noexcept;
  void operator()(x509_st* certificate) const noexcept;
};

using SSLPointer = std::unique_ptr<ssl_st, Free>;
using ContextPointer = std::unique_ptr<ssl_ctx_st, Free>;
using SessionPointer = std::unique_ptr<ssl_session_st, Free>;
using X509Pointer = std::unique_ptr<x509_st, Free>;

/// Takes this thread's oldest error as an SSLError, and empties the queue. If verifying the peer of `ssl` failed:
/// an SSLCertVerificationError, which names the host and the certificate at fault.
std::exception_ptr take_error(const ssl_st* ssl = nullptr, const std::string& host = std::string(),
                              const std::string& certificate = std::string());
[[noreturn]] void throw_error();

}  // namespace asyncio::ssl::detail

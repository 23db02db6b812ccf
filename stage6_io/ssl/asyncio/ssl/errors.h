// The exceptions of TLS, in OpenSSL's words.
// Mirrors: Lib/ssl.py: SSLError, SSLCertVerificationError. Read next: certificate.h
#pragma once

#include <string>
#include <system_error>

namespace asyncio::ssl {

/// Codes are OpenSSL's packed errors (ERR_get_error()).
const std::error_category& ssl_category() noexcept;

/// "[SSL: WRONG_VERSION_NUMBER] wrong version number (the peer does not speak TLS)". An OSError in Python: such errors
/// of a connection do not go to the loop's exception handler.
class SSLError : public std::system_error {
 public:
  /// `code` is OpenSSL's.
  SSLError(unsigned long code, const std::string& text);

  /// "SSL": the part of OpenSSL that failed.
  const std::string& library() const noexcept { return library_; }
  /// "WRONG_VERSION_NUMBER", as Python spells it.
  const std::string& reason() const noexcept { return reason_; }
  /// As Python spells it, with the name of the error.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string library_;
  std::string reason_;
  std::string text_;
};

/// The peer's certificate is untrusted, or does not match server_hostname.
class SSLCertVerificationError : public SSLError {
 public:
  /// `verify_code` is OpenSSL's, and the message its text.
  SSLCertVerificationError(unsigned long code, int verify_code, const std::string& verify_message,
                           const std::string& certificate);

  /// OpenSSL's X509_V_ERR_…
  int verify_code() const noexcept { return verify_code_; }
  /// "Hostname mismatch, certificate is not valid for 'x'."
  const std::string& verify_message() const noexcept { return verify_message_; }
  /// The subject of the certificate at fault: "CN=localhost"; "" if there was none.
  const std::string& certificate() const noexcept { return certificate_; }

 private:
  int verify_code_;
  std::string verify_message_;
  std::string certificate_;
};

}  // namespace asyncio::ssl

// For the whole header, unless a name says otherwise:
// Threads: any thread; one object belongs to one thread at a time.
// Ticks: none.
// Errors: none: these are the errors.
// Units: codes are OpenSSL's numbers.

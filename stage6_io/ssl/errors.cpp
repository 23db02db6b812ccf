#include "asyncio/ssl/errors.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cctype>

namespace asyncio::ssl {
namespace {

class SSLCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "ssl"; }
  std::string message(int code) const override {
    const char* reason = ERR_reason_error_string(static_cast<unsigned long>(code));
    return reason ? reason : "unknown error";
  }
};

// Drops "routines": "SSL routines" is "SSL" in Python.
std::string library_of(unsigned long code) {
  const char* name = ERR_lib_error_string(code);
  std::string library = name ? name : "SSL";
  return library.substr(0, library.find(' '));
}

// OpenSSL's reasons are phrases: "wrong version number".
std::string reason_of(unsigned long code) {
  const char* sentence = ERR_reason_error_string(code);
  std::string reason = sentence ? sentence : "unknown error";
  std::replace_if(
      reason.begin(), reason.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  std::transform(reason.begin(), reason.end(), reason.begin(), [](unsigned char c) { return std::toupper(c); });
  return reason;
}

}  // namespace

const std::error_category& ssl_category() noexcept {
  static const SSLCategory category;
  return category;
}

SSLError::SSLError(unsigned long code, const std::string& text)
    : std::system_error(static_cast<int>(code), ssl_category()),
      library_(library_of(code)),
      reason_(reason_of(code)),
      text_("[" + library_ + ": " + reason_ + "] " +
            (text.empty() ? ssl_category().message(static_cast<int>(code)) : text)) {}

SSLCertVerificationError::SSLCertVerificationError(unsigned long code, int verify_code,
                                                   const std::string& verify_message, const std::string& certificate)
    : SSLError(code, "certificate verify failed: " + verify_message +
                         (certificate.empty() ? "" : " (certificate: " + certificate + ")")),
      verify_code_(verify_code),
      verify_message_(verify_message),
      certificate_(certificate) {}

}  // namespace asyncio::ssl

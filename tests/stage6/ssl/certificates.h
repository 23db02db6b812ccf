// Certificates for the tests, created when needed: none in the repository can expire.
#pragma once

#include <string>

namespace asyncio::testing {

/// A certificate with its key, as PEM text.
struct Identity {
  std::string certificate;
  std::string key;
};

struct CertificateOptions {
  std::string common_name = "localhost";
  std::string alternative_names = "DNS:localhost,IP:127.0.0.1";  // "" for none
  long valid_from = -24 * 3600;                                  // seconds from now
  long valid_until = 30 * 24 * 3600;
  std::string usage = "serverAuth";  // extended key usage; "" for none
  bool authority = false;            // may sign others
  int rsa_bits = 0;                  // 0: an EC key on P-256
};

/// Signed by `issuer`, or self-signed.
Identity make_certificate(const CertificateOptions& options = {}, const Identity* issuer = nullptr);
/// The root that signs the others.
Identity make_authority(const std::string& common_name = "Test Root");

/// Writes `text` to the file `path`; returns `path`.
std::string write_file(const std::string& path, const std::string& text);

}  // namespace asyncio::testing

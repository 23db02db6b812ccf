// A peer's certificate as text.
// Mirrors: Lib/ssl.py, SSLObject.getpeercert. Read next: ssl_object.h
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::ssl {

/// The parts that programs use; `der` is the whole certificate.
struct Certificate {
  using Name = std::vector<std::pair<std::string, std::string>>;  // ("commonName", "localhost") …

  Name subject;               // whom it names: ("commonName", "localhost") …
  Name issuer;                // who signed it, in the same form
  int version = 0;            // 3
  std::string serial_number;  // hexadecimal, upper case
  std::string not_before;     // "Jan  5 09:34:43 2026 GMT"
  std::string not_after;      // in the same form
  Name subject_alt_name;      // ("DNS", "localhost"), ("IP Address", "127.0.0.1") …
  std::string der;            // all of it, in DER

  /// The digest of `der` in upper-case hexadecimal, a colon between bytes. `digest`: "sha256" or another of OpenSSL's.
  /// Throws std::invalid_argument for an unknown digest.
  std::string fingerprint(const std::string& digest = "sha256") const;
  /// The subject's first "commonName"; "" without one.
  std::string common_name() const;
};

}  // namespace asyncio::ssl

// For the whole header, unless a name says otherwise:
// Threads: any thread; one object belongs to one thread at a time.
// Ticks: none.
// Errors: std::invalid_argument from fingerprint().
// Units: version is X.509's number.

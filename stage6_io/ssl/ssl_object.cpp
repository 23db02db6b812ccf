#include "asyncio/ssl/ssl_object.h"

#include "asyncio/ssl/detail/context_state.h"
#include "asyncio/ssl/detail/ssl_transport.h"
#include "asyncio/ssl/errors.h"

#include <asyncio/detail/c_string.h>
#include <asyncio/detail/repr.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <new>
#include <stdexcept>
#include <utility>

namespace asyncio::ssl {
namespace {

struct Freed {
  void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(BIGNUM* number) const noexcept { BN_free(number); }
  void operator()(void* memory) const noexcept { OPENSSL_free(memory); }
};

/// When a function of OpenSSL has given nothing: throws if that is for want of memory, and not for want of a value.
void check_memory() {
  bool none = false;
  while (const unsigned long code = ERR_get_error()) none |= ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
  if (none) throw std::bad_alloc();
}

// ── OpenSSL's types as text ─────────────────────────────────────────────────────────────────────────────────────────

std::string text_of(const ASN1_STRING* string) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, string);
  if (size < 0) return check_memory(), std::string();
  const std::unique_ptr<unsigned char, Freed> freed_at_end(utf8);
  return std::string(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
}

std::string date_of(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, Freed> bio(BIO_new(BIO_s_mem()));
  if (!bio) throw std::bad_alloc();
  if (ASN1_TIME_print(bio.get(), time) != 1) return check_memory(), std::string();
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Certificate::Name name_of(const X509_NAME* name) {
  Certificate::Name parts;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    char key[80] = "";
    OBJ_obj2txt(key, sizeof key, X509_NAME_ENTRY_get_object(entry), 0);
    const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    parts.emplace_back(nid == NID_undef ? key : OBJ_nid2ln(nid), text_of(X509_NAME_ENTRY_get_data(entry)));
  }
  return parts;
}

std::string ip_address(const ASN1_OCTET_STRING* bytes) {
  const unsigned char* data = ASN1_STRING_get0_data(bytes);
  char text[48] = "<invalid>";
  if (ASN1_STRING_length(bytes) == 4) {
    std::snprintf(text, sizeof text, "%d.%d.%d.%d", data[0], data[1], data[2], data[3]);
  } else if (ASN1_STRING_length(bytes) == 16) {
    char* at = text;
    for (int i = 0; i < 16; i += 2) {
      at += std::snprintf(at, 6, i == 0 ? "%X" : ":%X", static_cast<unsigned>(data[i] << 8 | data[i + 1]));
    }
  }
  return text;
}

Certificate::Name alternative_names(const X509* certificate) {
  Certificate::Name names;
  const std::unique_ptr<GENERAL_NAMES, Freed> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!all) check_memory();
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) names.emplace_back("DNS", text_of(name->d.dNSName));
    if (name->type == GEN_EMAIL) names.emplace_back("email", text_of(name->d.rfc822Name));
    if (name->type == GEN_URI) names.emplace_back("URI", text_of(name->d.uniformResourceIdentifier));
    if (name->type == GEN_IPADD) names.emplace_back("IP Address", ip_address(name->d.iPAddress));
  }
  return names;
}

std::string serial_of(const X509* certificate) {
  const std::unique_ptr<BIGNUM, Freed> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  const std::unique_ptr<char, Freed> hex(number ? BN_bn2hex(number.get()) : nullptr);
  if (!hex) throw std::bad_alloc();  // each certificate has a number
  return hex.get();
}

Certificate to_certificate(X509* certificate) {
  Certificate result;
  result.subject = name_of(X509_get_subject_name(certificate));
  result.issuer = name_of(X509_get_issuer_name(certificate));
  result.version = static_cast<int>(X509_get_version(certificate)) + 1;
  result.serial_number = serial_of(certificate);
  result.not_before = date_of(X509_get0_notBefore(certificate));
  result.not_after = date_of(X509_get0_notAfter(certificate));
  result.subject_alt_name = alternative_names(certificate);
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) throw std::bad_alloc();  // it has been decoded, so it can be encoded
  const std::unique_ptr<unsigned char, Freed> freed_at_end(der);
  result.der.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  return result;
}

}  // namespace

// ── the certificate ─────────────────────────────────────────────────────────────────────────────────────────────────

std::string Certificate::fingerprint(const std::string& digest) const {
  asyncio::detail::check_c_string(digest);
  const EVP_MD* kind = EVP_get_digestbyname(digest.c_str());
  if (!kind) throw std::invalid_argument("no digest is called " + asyncio::detail::python_repr(digest));
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(der.data(), der.size(), bytes, &size, kind, nullptr) != 1) detail::throw_error();
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    char hex[4];
    std::snprintf(hex, sizeof hex, i == 0 ? "%02X" : ":%02X", static_cast<unsigned>(bytes[i]));
    text += hex;
  }
  return text;
}

std::string Certificate::common_name() const {
  for (const auto& [key, value] : subject) {
    if (key == "commonName") return value;
  }
  return std::string();
}

// ── the connection ──────────────────────────────────────────────────────────────────────────────────────────────────

SSLObject::SSLObject(std::shared_ptr<detail::ContextState> context, detail::SSLPointer ssl,
                     std::string server_hostname) noexcept
    : context_(std::move(context)), ssl_(std::move(ssl)), server_hostname_(std::move(server_hostname)) {}

std::optional<Certificate> SSLObject::peer_certificate() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (!certificate) return std::nullopt;
  ERR_clear_error();
  return to_certificate(certificate);
}

std::string SSLObject::version() const {
  return SSL_is_init_finished(ssl_.get()) ? SSL_get_version(ssl_.get()) : std::string();
}

std::optional<Cipher> SSLObject::cipher() const {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_.get());
  if (!cipher) return std::nullopt;
  return Cipher{SSL_CIPHER_get_name(cipher), SSL_CIPHER_get_version(cipher), SSL_CIPHER_get_bits(cipher, nullptr)};
}

std::string SSLObject::selected_alpn_protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

bool SSLObject::session_reused() const { return SSL_session_reused(ssl_.get()) == 1; }

bool SSLObject::received_close_notify() const noexcept {
  return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

std::shared_ptr<const SSLObject> get_ssl_object(const BaseTransport& transport) noexcept {
  const auto* secured = dynamic_cast<const detail::SSLTransport*>(&transport);
  return secured ? secured->ssl_object() : nullptr;
}

// ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace detail {
namespace {

// CPython's message. Unlike OpenSSL's, it contains the host name.
std::string verify_message(long result, const std::string& host) {
  if (result == X509_V_ERR_HOSTNAME_MISMATCH) {
    return "Hostname mismatch, certificate is not valid for " + asyncio::detail::python_repr(host) + ".";
  }
  if (result == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return "IP address mismatch, certificate is not valid for " + asyncio::detail::python_repr(host) + ".";
  }
  return X509_verify_cert_error_string(result);
}

const char* explanation(int reason) {
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
      return "wrong version number (the peer does not speak TLS)";
    case SSL_R_HTTP_REQUEST:
      return "http request (the peer speaks plain HTTP, not TLS)";
    default:
      return "";
  }
}

std::exception_ptr exception_of(unsigned long code, const ssl_st* ssl, const std::string& host,
                                const std::string& certificate) {
  const bool from_ssl = ERR_GET_LIB(code) == ERR_LIB_SSL;
  if (ssl && from_ssl && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    const long result = SSL_get_verify_result(ssl);
    return std::make_exception_ptr(
        SSLCertVerificationError(code, static_cast<int>(result), verify_message(result, host), certificate));
  }
  return std::make_exception_ptr(SSLError(code, from_ssl ? explanation(ERR_GET_REASON(code)) : ""));
}

}  // namespace

std::exception_ptr take_error(const ssl_st* ssl, const std::string& host, const std::string& certificate) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) return std::make_exception_ptr(std::bad_alloc());
  try {
    return exception_of(code, ssl, host, certificate);
  } catch (const std::bad_alloc&) {
    return std::current_exception();
  }
}

}  // namespace detail

}  // namespace asyncio::ssl

#include "stage6/ssl/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace asyncio::testing {
namespace {

template <auto function>
struct FreeBy {
  void operator()(auto* object) const { function(object); }
};
using Bio = std::unique_ptr<BIO, FreeBy<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, FreeBy<X509_free>>;

void check(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL could not make a certificate");
}

template <class Write>
std::string to_text(Write write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Bio from_text(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  check(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

}  // namespace

Identity make_certificate(const CertificateOptions& options, const Identity* issuer) {
  const Key key(options.rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned>(options.rsa_bits)) : EVP_EC_gen("P-256"));
  const Cert certificate(X509_new());
  check(key && certificate);

  Cert issuer_certificate;
  Key issuer_key;
  if (issuer) {
    issuer_certificate.reset(PEM_read_bio_X509(from_text(issuer->certificate).get(), nullptr, nullptr, nullptr));
    issuer_key.reset(PEM_read_bio_PrivateKey(from_text(issuer->key).get(), nullptr, nullptr, nullptr));
    check(issuer_certificate && issuer_key);
  }
  X509* const by = issuer ? issuer_certificate.get() : certificate.get();

  X509_set_version(certificate.get(), X509_VERSION_3);
  std::uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), options.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), options.valid_until);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(by));

  add_extension(certificate.get(), by, NID_subject_key_identifier, "hash");
  if (issuer) add_extension(certificate.get(), by, NID_authority_key_identifier, "keyid:always");
  if (options.authority) {
    add_extension(certificate.get(), by, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate.get(), by, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    add_extension(certificate.get(), by, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate.get(), by, NID_key_usage, "critical,digitalSignature");
    if (!options.usage.empty()) add_extension(certificate.get(), by, NID_ext_key_usage, options.usage);
    if (!options.alternative_names.empty()) {
      add_extension(certificate.get(), by, NID_subject_alt_name, options.alternative_names);
    }
  }
  check(X509_sign(certificate.get(), issuer ? issuer_key.get() : key.get(), EVP_sha256()) > 0);

  Identity identity;
  identity.certificate = to_text([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
  identity.key = to_text(
      [&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  return identity;
}

Identity make_authority(const std::string& common_name) {
  CertificateOptions options;
  options.common_name = common_name;
  options.authority = true;
  return make_certificate(options);
}

std::string write_file(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

}  // namespace asyncio::testing

// Every public string parameter of asyncio::ssl: with '\0', line breaks, empty, too long, and invalid UTF-8.
#include "stage6/ssl/tls_support.h"
#include "stage6/string_parameters.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

namespace asyncio::testing {
namespace {

ssl::SSLContext client() { return ssl::SSLContext(ssl::TLSProtocol::TLS_CLIENT); }

/// The text as the name of a file with this content. A file "a" is there as well: a shortened name would be found.
template <class F>
auto file(std::string content, F use) {
  return [=](std::string text) -> Coro<bool> {
    const TemporaryFolder folder;
    write_file(folder / "a", content);
    if (!text.empty()) {
      text = folder / text;
      if (text.find('\0') == text.npos && text.size() < 4096) write_file(text, content);
    }
    use(text);
    co_return true;
  };
}
template <class F>
auto text(F use) {
  return [=](std::string text) -> Coro<bool> { co_return use(text); };
}

bool use_cadata(const std::string& text) {
  client().load_verify_locations("", "", authority().certificate + text);
  return true;
}
bool use_cadata_alone(const std::string& text) {
  client().load_verify_locations("", "", text);
  return false;
}
bool use_pem(const std::string& text) {
  server_context().load_cert_chain_pem(text, localhost().key);
  return false;
}
bool use_key(const std::string& text) {
  server_context().load_cert_chain_pem(localhost().certificate, text);
  return false;
}
bool use_ciphers(const std::string& text) {
  client().set_ciphers(text);
  return false;
}
/// A shortened one would be accepted.
bool use_good_ciphers(const std::string& text) {
  client().set_ciphers("ECDHE+AESGCM" + text);
  return true;
}
bool use_alpn(const std::string& text) {
  client().set_alpn_protocols({text});
  return true;
}
ssl::Certificate certificate() {
  ssl::Certificate made;
  made.der = "der";
  return made;
}
bool use_digest(const std::string& text) {
  certificate().fingerprint(text);
  return false;
}
bool use_good_digest(const std::string& text) { return !certificate().fingerprint("sha256" + text).empty(); }
/// Not whether it is cut: the key is not encrypted, so that nobody asks for it.
void use_password(const std::string& text) {
  const TemporaryFolder folder;
  const std::string path = write_file(folder / "both", localhost().certificate + localhost().key);
  ssl::SSLContext(ssl::TLSProtocol::TLS_SERVER).load_cert_chain(path, "", text);
}

TEST(SslStrings, NoneIsCutShort) {
  constexpr Fate W = Fate::whole, R = Fate::refused, F = Fate::failed;
  const std::string both = localhost().certificate + localhost().key, root = authority().certificate;
  const auto as_certificate = [](const std::string& path) { server_context().load_cert_chain(path); };
  const auto as_key = [](const std::string& path) {
    const TemporaryFolder folder;
    const std::string certificates = write_file(folder / "certificates", localhost().certificate);
    server_context().load_cert_chain(certificates, path);
  };
  const auto as_cafile = [](const std::string& path) { client().load_verify_locations(path); };
  const auto as_capath = [](const std::string& path) { client().load_verify_locations("", path); };
  const auto as_cafile_by_default = [](const std::string& path) {
    ssl::create_default_context(ssl::Purpose::SERVER_AUTH, path);
  };
  const auto as_capath_by_default = [](const std::string& path) {
    ssl::create_default_context(ssl::Purpose::SERVER_AUTH, "", path);
  };
  const auto as_cadata_by_default = [](const std::string& data) {
    ssl::create_default_context(ssl::Purpose::SERVER_AUTH, "", "", authority().certificate + data);
    return true;
  };
  const auto as_keylog = [](const std::string& path) {
    ssl::SSLContext context = client();
    context.set_keylog_filename(path);
    EXPECT_TRUE(path.empty() || ::access(path.c_str(), F_OK) == 0);
  };
  const auto as_password = [](const std::string& password) {
    use_password(password);
    return true;
  };
  std::vector<StringParameter> table = {
      // name, its use, and the fate of NUL, CR, LF, "", 64 KiB, invalid UTF-8
      {"load_cert_chain(certfile)", file(both, as_certificate), R, W, W, F, F, W},
      {"load_cert_chain(keyfile)", file(both, as_key), R, W, W, F, F, W},
      {"load_cert_chain(password)", text(as_password)},
      {"load_cert_chain_pem(certificates)", text(use_pem), F, F, F, F, F, F},
      {"load_cert_chain_pem(key)", text(use_key), F, F, F, F, F, F},
      {"load_verify_locations(cafile)", file(root, as_cafile), R, W, W, R, F, W},
      {"load_verify_locations(capath)", file(root, as_capath), R, W, W, R, W, W},  // is only read when needed
      {"load_verify_locations(cadata)", text(use_cadata)},
      {"load_verify_locations(cadata)", text(use_cadata_alone), R, R, R, R, R, R},
      {"create_default_context(cafile)", file(root, as_cafile_by_default), R, W, W, W, F, W},
      {"create_default_context(capath)", file(root, as_capath_by_default), R, W, W, W, W, W},
      {"create_default_context(cadata)", text(as_cadata_by_default)},
      {"set_ciphers(ciphers)", text(use_ciphers), R, F, F, F, F, F},
      {"set_ciphers(ciphers)", text(use_good_ciphers), R, F, F, W, F, F},
      {"set_alpn_protocols(protocols)", text(use_alpn), W, W, W, R, R, W},
      {"set_keylog_filename(path)", file("", as_keylog), R, W, W, W, F, W},
      {"fingerprint(digest)", text(use_digest), R, R, R, R, R, R},
      {"fingerprint(digest)", text(use_good_digest), R, R, R, W, R, R},
  };
  const std::set<std::string> others = {
      // what a certificate, a cipher, a connection says
      "(der)", "(name)", "(not_after)", "(not_before)", "(protocol)", "(serial_number)",
      // messages
      "SSLError(text)", "SSLCertVerificationError(certificate)", "SSLCertVerificationError(verify_message)",
      // layer_test.cpp: AnImpossibleServerHostnameIsRefused and others
      "SSLObject(server_hostname)"};
  check_string_parameters(ASYNCIO_STAGE6_SOURCE_DIR "/ssl", std::move(table), others);
}

// Of two locations that are wrong in one respect, nothing is taken.
TEST(SslStrings, WhatIsRefusedHasHadNoEffect) {
  ssl::SSLContext context = client();
  const std::string nul("/etc/ssl\0x", 10);
  EXPECT_THROW(context.load_verify_locations("", nul, authority().certificate), std::invalid_argument);
  run_io([&]() -> Coro<> {
    const ssl::SSLContext serving = server_context();
    ServerOptions serve;
    serve.ssl = &serving;
    Server server = co_await start_server(echo, "127.0.0.1", 0, serve);
    ConnectOptions call;
    call.ssl = &context;
    const std::string failure = co_await failure_of(server.port(), call);
    EXPECT_NE(failure.find("certificate verify failed"), failure.npos) << failure;
    server.close();
  });
}

TEST(SslStrings, TheFileOfKeysIsNotInherited) {
  const auto inherited = [] {
    std::set<int> found;
    for (int fd = 3; fd < 256; ++fd) {
      if (const int flags = ::fcntl(fd, F_GETFD); flags != -1 && (flags & FD_CLOEXEC) == 0) found.insert(fd);
    }
    return found;
  };
  const std::set<int> before = inherited();
  const TemporaryFolder folder;
  ssl::SSLContext context = client();
  context.set_keylog_filename(folder / "keys");
  EXPECT_EQ(inherited(), before);
}

}  // namespace
}  // namespace asyncio::testing

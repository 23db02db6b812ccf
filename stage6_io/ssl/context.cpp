#include "asyncio/ssl/context.h"

#include "asyncio/ssl/detail/context_state.h"
#include "asyncio/ssl/detail/ssl_protocol.h"
#include "asyncio/ssl/errors.h"

#include <asyncio/detail/c_string.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <utility>

namespace asyncio::ssl {
namespace detail {
namespace {

ContextState& state_of(const SSL_CTX* context) { return *static_cast<ContextState*>(SSL_CTX_get_app_data(context)); }

// ── OpenSSL's callbacks: no exception may leave them ────────────────────────────────────────────────────────────────

int choose_alpn(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                unsigned int offered_size, void* argument) {
  const std::string& ours = static_cast<ContextState*>(argument)->alpn;
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(ours.data()),
                                           static_cast<unsigned int>(ours.size()), offered, offered_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;  // as CPython: continue without ALPN
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

// The name in the client's hello (RFC 6066); "" if there is none, or if OpenSSL will refuse it as malformed.
std::string_view requested_name(SSL* ssl) {
  constexpr std::size_t kHead = 5;  // the size of the list, the type of its only entry, and the size of that
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) != 1) return std::string_view();
  if (size < kHead || data[2] != TLSEXT_NAMETYPE_host_name) return std::string_view();
  const std::string_view name(reinterpret_cast<const char*>(data) + kHead, size - kHead);
  const bool well_formed = name.size() == data[3] * std::size_t{256} + data[4] && name.find('\0') == name.npos;
  return well_formed ? name : std::string_view();
}

// SSL_set_SSL_CTX() changes the certificate, the ciphers and ALPN only: the SSL has copies of the rest.
void switch_context(SSL* ssl, SSL_CTX* context) {
  if (!SSL_set_SSL_CTX(ssl, context)) throw std::bad_alloc();  // else the rest would apply to the old one
  SSL_set_verify(ssl, SSL_CTX_get_verify_mode(context), SSL_CTX_get_verify_callback(context));
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl);
  const unsigned long flags = X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(context));
  X509_VERIFY_PARAM_clear_flags(rules, X509_VERIFY_PARAM_get_flags(rules) & ~flags);
  X509_VERIFY_PARAM_set_flags(rules, flags);
  SSL_set_verify_depth(ssl, SSL_CTX_get_verify_depth(context));
  SSL_set_min_proto_version(ssl, static_cast<int>(SSL_CTX_get_min_proto_version(context)));
  SSL_set_max_proto_version(ssl, static_cast<int>(SSL_CTX_get_max_proto_version(context)));
  SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(context));
}

// Runs before OpenSSL looks for a session to resume. Its callback for server names comes after that: a client could
// then resume, in the context that it switches to, a session of another one, and skip what that context verifies.
int on_client_hello(SSL* ssl, int* alert, void* argument) {
  try {
    const auto callback = static_cast<ContextState*>(argument)->on_servername;  // a copy: it may replace itself
    if (const SSLContext* other = callback(requested_name(ssl))) {
      SSLProtocol::of(ssl).keep(other->engine());
      switch_context(ssl, other->native_handle());
    }
    return SSL_CLIENT_HELLO_SUCCESS;
  } catch (...) {
    SSLProtocol::of(ssl).keep(std::current_exception());
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    return SSL_CLIENT_HELLO_ERROR;
  }
}

// Tells the client that its name was used.
int acknowledge_name(SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; }

// Records which certificate of the chain is at fault; does not change the result.
int on_verified(int ok, X509_STORE_CTX* store) {
  if (ok) return ok;
  const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  char text[256] = "";
  if (X509* certificate = X509_STORE_CTX_get_current_cert(store)) {
    X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof text);
  }
  try {
    SSLProtocol::of(ssl).set_certificate_at_fault(text[0] == '/' ? text + 1 : text);
  } catch (...) {  // no memory: the error will name no certificate
  }
  return ok;
}

int on_new_session(SSL* ssl, SSL_SESSION* session) {
  SessionPointer owned(session);
  try {
    ContextState& state = state_of(SSL_get_SSL_CTX(ssl));
    const SSLProtocol& connection = SSLProtocol::of(ssl);
    if (state.reuse_sessions) {
      state.keep_session(connection.server_hostname(), std::move(owned), connection.session_generation());
    }
  } catch (...) {  // no memory: the next connection makes a full handshake
  }
  return owned ? (owned.release(), 0) : 1;
}

void log_secret(const SSL* ssl, const char* line) {
  std::FILE* file = state_of(SSL_get_SSL_CTX(ssl)).keylog.get();
  std::fprintf(file, "%s\n", line);
  std::fflush(file);
}

}  // namespace

// ── the state ───────────────────────────────────────────────────────────────────────────────────────────────────────

ContextState::ContextState(TLSProtocol side) : protocol(side) {
  ERR_clear_error();
  context_.reset(SSL_CTX_new(side == TLSProtocol::TLS_CLIENT ? TLS_client_method() : TLS_server_method()));
  if (!context_) throw_error();
  SSL_CTX* context = context_.get();
  if (SSL_CTX_set_app_data(context, this) != 1) throw_error();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Partial writes, from a buffer that may move; an idle connection frees its buffers.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  // CPython's list: forward secrecy, authenticated ciphers first, nothing without authentication.
  if (SSL_CTX_set_cipher_list(context,
                              "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:"
                              "!AESCCM") != 1) {
    throw_error();
  }
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_TRUSTED_FIRST);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  forget_sessions();
  SSL_CTX_set_verify(context, side == TLSProtocol::TLS_CLIENT ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, on_verified);
  if (side == TLSProtocol::TLS_CLIENT) {
    check_hostname = true;
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_new_session);
  }
}

std::shared_ptr<asyncio::detail::TlsLayer> ContextState::make_layer(Loop& loop, std::shared_ptr<BaseProtocol> above,
                                                                    asyncio::detail::TlsSetup setup) {
  if (setup.server_side != (protocol == TLSProtocol::TLS_SERVER)) {
    throw std::invalid_argument(setup.server_side ? "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context"
                                                  : "Cannot create a client socket with a PROTOCOL_TLS_SERVER context");
  }
  return SSLProtocol::make(loop, std::move(above), shared_from_this(), std::move(setup));
}

SSLPointer ContextState::make_ssl() const {
  ERR_clear_error();
  SSLPointer ssl(SSL_new(context_.get()));
  if (!ssl) throw_error();
  return ssl;
}

SessionPointer ContextState::session_of(const std::string& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(host);
  if (found == sessions_.end()) return nullptr;
  SSL_SESSION_up_ref(found->second.get());
  return SessionPointer(found->second.get());
}

// When it was made. (The older name is deprecated, as its `long` may be too short.)
static auto time_of(const SSL_SESSION* session) {
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
  return SSL_SESSION_get_time_ex(session);
#else
  return SSL_SESSION_get_time(session);
#endif
}

void ContextState::keep_session(const std::string& host, SessionPointer session, std::uint64_t generation) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_) return;
  if (sessions_.size() >= kMostSessions && !sessions_.contains(host)) {
    const auto is_older = [](const auto& a, const auto& b) {
      return time_of(a.second.get()) < time_of(b.second.get());
    };
    sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(), is_older));
  }
  sessions_[host].swap(session);
}

std::uint64_t ContextState::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

// A client's ticket says in which session id context it was made, and OpenSSL accepts it in no other.
void ContextState::forget_sessions() {
  static std::atomic<std::uint64_t> last_id = 0;
  const std::uint64_t id = ++last_id;
  if (SSL_CTX_set_session_id_context(native(), reinterpret_cast<const unsigned char*>(&id), sizeof id) != 1) {
    throw_error();
  }
  const std::lock_guard lock(mutex_);
  sessions_.clear();
  ++generation_;
}

// ── OpenSSL's objects and errors ────────────────────────────────────────────────────────────────────────────────────

void Free::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }
void Free::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }
void Free::operator()(ssl_session_st* session) const noexcept { SSL_SESSION_free(session); }
void Free::operator()(x509_st* certificate) const noexcept { X509_free(certificate); }

void throw_error() { std::rethrow_exception(take_error()); }

}  // namespace detail

// ── SSLContext ──────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

void throw_unless(bool ok) {
  if (!ok) detail::throw_error();
}

struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using BioPointer = std::unique_ptr<BIO, FreeBio>;

BioPointer read_only(const std::string& text) {
  BioPointer bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) detail::throw_error();
  return bio;
}

// Throws an error that names the file; OpenSSL's error does not.
void check_readable(const std::string& path) {
  if (path.find('\0') != path.npos) throw std::invalid_argument("embedded null character in a path");
  const std::unique_ptr<std::FILE, detail::ContextState::CloseFile> file(std::fopen(path.c_str(), "re"));
  if (!file) throw std::system_error(errno, std::generic_category(), path);
}

// The next certificate of the text; null at its end, which OpenSSL reports as an error.
detail::X509Pointer next_certificate(BIO* text) {
  detail::X509Pointer certificate(PEM_read_bio_X509(text, nullptr, nullptr, nullptr));
  if (certificate) return certificate;
  const unsigned long code = ERR_peek_last_error();
  if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE) detail::throw_error();
  ERR_clear_error();
  return nullptr;
}

int give_password(char* buffer, int size, int, void* argument) {
  const auto& password = *static_cast<const std::string*>(argument);
  if (password.size() > static_cast<std::size_t>(size)) return -1;
  std::copy(password.begin(), password.end(), buffer);
  return static_cast<int>(password.size());
}

/// OpenSSL gets a key's password from a callback. Without one, it would ask on the terminal.
class Password {
 public:
  Password(SSL_CTX* context, const std::string& password) : context_(context) {
    SSL_CTX_set_default_passwd_cb(context, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(context, const_cast<std::string*>(&password));
  }
  Password(const Password&) = delete;
  Password& operator=(const Password&) = delete;
  ~Password() {
    SSL_CTX_set_default_passwd_cb(context_, nullptr);
    SSL_CTX_set_default_passwd_cb_userdata(context_, nullptr);
  }

 private:
  SSL_CTX* context_;
};

}  // namespace

SSLContext::SSLContext(TLSProtocol protocol) : state_(std::make_shared<detail::ContextState>(protocol)) {}

std::shared_ptr<asyncio::detail::TlsEngine> SSLContext::engine() const { return state_; }
ssl_ctx_st* SSLContext::native_handle() const noexcept { return state_->native(); }

void SSLContext::load_cert_chain(const std::string& certfile, const std::string& keyfile, const std::string& password) {
  const std::string& key = keyfile.empty() ? certfile : keyfile;
  check_readable(certfile);
  check_readable(key);
  state_->forget_sessions();  // a resumed connection shows no certificate: it would pass for whom we were before
  ERR_clear_error();
  const Password for_the_key(native_handle(), password);
  throw_unless(SSL_CTX_use_certificate_chain_file(native_handle(), certfile.c_str()) == 1);
  throw_unless(SSL_CTX_use_PrivateKey_file(native_handle(), key.c_str(), SSL_FILETYPE_PEM) == 1);
  throw_unless(SSL_CTX_check_private_key(native_handle()) == 1);
}

void SSLContext::load_cert_chain_pem(const std::string& certificates, const std::string& key) {
  state_->forget_sessions();  // as above
  ERR_clear_error();
  const BioPointer chain = read_only(certificates);
  const detail::X509Pointer first(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  throw_unless(first != nullptr);
  throw_unless(SSL_CTX_use_certificate(native_handle(), first.get()) == 1);
  SSL_CTX_clear_chain_certs(native_handle());
  while (const detail::X509Pointer next = next_certificate(chain.get())) {
    throw_unless(SSL_CTX_add1_chain_cert(native_handle(), next.get()) == 1);
  }
  EVP_PKEY* private_key = PEM_read_bio_PrivateKey(read_only(key).get(), nullptr, nullptr, nullptr);
  throw_unless(private_key != nullptr);
  const bool fits = SSL_CTX_use_PrivateKey(native_handle(), private_key) == 1;
  EVP_PKEY_free(private_key);
  throw_unless(fits && SSL_CTX_check_private_key(native_handle()) == 1);
}

void SSLContext::load_verify_locations(const std::string& cafile, const std::string& capath,
                                       const std::string& cadata) {
  if (cafile.empty() && capath.empty() && cadata.empty()) {
    throw std::invalid_argument("cafile, capath and cadata cannot be all omitted");
  }
  if (!cafile.empty()) check_readable(cafile);
  asyncio::detail::check_c_string(capath);
  state_->forget_sessions();  // there may be a list of revoked certificates in it
  ERR_clear_error();
  if (!cadata.empty()) {
    const BioPointer text = read_only(cadata);
    X509_STORE* store = SSL_CTX_get_cert_store(native_handle());
    int count = 0;
    while (const detail::X509Pointer root = next_certificate(text.get())) {
      throw_unless(X509_STORE_add_cert(store, root.get()) == 1);
      ++count;
    }
    if (count == 0) throw std::invalid_argument("no start line: cadata does not contain a certificate");
  }
  if (cafile.empty() && capath.empty()) return;
  throw_unless(SSL_CTX_load_verify_locations(native_handle(), cafile.empty() ? nullptr : cafile.c_str(),
                                             capath.empty() ? nullptr : capath.c_str()) == 1);
}

void SSLContext::set_default_verify_paths() {
  state_->forget_sessions();
  ERR_clear_error();
  throw_unless(SSL_CTX_set_default_verify_paths(native_handle()) == 1);
}

VerifyMode SSLContext::verify_mode() const noexcept {
  const int mode = SSL_CTX_get_verify_mode(native_handle());
  if ((mode & SSL_VERIFY_PEER) == 0) return VerifyMode::CERT_NONE;
  const bool required = state_->protocol == TLSProtocol::TLS_CLIENT || (mode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) != 0;
  return required ? VerifyMode::CERT_REQUIRED : VerifyMode::CERT_OPTIONAL;
}

void SSLContext::set_verify_mode(VerifyMode mode) {
  if (mode == VerifyMode::CERT_NONE && state_->check_hostname) {
    throw std::invalid_argument("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.");
  }
  state_->forget_sessions();  // a resumed connection does not verify again
  const int modes[] = {SSL_VERIFY_NONE, SSL_VERIFY_PEER, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT};
  SSL_CTX_set_verify(native_handle(), modes[static_cast<std::size_t>(mode)],
                     SSL_CTX_get_verify_callback(native_handle()));
}

bool SSLContext::check_hostname() const noexcept { return state_->check_hostname; }

void SSLContext::set_check_hostname(bool on) {
  if (on && verify_mode() == VerifyMode::CERT_NONE) set_verify_mode(VerifyMode::CERT_REQUIRED);
  state_->forget_sessions();
  state_->check_hostname = on;
}

unsigned long SSLContext::verify_flags() const noexcept {
  return X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(native_handle()));
}

void SSLContext::set_verify_flags(unsigned long flags) {
  state_->forget_sessions();
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(native_handle());
  const unsigned long now = X509_VERIFY_PARAM_get_flags(rules);
  throw_unless(X509_VERIFY_PARAM_clear_flags(rules, now & ~flags) == 1 &&
               X509_VERIFY_PARAM_set_flags(rules, flags & ~now) == 1);
}

TLSVersion SSLContext::minimum_version() const noexcept {
  return static_cast<TLSVersion>(SSL_CTX_get_min_proto_version(native_handle()));
}
// OpenSSL's 0 means the highest version.
TLSVersion SSLContext::maximum_version() const noexcept {
  const long version = SSL_CTX_get_max_proto_version(native_handle());
  return version == 0 ? TLSVersion::TLSv1_3 : static_cast<TLSVersion>(version);
}
void SSLContext::set_minimum_version(TLSVersion version) {
  SSL_CTX_set_min_proto_version(native_handle(), static_cast<int>(version));
}
void SSLContext::set_maximum_version(TLSVersion version) {
  SSL_CTX_set_max_proto_version(native_handle(), static_cast<int>(version));
}

void SSLContext::set_ciphers(const std::string& ciphers) {
  if (ciphers.find('\0') != ciphers.npos) throw std::invalid_argument("embedded null character in the ciphers");
  ERR_clear_error();
  // Tries the list on another context: OpenSSL drops the old list even if it refuses the new one.
  const detail::ContextPointer trial(SSL_CTX_new(TLS_method()));
  throw_unless(trial != nullptr);
  if (SSL_CTX_set_cipher_list(trial.get(), ciphers.c_str()) != 1) {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    throw SSLError(code, "No cipher can be selected.");
  }
  throw_unless(SSL_CTX_set_cipher_list(native_handle(), ciphers.c_str()) == 1);
}

void SSLContext::set_alpn_protocols(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255)
      throw std::invalid_argument("ALPN protocols must be 1 to 255 in length");
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  ERR_clear_error();
  if (SSL_CTX_set_alpn_protos(native_handle(), reinterpret_cast<const unsigned char*>(wire.data()),
                              static_cast<unsigned int>(wire.size())) != 0) {  // unlike its siblings: 0 is success
    detail::throw_error();
  }
  state_->alpn = std::move(wire);
  SSL_CTX_set_alpn_select_cb(native_handle(), (state_->alpn.empty() ? nullptr : detail::choose_alpn), state_.get());
}

void SSLContext::set_servername_callback(ServerNameCallback callback) {
  SSL_CTX_set_client_hello_cb(native_handle(), (callback ? detail::on_client_hello : nullptr), state_.get());
  SSL_CTX_set_tlsext_servername_callback(native_handle(), (callback ? detail::acknowledge_name : nullptr));
  state_->on_servername = std::move(callback);
}

void SSLContext::set_reuse_sessions(bool on) {
  state_->reuse_sessions = on;
  if (!on) state_->forget_sessions();
}

void SSLContext::set_num_tickets(std::size_t count) { SSL_CTX_set_num_tickets(native_handle(), count); }

void SSLContext::set_keylog_filename(const std::string& path) {
  asyncio::detail::check_c_string(path);
  decltype(state_->keylog) file(path.empty() ? nullptr : std::fopen(path.c_str(), "ae"));
  if (!file && !path.empty()) throw std::system_error(errno, std::generic_category(), path);
  // Only while it is wanted: for it, OpenSSL formats each secret, which is a tenth of a handshake.
  SSL_CTX_set_keylog_callback(native_handle(), (file ? detail::log_secret : nullptr));
  state_->keylog = std::move(file);
}

SSLContext create_default_context(Purpose purpose, const std::string& cafile, const std::string& capath,
                                  const std::string& cadata) {
  SSLContext context(purpose == Purpose::SERVER_AUTH ? TLSProtocol::TLS_CLIENT : TLSProtocol::TLS_SERVER);
  context.set_verify_flags(context.verify_flags() | VERIFY_X509_PARTIAL_CHAIN | VERIFY_X509_STRICT);
  if (!cafile.empty() || !capath.empty() || !cadata.empty()) {
    context.load_verify_locations(cafile, capath, cadata);
  } else if (context.verify_mode() != VerifyMode::CERT_NONE) {
    context.load_default_certs();
  }
  if (const char* path = std::getenv("SSLKEYLOGFILE"); path && *path) context.set_keylog_filename(path);
  return context;
}

}  // namespace asyncio::ssl

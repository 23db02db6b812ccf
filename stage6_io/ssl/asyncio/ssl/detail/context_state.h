// The state of an SSLContext, shared with its connections. Read next: ../../../context.cpp
#pragma once

#include <asyncio/ssl/context.h>
#include <asyncio/ssl/detail/openssl.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace asyncio::ssl::detail {

class ContextState final : public asyncio::detail::TlsEngine, public std::enable_shared_from_this<ContextState> {
 public:
  explicit ContextState(TLSProtocol protocol);
  ContextState(const ContextState&) = delete;
  ContextState& operator=(const ContextState&) = delete;

  std::shared_ptr<asyncio::detail::TlsLayer> make_layer(Loop& loop, std::shared_ptr<BaseProtocol> protocol,
                                                        asyncio::detail::TlsSetup setup) override;

  /// A new SSL with these settings.
  SSLPointer make_ssl() const;
  ssl_ctx_st* native() const noexcept { return context_.get(); }

  // Several threads may call these four at once.
  /// The session to resume with that host, or null.
  SessionPointer session_of(const std::string& host) const;
  /// Keeps the session of a connection that began in this generation, unless they were forgotten since. At most
  /// kMostSessions: beyond that, the oldest goes.
  void keep_session(const std::string& host, SessionPointer session, std::uint64_t generation);
  /// How often sessions were forgotten.
  std::uint64_t generation() const;
  /// Begins a new generation: no session of an earlier one is resumed, also not by a server's clients.
  void forget_sessions();

  static constexpr std::size_t kMostSessions = 1024;

  struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  const TLSProtocol protocol;
  bool check_hostname = false;
  bool reuse_sessions = false;
  std::string alpn;  // in wire format: each name after its length
  SSLContext::ServerNameCallback on_servername;
  std::unique_ptr<std::FILE, CloseFile> keylog;

 private:
  ContextPointer context_;
  mutable std::mutex mutex_;  // protects the two below
  std::map<std::string, SessionPointer, std::less<>> sessions_;
  std::uint64_t generation_ = 0;
};

}  // namespace asyncio::ssl::detail

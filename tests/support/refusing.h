// A port that refuses everybody; and SIGPIPE as the tests need it.
#pragma once

#include <csignal>

namespace asyncio::testing {

/// A port of this machine's IPv4 addresses where nobody listens: whoever connects is refused. A socket of this process
/// has it, and does not listen. Otherwise another program might get it; or the connection itself, as its own end, and
/// it would be connected with itself.
int refusing_port();

/// During its lifetime SIGPIPE ends the program, even if whoever started the tests ignores it.
class DefaultSigpipe {
 public:
  DefaultSigpipe() : before_(std::signal(SIGPIPE, SIG_DFL)) {}
  DefaultSigpipe(const DefaultSigpipe&) = delete;
  DefaultSigpipe& operator=(const DefaultSigpipe&) = delete;
  ~DefaultSigpipe() { std::signal(SIGPIPE, before_); }

 private:
  void (*before_)(int);
};

}  // namespace asyncio::testing

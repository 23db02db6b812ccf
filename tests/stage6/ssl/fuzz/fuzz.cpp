// libFuzzer on the TLS layer, from both sides. run.sh builds and runs it.
//
// The input's first byte chooses: bit 0: our side is the server; bit 1: TLS 1.2 only; bit 2: the rest of the input is
// what the peer sends, else it is a conversation: a list of things that the peer, the network and the program do.
#include "stage6/ssl/layers.h"

#include <asyncio/run.h>
#include <openssl/err.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace {

using namespace asyncio;
using namespace asyncio::testing;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

// The contexts and the identities are made once.
Layers make_layers(unsigned choice) {
  static const ssl::SSLContext serving = server_context(), calling = client_context();
  const bool is_server = (choice & 1) != 0;
  return {true, nullptr, is_server, (choice & 2) != 0 ? TLS1_2_VERSION : TLS1_3_VERSION, is_server ? serving : calling};
}

void check_the_end(Layers& layers) {
  layers.layer->connection_lost(nullptr);
  require(layers.handshake.done(), "the waiter of the handshake was woken");
  layers.handshake.exception();  // retrieved
}

// ── a peer without keys ─────────────────────────────────────────────────────────────────────────────────────────────

Coro<> hear(unsigned choice, std::string_view input) {
  Layers layers = make_layers(choice);
  const std::size_t piece = 1 + (choice >> 3) * std::size_t{32};
  for (std::size_t at = 0; at < input.size() && !layers.raw->aborted; at += piece) {
    layers.receive(input.substr(at, piece));
    if (at % 1000 < piece) layers.transport->write("ours");
  }
  if (!layers.raw->aborted) layers.layer->eof_received();
  check_the_end(layers);
  require(layers.protocol->received.empty(), "nobody has the keys");
  co_await ticks(3);
}

// ── a peer with keys ────────────────────────────────────────────────────────────────────────────────────────────────

constexpr std::string_view kSecret = "nobody else may read this ";

class Conversation {
 public:
  Conversation(unsigned choice, std::string_view input) : layers_(make_layers(choice)), input_(input) {
    layers_.protocol->on_data = [this, reaction = choice >> 3] { react(reaction); };
  }

  Coro<> run() {
    while (!input_.empty()) {
      do_next(next());
      if (next_tick_) co_await ticks(1);
      next_tick_ = false;
      check();
    }
    if (!over_ && !layers_.raw->aborted) layers_.layer->eof_received();
    check();
    if (!over_) check_the_end(layers_);
    co_await ticks(3);
    const int made = layers_.protocol->count("connection_made");
    require(made <= 1 && layers_.protocol->count("connection_lost") == made, "each connection made is lost, once");
  }

 private:
  unsigned next() {
    if (input_.empty()) return 0;
    const unsigned byte = static_cast<unsigned char>(input_.front());
    input_.remove_prefix(1);
    return byte;
  }

  void do_next(unsigned what) {
    const bool connected = !over_ && !layers_.raw->aborted && !layers_.raw->closed;
    switch (what % 20) {
      case 0:  // both ways, whole
        to_peer();
        return receive(from_peer());
      case 1: {  // in pieces
        const std::size_t piece = 1 + next();
        to_peer();
        const std::string bytes = from_peer();
        for (std::size_t at = 0; at < bytes.size(); at += piece) receive(bytes.substr(at, piece));
        return;
      }
      case 2: {  // changed
        to_peer();
        std::string bytes = from_peer();
        const std::size_t at = next() * std::size_t{256} + next();
        if (!bytes.empty()) bytes[at % bytes.size()] = static_cast<char>(bytes[at % bytes.size()] ^ next());
        return receive(bytes);
      }
      case 3: {  // cut off: the rest never comes
        to_peer();
        return receive(from_peer().substr(0, next()));
      }
      case 4: {  // bytes of the input
        const std::size_t size = std::min<std::size_t>(next(), input_.size());
        const std::string_view bytes = input_.substr(0, size);
        input_.remove_prefix(size);
        return receive(bytes);
      }
      case 5:
        return write(next() * 300);
      case 6:
        return layers_.transport->pause_reading();
      case 7:
        return layers_.transport->resume_reading();
      case 8:
        if (connected && !paused_) {
          paused_ = true;
          unsent_ = layers_.raw->written.size();
          layers_.layer->pause_writing();
        }
        return;
      case 9:
        if (connected && paused_) {
          paused_ = false;
          layers_.layer->resume_writing();
        }
        return;
      case 10:
        return layers_.transport->close();
      case 11:
        return layers_.transport->abort();
      case 12: {
        const std::string more = pattern(1 + next() * 100, static_cast<unsigned>(said_.size()));
        std::size_t written = 0;
        ERR_clear_error();
        if (SSL_is_init_finished(peer()) && SSL_write_ex(peer(), more.data(), more.size(), &written) == 1) {
          said_ += more.substr(0, written);
        }
        return;
      }
      case 13:
        ERR_clear_error();
        if (SSL_is_init_finished(peer())) SSL_shutdown(peer());
        return;
      case 14:
        ERR_clear_error();
        if (!SSL_is_init_finished(peer())) return;
        SSL_version(peer()) == TLS1_3_VERSION ? SSL_key_update(peer(), SSL_KEY_UPDATE_REQUESTED)
                                              : SSL_renegotiate(peer());
        SSL_do_handshake(peer());
        return;
      case 15:
        if (connected) layers_.layer->eof_received();
        return;
      case 16:
        next_tick_ = true;
        return;
      case 17:
        layers_.transport->set_write_buffer_limits({next() * std::size_t{500}, {}});
        return;
      case 18:
        if (connected || layers_.raw->aborted) lose();
        return;
      default:
        to_peer();
        return;
    }
  }

  /// What the protocol does when it receives.
  void react(unsigned reaction) {
    switch (reaction % 8) {
      case 1:
        return layers_.transport->close();
      case 2:
        return layers_.transport->abort();
      case 3:
        return write(3000);
      case 4:
        return layers_.transport->pause_reading();
      case 5:
        if (layers_.protocol->received.size() > 5000) throw std::runtime_error("a protocol's mistake");
        return;
      case 6:
        layers_.transport->pause_reading();
        return layers_.transport->resume_reading();
      case 7:
        write(100);
        return layers_.transport->close();
      default:
        return;
    }
  }

  void write(std::size_t size) {
    std::string data;
    while (data.size() < size) data += kSecret;
    layers_.transport->write(data);
  }
  void lose() {
    over_ = true;
    check_the_end(layers_);
  }
  void receive(std::string_view bytes) {
    if (!over_ && !layers_.raw->aborted && !layers_.raw->closed && layers_.raw->reading) layers_.receive(bytes);
  }
  std::string from_peer() { return layers_.peer.take_outgoing(); }
  void to_peer() {
    const std::string bytes = std::exchange(layers_.raw->written, std::string());
    unsent_ = 0;
    require(bytes.find(kSecret) == std::string::npos, "no plain byte was sent");
    if (!bytes.empty()) BIO_write(SSL_get_rbio(peer()), bytes.data(), static_cast<int>(bytes.size()));
    ERR_clear_error();
    if (!SSL_is_init_finished(peer())) SSL_do_handshake(peer());
    char buffer[16384];
    std::size_t got = 0;
    while (SSL_is_init_finished(peer()) && SSL_read_ex(peer(), buffer, sizeof buffer, &got) == 1) {
      heard_.append(buffer, got);
      require(heard_.size() < kSecret.size() || heard_.starts_with(kSecret), "the peer hears what was written");
      heard_.erase(0, heard_.size() / kSecret.size() * kSecret.size());
    }
  }
  void check() {
    require(said_.starts_with(layers_.protocol->received), "what was received is what the peer said");
    require(!paused_ || layers_.raw->written.size() <= unsent_, "a transport that asked for a pause is left alone");
  }
  SSL* peer() const { return layers_.peer.ssl(); }

  Layers layers_;
  std::string_view input_;
  std::string said_;
  std::string heard_;       // the last of it
  std::size_t unsent_ = 0;  // when it asked for the pause
  bool paused_ = false;
  bool over_ = false;  // connection_lost() was called
  bool next_tick_ = false;
};

Coro<> converse(unsigned choice, std::string_view input) {
  Conversation conversation(choice, input);
  co_await conversation.run();
}

Coro<> play(std::string_view input) {
  Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
  const unsigned choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  co_await ((choice & 4) != 0 ? hear(choice, input) : converse(choice, input));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string input(reinterpret_cast<const char*>(data), size);
  run(play(input));
  return 0;
}

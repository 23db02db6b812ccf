// A hostile peer, in memory: what it sends is cut, changed, doubled or random, from the hello to the end, to our client and to our
// server. Whatever it sends: the protocol hears only what the peer has said, in order, and in the end all is freed.
// ASYNCIO_DEEP=1 runs a hundred times as many.
#include "stage6/ssl/layers.h"

#include <openssl/err.h>

#include <cstdlib>
#include <random>

namespace asyncio::testing {
namespace {

using Random = std::mt19937;

enum class Change { none, cut, flip, insert, repeat, random, swap };

std::string changed(Random& random, std::string bytes, Change change) {
  if (bytes.empty()) return bytes;
  const std::size_t at = random() % bytes.size();
  const std::size_t size = 1 + random() % 20;
  switch (change) {
    case Change::none:
      break;
    case Change::cut:
      bytes.erase(at, size);
      break;
    case Change::flip:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
      break;
    case Change::insert:
      bytes.insert(at, pattern(size, random()));
      break;
    case Change::repeat:
      bytes.insert(at, bytes.substr(at, 1 + random() % 500));
      break;
    case Change::random:
      bytes = pattern(bytes.size(), random());
      break;
    case Change::swap:
      std::swap(bytes[at], bytes[random() % bytes.size()]);
      break;
  }
  return bytes;
}

/// One connection, in which the `flight`-th thing that the peer sends is changed. Returns whether it came to an end.
void converse(Random& random, bool is_server, int version, int flight, Change change) {
  Layers layers(true, nullptr, is_server, version);
  const std::string said = "what the peer says\n" + pattern(20'000);
  const std::string secret = "nobody else may read this";
  std::string sent;
  layers.transport->write(secret);
  bool spoken = false;
  for (int turn = 0; turn < 20; ++turn) {
    const std::string to_peer = std::exchange(layers.raw->written, std::string());
    sent += to_peer;
    if (!to_peer.empty()) BIO_write(SSL_get_rbio(layers.peer.ssl()), to_peer.data(), static_cast<int>(to_peer.size()));
    ERR_clear_error();
    if (!SSL_is_init_finished(layers.peer.ssl())) SSL_do_handshake(layers.peer.ssl());
    if (SSL_is_init_finished(layers.peer.ssl()) && !std::exchange(spoken, true)) {
      layers.peer.encrypt(said);
      SSL_shutdown(layers.peer.ssl());
    }
    std::string from_peer = layers.peer.take_outgoing();
    if (to_peer.empty() && from_peer.empty()) break;
    if (!from_peer.empty() && flight-- == 0) from_peer = changed(random, std::move(from_peer), change);
    for (std::size_t at = 0; at < from_peer.size() && !layers.raw->aborted;) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 5000, from_peer.size() - at);
      layers.receive(std::string_view(from_peer).substr(at, size));
      at += size;
    }
  }
  EXPECT_TRUE(said.starts_with(layers.protocol->received));
  EXPECT_TRUE(change != Change::none || layers.protocol->received == said);
  if (!layers.raw->aborted) layers.layer->eof_received();
  sent += layers.raw->written;
  EXPECT_EQ(sent.find(secret), std::string::npos);
  layers.layer->connection_lost(nullptr);
  EXPECT_TRUE(layers.handshake.done());
  if (layers.handshake.done()) layers.handshake.exception();  // retrieved
  EXPECT_LE(layers.protocol->count("connection_made"), 1);
}

TEST(TlsHostile, WhatAPeerNeverSaidIsNeverHeard) {
  const int parts = std::getenv("ASYNCIO_DEEP") ? 100 : 1;
  Random random(1);
  for (int part = 0; part < parts; ++part) {  // each with run_io()'s time
    run_io([&random, part]() -> Coro<> {
      Loop::running().set_exception_handler([](Loop&, const ErrorContext&) {});
      for (int round = 0; round < 30; ++round) {
        for (const bool is_server : {false, true}) {
          for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            const Change change = part == 0 && round == 0 ? Change::none : Change(1 + random() % 6);
            converse(random, is_server, version, static_cast<int>(random() % 4), change);
          }
        }
        co_await ticks(2);
      }
    });
  }
}

// Bytes that never were a handshake.
TEST(TlsHostile, NoiseIsRefused) {
  run_io([]() -> Coro<> {
    Random random(2);
    for (int round = 0; round < 200; ++round) {
      Layers layers(true, nullptr, round % 2 == 0);
      std::string noise = pattern(1 + random() % 2000, random());
      if (round % 3 == 0) noise.insert(0, "\x16\x03\x01");  // looks like the record of a handshake
      layers.receive(noise);
      layers.layer->eof_received();
      layers.layer->connection_lost(nullptr);
      EXPECT_TRUE(layers.handshake.done() && layers.handshake.exception());
      EXPECT_TRUE(layers.protocol->log.empty());
    }
    co_await ticks(2);
  });
}

}  // namespace
}  // namespace asyncio::testing

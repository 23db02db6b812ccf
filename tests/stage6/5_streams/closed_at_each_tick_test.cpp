// Closes, aborts, moves, drops or cancels each object of a conversation before each tick of it. All tasks end by
// themselves, no descriptor is left, and the exception handler hears of nothing.
#include <asyncio/connections.h>
#include <asyncio/create_server.h>
#include <asyncio/datagrams.h>
#include <asyncio/gather.h>
#include <asyncio/processes.h>
#include <asyncio/streams.h>
#include <asyncio/threads.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/io.h"

namespace asyncio::testing {
namespace {

/// What the scenario has made so far, for the one who disturbs it.
struct Stage {
  std::optional<Server> server;
  std::optional<StreamReader> reader;
  std::optional<StreamWriter> writer;
  std::optional<StreamWriter> accepted;
  std::optional<Process> process;
  Task<> client;
};

using Disturb = std::function<void(Stage&)>;

/// Calls `disturb` once, before tick n; keeps the loop busy until then, so that ticks do not depend on the clock.
class AtTick {
 public:
  AtTick(int n, Stage& stage, Disturb disturb) : n_(n), stage_(stage), disturb_(std::move(disturb)) { next(); }
  AtTick(const AtTick&) = delete;
  AtTick& operator=(const AtTick&) = delete;
  ~AtTick() { callback_.cancel(); }
  bool reached() const noexcept { return reached_; }

 private:
  void next() {
    callback_ = Loop::running().call_soon([this] {
      if (n_-- > 0) return next();
      reached_ = true;
      disturb_(stage_);
    });
  }
  int n_;
  Stage& stage_;
  Disturb disturb_;
  Handle callback_;
  bool reached_ = false;
};

/// An end that the disturbance explains.
template <class A>
Coro<> whatever_comes(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const std::system_error&) {
  } catch (const IncompleteReadError&) {
  } catch (const std::runtime_error&) {  // the server is closed
  } catch (const CancelledError&) {
  }
}

Coro<> answer(Stage& stage, StreamReader reader, StreamWriter writer) {
  stage.accepted.emplace(writer);
  for (;;) {
    const std::string line = co_await reader.readline();
    if (line.empty()) break;
    writer.write(line);
    co_await writer.drain();
  }
  writer.close();
  co_await writer.wait_closed();
}

Coro<> ask(Stage& stage, int port) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  stage.reader.emplace(reader);
  stage.writer.emplace(writer);
  for (const char* line : {"one\n", "two\n"}) {
    writer.write(line);
    co_await writer.drain();
    co_await reader.readexactly(4);
  }
  writer.write_eof();
  co_await reader.read();
  writer.close();
  co_await writer.wait_closed();
}

Coro<> converse(Stage& stage) {
  const auto handler = [&stage](StreamReader reader, StreamWriter writer) -> Coro<> {
    Coro<> answering = answer(stage, std::move(reader), std::move(writer));
    co_await whatever_comes(std::move(answering));
  };
  Server server = co_await start_server(handler, "127.0.0.1", 0);
  stage.server.emplace(server);
  const int port = server.port();
  stage.client = create_task(ask(stage, port));
  co_await whatever_comes(stage.client);
  server.close();
  server.close_clients();
  co_await server.wait_closed();
}

Coro<> with_a_child(Stage& stage) {
  const Process cat = co_await create_subprocess_exec("/bin/cat", ProcessOptions(subprocess::PIPE, subprocess::PIPE));
  stage.process.emplace(cat);
  const auto output = co_await cat.communicate(std::string("meow"));
  EXPECT_TRUE(output.first.empty() || output.first == "meow");
  co_await cat.wait();
}

/// What waits for another process takes any number of ticks: `most` of them are enough.
template <class Scenario>
void disturb_at_each_tick(Scenario scenario, const Disturb& disturb, int most = 1000) {
  for (int n = 0; n < most; ++n) {
    SCOPED_TRACE("before tick " + std::to_string(n));
    const int before = open_descriptors();
    bool reached = false;
    std::string reported;
    run_io([&]() -> Coro<> {
      Loop::running().set_exception_handler(
          [&](Loop&, const ErrorContext& context) { reported += context.to_string() + "\n"; });
      Stage stage;
      {
        AtTick at_tick(n, stage, disturb);
        const Task<> all = create_task(scenario(stage));
        co_await whatever_comes(all);
        reached = at_tick.reached();
      }
      if (stage.process && !stage.process->returncode()) co_await stage.process->wait();
      stage.writer.reset();
      stage.accepted.reset();
      while (all_tasks().size() > 1) co_await sleep(1ms);  // run_io() names those that do not end
    });
    EXPECT_EQ(reported, "");
    EXPECT_EQ(open_descriptors(), before);
    if (!reached || ::testing::Test::HasFailure()) return;
  }
}

TEST(ClosedAtEachTick, TheServer) {
  disturb_at_each_tick(converse, [](Stage& stage) {
    if (stage.server) stage.server->close();
  });
  disturb_at_each_tick(converse, [](Stage& stage) {
    if (stage.server) stage.server->close_clients();
  });
  disturb_at_each_tick(converse, [](Stage& stage) {
    if (stage.server) stage.server->abort_clients();
  });
  disturb_at_each_tick(converse, [](Stage& stage) {
    if (!stage.server) return;
    Server moved = std::move(*stage.server);
    stage.server.reset();
    moved.close();
  });
}

TEST(ClosedAtEachTick, TheClientsStreams) {
  disturb_at_each_tick(converse, [](Stage& stage) {
    if (stage.writer) stage.writer->close();
  });
  disturb_at_each_tick(converse, [](Stage& stage) {
    if (stage.writer) stage.writer->transport()->abort();
  });
  disturb_at_each_tick(converse, [](Stage& stage) {
    if (!stage.writer) return;
    const StreamReader reader = std::move(*stage.reader);
    StreamWriter writer = std::move(*stage.writer);
    stage.reader.reset();
    stage.writer.reset();
    writer.close();
  });
}

TEST(ClosedAtEachTick, TheServersStreams) {
  disturb_at_each_tick(converse, [](Stage& stage) {
    if (stage.accepted) stage.accepted->close();
  });
  disturb_at_each_tick(converse, [](Stage& stage) {
    if (stage.accepted) stage.accepted->transport()->abort();
  });
}

TEST(ClosedAtEachTick, TheTasks) {
  disturb_at_each_tick(converse, [](Stage& stage) {
    if (stage.client) stage.client.cancel();
  });
}

TEST(ClosedAtEachTick, AChild) {
  disturb_at_each_tick(
      with_a_child,
      [](Stage& stage) {
        if (stage.process && !stage.process->returncode()) stage.process->kill();
      },
      60);
  disturb_at_each_tick(
      with_a_child,
      [](Stage& stage) {
        if (stage.process) stage.process->stdin_()->close();
      },
      60);
  disturb_at_each_tick(
      with_a_child,
      [](Stage& stage) {
        if (!stage.process) return;
        const Process moved = std::move(*stage.process);
        stage.process.reset();
        if (!moved.returncode()) moved.terminate();
      },
      60);
}

// ── bare transports and protocols ───────────────────────────────────────────────────────────────────────────────────

/// One end of a conversation of protocols. `Base` is Protocol or DatagramProtocol.
struct End {
  std::shared_ptr<BaseTransport> transport;  // from connection_made()
  std::shared_ptr<BaseProtocol> protocol;
  int made = 0, lost = 0, after = 0;  // how often called; what came after connection_lost()
};

struct Ends {
  End client, server;
  bool replaced = false;                // by set_protocol(): then nobody here hears of the end
  std::function<void()> in_a_callback;  // called in each callback of a protocol
};

/// Counts, and lets somebody disturb.
void called(Ends& ends, End& end) {
  if (end.lost > 0) ++end.after;
  if (ends.in_a_callback) ends.in_a_callback();
}

class Speaker final : public Protocol {
 public:
  Speaker(Ends& ends, End& end, bool begins) : ends_(ends), end_(end), begins_(begins) {}
  void connection_made(std::shared_ptr<Transport> transport) override {
    ++end_.made;
    end_.transport = transport_ = std::move(transport);
    if (begins_) transport_->write("one");
    called(ends_, end_);
  }
  void data_received(std::string_view data) override {
    if (begins_ && heard_ > 0) {
      transport_->write_eof();
    } else if (!transport_->is_closing()) {
      transport_->write(data);
    }
    ++heard_;
    called(ends_, end_);
    EXPECT_EQ(data, "one");  // it is there until this returns
  }
  bool eof_received() override {
    called(ends_, end_);
    return false;
  }
  void pause_writing() override { called(ends_, end_); }
  void resume_writing() override { called(ends_, end_); }
  void connection_lost(std::exception_ptr) override {
    called(ends_, end_);
    ++end_.lost;
  }

 private:
  Ends& ends_;
  End& end_;
  bool begins_;
  int heard_ = 0;
  std::shared_ptr<Transport> transport_;
};

class Sender final : public DatagramProtocol {
 public:
  Sender(Ends& ends, End& end) : ends_(ends), end_(end) {}
  void connection_made(std::shared_ptr<DatagramTransport> transport) override {
    ++end_.made;
    end_.transport = transport_ = std::move(transport);
    called(ends_, end_);
  }
  void datagram_received(std::string_view data, const Address& from) override {
    const std::string before(data);
    if (++heard_ < 3) transport_->sendto(data, from);
    called(ends_, end_);
    EXPECT_EQ(data, before);
    if (heard_ == 3) transport_->close();
  }
  void error_received(const std::system_error&) override { called(ends_, end_); }
  void connection_lost(std::exception_ptr) override {
    called(ends_, end_);
    ++end_.lost;
  }

 private:
  Ends& ends_;
  End& end_;
  int heard_ = 0;
  std::shared_ptr<DatagramTransport> transport_;
};

Coro<> speak(Ends& ends) {
  const auto serve = [&] {
    auto speaker = std::make_shared<Speaker>(ends, ends.server, false);
    ends.server.protocol = speaker;
    return speaker;
  };
  const auto ask = [&] {
    auto speaker = std::make_shared<Speaker>(ends, ends.client, true);
    ends.client.protocol = speaker;
    return speaker;
  };
  Server server = co_await create_server(serve, "127.0.0.1", 0);
  co_await create_connection(ask, "127.0.0.1", server.port());
  while (ends.server.made == 0) co_await sleep(0s);
  for (int i = 0; i < 20; ++i) co_await sleep(0s);
  server.close();
}

Coro<> send_datagrams(Ends& ends) {
  DatagramOptions options;
  options.local_addr = *Address::numeric("127.0.0.1", 0);
  auto receiving = [&] { return std::make_shared<Sender>(ends, ends.server); };
  auto [receiver, receiving_protocol] = co_await create_datagram_endpoint(receiving, options);
  ends.server.protocol = receiving_protocol;
  options.remote_addr = receiver->sockname();
  auto sending = [&] { return std::make_shared<Sender>(ends, ends.client); };
  auto [sender, sending_protocol] = co_await create_datagram_endpoint(sending, options);
  ends.client.protocol = sending_protocol;
  if (!sender->is_closing()) sender->sendto("hello");
  for (int i = 0; i < 12; ++i) co_await sleep(0s);
  sender->close();
  receiver->close();
}

using DisturbEnds = std::function<void(Ends&)>;

/// One run; false if it was over before `n`: a tick, or with `inside`, a callback of a protocol.
template <class Scenario>
bool disturb_ends_once(Scenario scenario, const DisturbEnds& disturb, int n, bool inside) {
  SCOPED_TRACE((inside ? "within callback " : "before tick ") + std::to_string(n));
  const int before = open_descriptors();
  std::string reported;
  bool reached = false;
  run_io([&]() -> Coro<> {
    Loop::running().set_exception_handler(
        [&](Loop&, const ErrorContext& context) { reported += context.to_string() + "\n"; });
    auto ends = std::make_unique<Ends>();
    if (inside) {
      ends->in_a_callback = [&, left = n, all = ends.get()]() mutable {
        if (left-- != 0) return;
        reached = true;
        disturb(*all);
      };
    }
    Stage unused;
    {
      AtTick at_tick(inside ? 100'000 : n, unused, [&](Stage&) { disturb(*ends); });
      co_await whatever_comes(scenario(*ends));
      if (!inside) reached = at_tick.reached();
    }
    ends->in_a_callback = nullptr;
    for (End* end : {&ends->client, &ends->server}) {
      if (end->transport) end->transport->close();
    }
    const auto ended = [](const End& end) { return end.lost >= end.made; };
    while (!ends->replaced && !(ended(ends->client) && ended(ends->server))) co_await sleep(1ms);
    for (int i = 0; i < 5; ++i) co_await sleep(0s);  // for what comes after that
    for (const End* end : {&ends->client, &ends->server}) {
      EXPECT_LE(end->lost, end->made);
      if (!ends->replaced) {
        EXPECT_EQ(end->lost, end->made);
      }
      EXPECT_EQ(end->after, 0);
    }
  });
  EXPECT_EQ(reported, "");
  EXPECT_EQ(open_descriptors(), before);
  return reached;
}

void disturb_ends(const DisturbEnds& disturb) {
  for (const bool inside : {false, true}) {
    int n = 0;
    while (disturb_ends_once(speak, disturb, n, inside) && !::testing::Test::HasFailure()) ++n;
    EXPECT_GT(n, 1);
    n = 0;
    while (disturb_ends_once(send_datagrams, disturb, n, inside) && !::testing::Test::HasFailure()) ++n;
    EXPECT_GT(n, 1);
  }
}

TEST(ClosedAtEachTick, ABareTransport) {
  for (End Ends::*end : {&Ends::client, &Ends::server}) {
    disturb_ends([end](Ends& ends) {
      if ((ends.*end).transport) (ends.*end).transport->close();
    });
    disturb_ends([end](Ends& ends) {
      if (auto* const transport = dynamic_cast<SendTransport*>((ends.*end).transport.get())) transport->abort();
    });
    disturb_ends([end](Ends& ends) {
      auto* const transport = dynamic_cast<SendTransport*>((ends.*end).transport.get());
      if (!transport) return;
      transport->close();
      transport->abort();
    });
    disturb_ends([end](Ends& ends) {
      auto* const transport = dynamic_cast<Transport*>((ends.*end).transport.get());
      if (!transport || transport->is_closing()) return;
      transport->pause_reading();
      Loop::running().call_soon([weak = std::weak_ptr((ends.*end).transport)] {
        if (const auto alive = weak.lock()) dynamic_cast<Transport&>(*alive).resume_reading();
      });
    });
  }
}

TEST(ClosedAtEachTick, WhatHoldsABareTransportOrItsProtocol) {
  for (End Ends::*end : {&Ends::client, &Ends::server}) {
    disturb_ends([end](Ends& ends) { (ends.*end).protocol.reset(); });
    disturb_ends([end](Ends& ends) {
      if (!(ends.*end).transport) return;
      const auto moved = std::move((ends.*end).transport);
      moved->close();
    });
    disturb_ends([end](Ends& ends) {
      End& its = ends.*end;
      if (!its.transport || its.transport->is_closing()) return;
      ends.replaced = true;
      its.protocol.reset();
      if (dynamic_cast<DatagramTransport*>(its.transport.get())) {
        its.transport->set_protocol(std::make_shared<DatagramProtocol>());
      } else {
        its.transport->set_protocol(std::make_shared<Protocol>());
      }
    });
  }
}

// ── the loop, with all that is under way ────────────────────────────────────────────────────────────────────────────

TEST(ClosedAtEachTick, TheLoop) {
  for (int n = 0;; ++n) {
    SCOPED_TRACE("before tick " + std::to_string(n));
    const int before = open_descriptors();
    bool over = false;
    {
      Loop loop;
      loop.set_exception_handler([](Loop&, const ErrorContext&) {});
      Stage stage;
      const auto main = [&]() -> Coro<> {
        AtTick at_tick(n, stage, [](Stage&) { Loop::running().stop(); });
        const Task<> all = create_task(converse(stage));
        create_task(to_thread([] {}));
        co_await all;
        over = !at_tick.reached();
        Loop::running().stop();
      };
      create_task(main, {.loop = &loop});
      loop.run_forever();
      loop.close();
      EXPECT_FALSE(stage.writer && !stage.writer->transport()->is_closing());
    }
    EXPECT_EQ(open_descriptors(), before);
    if (over || ::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace asyncio::testing

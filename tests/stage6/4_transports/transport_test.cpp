// Transports and protocols over sockets: the order of callbacks, flow control, errors, closing.
#include "support/io.h"
#include "support/protocols.h"

#include <asyncio/connections.h>
#include <asyncio/create_server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <limits>

namespace asyncio::testing {
namespace {

/// A transport whose peer is a plain socket.
template <class P>
struct Pair {
  Pair(Connected<P> connected, Socket peer)
      : transport(std::move(connected.first)), protocol(std::move(connected.second)), peer(std::move(peer)) {}
  std::shared_ptr<Transport> transport;
  std::shared_ptr<P> protocol;
  Socket peer;
};

template <class P = LogProtocol>
Coro<Pair<P>> connected(std::shared_ptr<P> protocol = std::make_shared<P>()) {
  auto [here, there] = Socket::pair();
  auto factory = [protocol] { return protocol; };
  Connected<P> connection = co_await create_connection(std::move(factory), std::move(here));
  co_return Pair<P>(std::move(connection), std::move(there));
}

/// More than any socket takes at once.
const std::string& much() {
  static const std::string data = pattern(4 << 20);
  return data;
}

/// Reads what the transport sends, until the end.
Coro<std::string> read_all(Socket& socket) {
  std::string all;
  for (;;) {
    const std::string part = co_await sock_recv(socket, 1 << 20);
    if (part.empty()) co_return all;
    all += part;
  }
}

// ── the beginning ──

// test_selector_events.py: SelectorSocketTransportTests.test_ctor
// test_selector_events.py: SelectorSocketTransportTests.test_ctor_with_waiter
// test_events.py: EventLoopTestsMixin.test_create_connection
// test_selector_events.py: SelectorSocketTransportTests.test_read_ready
TEST(Transport, ConnectionMadeThenReadingThenTheWaiterInOneTick) {
  run_io([]() -> Coro<> {
    auto [here, there] = Socket::pair();
    co_await sock_sendall(there, "early");
    const TickCounter counter(Loop::running());
    auto protocol = std::make_shared<LogProtocol>();
    protocol->on_made = [&] { protocol->note("in tick " + std::to_string(counter.ticks())); };
    auto factory = [protocol] { return protocol; };
    auto [transport, made] = co_await create_connection(std::move(factory), std::move(here));
    EXPECT_EQ(counter.ticks(), 2);  // one for the three callbacks, one for the task
    EXPECT_EQ(made, protocol);
    EXPECT_EQ(protocol->log, (std::vector<std::string>{"connection_made", "in tick 1"}));
    EXPECT_TRUE(transport->is_reading());
    EXPECT_FALSE(transport->is_closing());
    EXPECT_EQ(transport->get_protocol(), protocol);
    EXPECT_GE(transport->fileno(), 0);
    while (protocol->received.empty()) co_await sleep(0s);
    EXPECT_EQ(protocol->received, "early");
    transport->close();
  });
}

// test_selector_events.py: SelectorSocketTransportTests.test_pause_reading_connection_made
TEST(Transport, PauseInsideOfConnectionMadeIsHonoured) {
  run_io([]() -> Coro<> {
    auto protocol = std::make_shared<LogProtocol>();
    protocol->on_made = [p = protocol.get()] { p->transport->pause_reading(); };
    auto pair = co_await connected(protocol);
    EXPECT_FALSE(pair.transport->is_reading());
    co_await sock_sendall(pair.peer, "data");
    co_await sleep(5ms);
    EXPECT_EQ(protocol->received, "");
    pair.transport->resume_reading();
    EXPECT_TRUE(pair.transport->is_reading());
    co_await protocol->until_received(4);
    EXPECT_EQ(protocol->received, "data");
    pair.transport->close();
  });
}

// test_selector_events.py: SelectorSocketTransportTests.test_pause_resume_reading
TEST(Transport, PauseAndResumeMayBeCalledTwiceAndDoNothingOnceItIsClosing) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    pair.transport->pause_reading();
    pair.transport->pause_reading();
    EXPECT_FALSE(pair.transport->is_reading());
    co_await sock_sendall(pair.peer, "1");
    co_await sleep(2ms);
    EXPECT_EQ(pair.protocol->received, "");
    pair.transport->resume_reading();
    pair.transport->resume_reading();
    co_await pair.protocol->until_received(1);
    pair.transport->close();
    EXPECT_FALSE(pair.transport->is_reading());
    pair.transport->pause_reading();
    pair.transport->resume_reading();
    EXPECT_FALSE(pair.transport->is_reading());
    co_await sock_sendall(pair.peer, "2");
    co_await ticks(3);
    EXPECT_EQ(pair.protocol->received, "1");
  });
}

// ── reading ──

// test_selector_events.py: SelectorSocketTransportTests.test_read_ready_eof
// test_selector_events.py: SelectorSocketTransportTests.test_read_ready_eof_keep_open
TEST(Transport, TheEndOfTheStreamClosesItUnlessTheProtocolKeepsItOpen) {
  for (const bool keep_open : {false, true}) {
    run_io([keep_open]() -> Coro<> {
      auto pair = co_await connected();
      pair.protocol->keep_open = keep_open;
      pair.peer.shutdown_write();
      co_await sleep(2ms);
      EXPECT_EQ(pair.protocol->count("eof_received"), 1);
      EXPECT_EQ(pair.transport->is_closing(), !keep_open);
      EXPECT_EQ(pair.protocol->count("connection_lost"), keep_open ? 0 : 1);
      if (!keep_open) co_return;
      pair.transport->write("still");
      EXPECT_EQ(co_await sock_recv(pair.peer, 10), "still");
      pair.transport->close();
      co_await pair.protocol->until_lost();
    });
  }
}

// test_selector_events.py: SelectorSocketTransportTests.test_data_received_error
// test_selector_events.py: SelectorSocketTransportTests.test_read_eof_received_error
// test_selector_events.py: SelectorTransportTests.test_fatal_error_custom_exception
TEST(Transport, WhatTheProtocolThrowsEndsTheConnectionAndIsReported) {
  for (const bool at_eof : {false, true}) {
    run_io([at_eof]() -> Coro<> {
      ErrorLog errors(Loop::running());
      auto pair = co_await connected();
      (at_eof ? pair.protocol->on_eof : pair.protocol->on_data) = [] { throw std::runtime_error("broken"); };
      if (at_eof) {
        pair.peer.shutdown_write();
      } else {
        co_await sock_sendall(pair.peer, "x");
      }
      co_await pair.protocol->until_lost();
      EXPECT_EQ(describe(pair.protocol->error), "std::runtime_error: broken");
      EXPECT_EQ(errors.messages(),
                std::vector<std::string>{at_eof ? "Fatal error: protocol.eof_received() call failed."
                                                : "Fatal error: protocol.data_received() call failed."});
      EXPECT_NE(errors.contexts.at(0).detail("transport"), "");
      EXPECT_NE(errors.contexts.at(0).detail("protocol").find("LogProtocol"), std::string::npos);
    });
  }
}

TEST(Transport, KeyboardInterruptInAProtocolLeavesTheLoop) {
  EXPECT_THROW(run_io([]() -> Coro<> {
                 auto pair = co_await connected();
                 pair.protocol->on_data = [] { throw KeyboardInterrupt(); };
                 co_await sock_sendall(pair.peer, "x");
                 co_await sleep(1s);
               }),
               KeyboardInterrupt);
}

// test_selector_events.py: SelectorSocketTransportTests.test_read_ready_conn_reset
// test_selector_events.py: SelectorTransportTests.test_fatal_error
TEST(Transport, AResetIsToldToTheProtocolOnly) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto pair = co_await connected();
    pair.transport->write("unread");
    pair.peer.close();  // a reset: the Unix socket has unread data
    co_await pair.protocol->until_lost();
    EXPECT_EQ(describe(pair.protocol->error).rfind("std::system_error: recv from '", 0), 0u)
        << describe(pair.protocol->error);
    EXPECT_TRUE(errors.contexts.empty());
  });
}

// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_proto_type_switch
TEST(Transport, AnotherProtocolMayTakeOver) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    auto second = std::make_shared<BufferProtocol>(3);
    pair.protocol->on_data = [&] { pair.transport->set_protocol(second); };
    co_await sock_sendall(pair.peer, "first");
    co_await pair.protocol->until_received(5);
    EXPECT_EQ(pair.transport->get_protocol(), second);
    co_await sock_sendall(pair.peer, "second");
    while (second->received.size() < 6) co_await sleep(0s);
    EXPECT_EQ(second->received, "second");
    EXPECT_EQ(pair.protocol->received, "first");
    pair.transport->close();
    co_await ticks(3);
    EXPECT_EQ(second->lost, 1);
    EXPECT_EQ(pair.protocol->count("connection_lost"), 0);

    auto none = co_await connected();
    EXPECT_THROW(none.transport->set_protocol(nullptr), std::invalid_argument);
    EXPECT_THROW(none.transport->set_protocol(std::make_shared<DatagramProtocol>()), std::invalid_argument);
  });
}

// ── writing ──

// test_selector_events.py: SelectorSocketTransportTests.test_write
// test_selector_events.py: SelectorSocketTransportTests.test_write_no_data
// test_selector_events.py: SelectorSocketTransportTests.test_writelines_sendmsg_full
// test_selector_events.py: SelectorSocketTransportTests.test_writelines_send_full
// test_transports.py: TransportTests.test_writelines
TEST(Transport, WriteSendsAtOnce) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    pair.transport->write("");
    pair.transport->write("now");
    const TickCounter counter(Loop::running());
    EXPECT_EQ(co_await sock_recv(pair.peer, 10), "now");
    EXPECT_EQ(counter.ticks(), 0);
    EXPECT_EQ(pair.transport->get_write_buffer_size(), 0u);
    const std::vector<std::string_view> lines{"a\n", "", "b\n"};
    pair.transport->writelines(lines);
    EXPECT_EQ(co_await sock_recv(pair.peer, 10), "a\nb\n");
    pair.transport->close();
  });
}

// test_selector_events.py: SelectorSocketTransportTests.test_write_partial
// test_selector_events.py: SelectorSocketTransportTests.test_write_ready
// test_selector_events.py: SelectorSocketTransportTests.test_write_ready_partial
// test_selector_events.py: SelectorSocketTransportTests.test_write_buffer
// test_selector_events.py: SelectorSocketTransportTests.test_write_tryagain
// test_selector_events.py: SelectorSocketTransportTests.test_write_ready_tryagain
TEST(Transport, WhatTheSocketDoesNotTakeIsSentLater) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    pair.transport->write(much());
    EXPECT_GT(pair.transport->get_write_buffer_size(), 0u);
    EXPECT_LT(pair.transport->get_write_buffer_size(), much().size());
    pair.transport->write("the end");
    pair.transport->write_eof();
    EXPECT_EQ(co_await read_all(pair.peer), much() + "the end");
    EXPECT_EQ(pair.transport->get_write_buffer_size(), 0u);
    pair.transport->close();
  });
}

// test_selector_events.py: SelectorSocketTransportTests.test_write_bytearray
// test_selector_events.py: SelectorSocketTransportTests.test_write_memoryview
// test_selector_events.py: SelectorSocketTransportTests.test_write_partial_bytearray
// test_selector_events.py: SelectorSocketTransportTests.test_write_partial_memoryview
TEST(Transport, TheMemoryOfTheDataIsFreeOnceWriteReturns) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    std::vector<char> memory(much().begin(), much().end());
    const std::string_view view(memory.data(), memory.size());
    pair.transport->write(view.substr(0, 4));  // is sent at once
    pair.transport->write(view);               // only in part
    EXPECT_GT(pair.transport->get_write_buffer_size(), 0u);
    EXPECT_TRUE(view == much());
    std::fill(memory.begin(), memory.end(), '.');
    pair.transport->write_eof();
    EXPECT_TRUE(co_await read_all(pair.peer) == much().substr(0, 4) + much());
    pair.transport->close();
  });
}

// test_selector_events.py: SelectorSocketTransportTests.test_write_closing
// test_selector_events.py: SelectorSocketTransportTests.test_writelines_after_connection_lost
TEST(Transport, WritesToALostConnectionAreDroppedAndTheFifthIsReported) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto pair = co_await connected();
    pair.transport->close();
    const std::string line(10'000, 'x');
    const std::vector<std::string_view> lines(2, line);
    for (int i = 0; i < 4; ++i) i % 2 ? pair.transport->write("x") : pair.transport->writelines(lines);
    EXPECT_TRUE(errors.contexts.empty());
    pair.transport->write("x");
    EXPECT_EQ(errors.messages(), std::vector<std::string>{"socket.send() raised exception."});
    co_await pair.protocol->until_lost();
    EXPECT_EQ(pair.protocol->error, nullptr);
    pair.transport->write("x");  // even after it is lost
    EXPECT_EQ(errors.contexts.size(), 2u);
    EXPECT_EQ(co_await sock_recv(pair.peer, 10), "");
  });
}

// test_selector_events.py: SelectorSocketTransportTests.test_write_exception
TEST(Transport, AnErrorOfWriteEndsTheConnectionWithoutAReport) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto pair = co_await connected();
    pair.transport->pause_reading();
    pair.peer.close();
    pair.transport->write("x");
    EXPECT_TRUE(pair.transport->is_closing());
    EXPECT_EQ(pair.protocol->count("connection_lost"), 0);  // not from within write()
    co_await ticks(1);
    EXPECT_EQ(pair.protocol->count("connection_lost"), 1);
    EXPECT_NE(describe(pair.protocol->error).find("send to ''"), std::string::npos);
    EXPECT_TRUE(errors.contexts.empty());
  });
}

// test_selector_events.py: SelectorSocketTransportTests.test_write_eof
// test_selector_events.py: SelectorSocketTransportTests.test_write_eof_buffer
// test_selector_events.py: SelectorSocketTransportTests.test_write_eof_after_close
TEST(Transport, WriteEofEndsOneHalfBehindTheBuffer) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    EXPECT_TRUE(pair.transport->can_write_eof());
    pair.transport->write(much());
    pair.transport->write_eof();
    pair.transport->write_eof();
    EXPECT_THROW(pair.transport->write("x"), std::runtime_error);
    EXPECT_EQ((co_await read_all(pair.peer)).size(), much().size());
    co_await sock_sendall(pair.peer, "answer");
    co_await pair.protocol->until_received(6);
    pair.transport->close();
    auto closed = co_await connected();
    closed.transport->close();
    EXPECT_NO_THROW(closed.transport->write_eof());
  });
}

// ── flow control ──

// test_transports.py: TransportTests.test_flowcontrol_mixin_set_write_limits
TEST(Transport, TheMarksFollowEachOtherAndPauseAtOnce) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    Transport& transport = *pair.transport;
    const auto limits = [&] {
      const WriteBufferLimits now = transport.get_write_buffer_limits();
      return std::pair(*now.low, *now.high);
    };
    EXPECT_EQ(limits(), std::pair(std::size_t{16 * 1024}, std::size_t{64 * 1024}));
    transport.set_write_buffer_limits({.high = 1024});
    EXPECT_EQ(limits(), std::pair(std::size_t{256}, std::size_t{1024}));
    transport.set_write_buffer_limits({.low = 100});
    EXPECT_EQ(limits(), std::pair(std::size_t{100}, std::size_t{400}));
    transport.set_write_buffer_limits({.high = 0});
    EXPECT_EQ(limits(), std::pair(std::size_t{0}, std::size_t{0}));
    std::string what;
    try {
      transport.set_write_buffer_limits({.high = 10, .low = 11});
    } catch (const std::invalid_argument& error) {
      what = error.what();
    }
    EXPECT_EQ(what, "high (10) must be >= low (11) must be >= 0");
    EXPECT_EQ(limits(), std::pair(std::size_t{0}, std::size_t{0}));

    transport.set_write_buffer_limits({.high = std::size_t{8} << 20});
    transport.write(much());
    EXPECT_EQ(pair.protocol->count("pause_writing"), 0);
    transport.set_write_buffer_limits({.high = 1000, .low = 0});
    EXPECT_EQ(pair.protocol->count("pause_writing"), 1);
    transport.set_write_buffer_limits({.high = 10});
    EXPECT_EQ(pair.protocol->count("pause_writing"), 1);
    transport.abort();
  });
}

TEST(Transport, PauseComesAboveTheHighMarkAndResumeAtTheLowOne) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    Transport& transport = *pair.transport;
    transport.write(much());  // the socket accepts no more
    transport.set_write_buffer_limits({.high = transport.get_write_buffer_size() + 10, .low = 5});
    EXPECT_EQ(pair.protocol->count("pause_writing"), 1);  // by the default limits, within write()
    EXPECT_EQ(pair.protocol->count("resume_writing"), 0);
    std::size_t at_resume = 1;
    pair.protocol->on_resume = [&] { at_resume = transport.get_write_buffer_size(); };
    std::size_t received = 0;
    while (received < much().size()) received += (co_await sock_recv(pair.peer, 1 << 20)).size();
    EXPECT_EQ(pair.protocol->count("resume_writing"), 1);
    EXPECT_LE(at_resume, 5u);
    transport.write(std::string(transport.get_write_buffer_limits().high.value(), 'x'));
    transport.close();
  });
}

// test_selector_events.py: SelectorSocketTransportTests.test_writelines_pauses_protocol
// test_selector_events.py: SelectorSocketTransportTests.test_writelines_send_partial
// test_selector_events.py: SelectorSocketTransportTests.test_writelines_sendmsg_partial
TEST(Transport, WritelinesMayPauseTheProtocol) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    const std::vector<std::string_view> lines(3, much());
    pair.transport->writelines(lines);
    EXPECT_EQ(pair.protocol->count("pause_writing"), 1);
    pair.transport->abort();
  });
}

TEST(Transport, WritelinesTriesToSendWhileSomethingIsUnsentAndWriteDoesNot) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    pair.transport->write(much());
    const std::size_t unsent = pair.transport->get_write_buffer_size();
    EXPECT_FALSE((co_await sock_recv(pair.peer, 4 << 20)).empty());  // without a tick: there is room again
    pair.transport->write("x");
    EXPECT_EQ(pair.transport->get_write_buffer_size(), unsent + 1);
    const std::string_view lines[] = {"y", "", "z"};
    pair.transport->writelines(lines);
    EXPECT_LT(pair.transport->get_write_buffer_size(), unsent);
    pair.transport->close();
    const std::string rest = co_await read_all(pair.peer);
    EXPECT_TRUE(rest.ends_with("xyz"));
  });
}

// test_selector_events.py: SelectorSocketTransportTests.test_write_sendmsg_full
// test_selector_events.py: SelectorSocketTransportTests.test_write_sendmsg_partial
// test_selector_events.py: SelectorSocketTransportTests.test_write_sendmsg_half_buffer
TEST(Transport, WritelinesSendsManyLinesOfAnySizeInTheirOrder) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    std::string all;
    std::vector<std::string_view> lines;  // more than one call takes, some of them empty
    for (std::size_t i = 0, at = 0; i < 3'000; ++i, at += i % 800) {
      lines.push_back(std::string_view(much()).substr(at, i % 800));
      all += lines.back();
    }
    pair.transport->writelines(lines);  // some of these are buffered
    pair.transport->writelines(lines);  // these go after the buffered ones
    pair.transport->write_eof();
    EXPECT_TRUE(co_await read_all(pair.peer) == all + all);
    EXPECT_THROW(pair.transport->writelines(lines), std::runtime_error);
    pair.transport->close();
  });
}

TEST(Transport, WhatPauseWritingThrowsIsReportedAndTheTransportGoesOn) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto pair = co_await connected();
    pair.protocol->on_pause = [] { throw std::runtime_error("pause"); };
    pair.protocol->on_resume = [] { throw std::runtime_error("resume"); };
    pair.transport->write(much());
    pair.transport->write_eof();
    EXPECT_EQ((co_await read_all(pair.peer)).size(), much().size());
    EXPECT_EQ(errors.messages(),
              (std::vector<std::string>{"protocol.pause_writing() failed", "protocol.resume_writing() failed"}));
    pair.transport->close();
  });
}

TEST(Transport, AProtocolThatAbortsInResumeWritingIsNotWrittenForAnyMore) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    pair.protocol->on_resume = [&] { pair.transport->abort(); };
    pair.transport->write(much());
    pair.transport->close();  // flushing would end it too
    co_await read_all(pair.peer);
    co_await pair.protocol->until_lost();
    co_await ticks(3);
    EXPECT_EQ(pair.protocol->count("connection_lost"), 1);
  });
}

// ── the end ──

// test_selector_events.py: SelectorTransportTests.test_close
// test_selector_events.py: SelectorTransportTests.test_connection_lost
TEST(Transport, CloseTellsTheProtocolInTheNextTickOnceAndThenClosesTheSocket) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    bool open_at_loss = false;
    pair.protocol->on_lost = [&] { open_at_loss = pair.transport->fileno() != -1; };
    pair.transport->close();
    pair.transport->close();
    EXPECT_TRUE(pair.transport->is_closing());
    EXPECT_EQ(pair.protocol->count("connection_lost"), 0);
    co_await ticks(1);
    EXPECT_EQ(pair.protocol->count("connection_lost"), 1);
    EXPECT_TRUE(open_at_loss);
    EXPECT_EQ(pair.transport->fileno(), -1);
    EXPECT_EQ(pair.transport->get_protocol(), nullptr);
    EXPECT_EQ(pair.transport->repr(), "<SocketTransport closed>");
    pair.transport->abort();
    pair.transport->close();
    co_await ticks(3);
    EXPECT_EQ(pair.protocol->count("connection_lost"), 1);
  });
}

// test_selector_events.py: SelectorTransportTests.test_close_write_buffer
// test_selector_events.py: SelectorSocketTransportTests.test_write_ready_closing
// test_selector_events.py: SelectorSocketTransportTests.test_write_buffer_after_close
TEST(Transport, CloseSendsTheRestAndEndsRightBehindIt) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    pair.transport->write(much());
    pair.transport->close();
    pair.transport->write("and this");
    co_await ticks(5);
    EXPECT_EQ(pair.protocol->count("connection_lost"), 0);
    EXPECT_EQ(co_await read_all(pair.peer), much() + "and this");
    EXPECT_EQ(pair.protocol->count("connection_lost"), 1);
    EXPECT_EQ(pair.protocol->error, nullptr);
  });
}

// test_selector_events.py: SelectorTransportTests.test_abort
// test_selector_events.py: SelectorTransportTests.test_force_close
// test_selector_events.py: SelectorSocketTransportTests.test_transport_close_remove_writer
TEST(Transport, AbortDropsTheBuffer) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    pair.transport->write(much());
    pair.transport->close();
    pair.transport->abort();
    EXPECT_EQ(pair.transport->get_write_buffer_size(), 0u);
    co_await ticks(1);
    EXPECT_EQ(pair.protocol->count("connection_lost"), 1);
    EXPECT_EQ(pair.protocol->error, nullptr);
    EXPECT_LT((co_await read_all(pair.peer)).size(), much().size());
  });
}

// test_selector_events.py: SelectorTransportTests.test__add_reader
TEST(Transport, OnceItIsClosingNothingMakesItReadAgain) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected();
    pair.transport->pause_reading();
    pair.transport->write(much());
    EXPECT_TRUE(watching());
    pair.transport->abort();
    EXPECT_TRUE(pair.transport->is_closing());
    EXPECT_FALSE(watching());
    pair.transport->resume_reading();
    EXPECT_FALSE(watching());
    co_await pair.protocol->until_lost();

    auto protocol = std::make_shared<LogProtocol>();  // the start of reading comes after connection_made()
    protocol->on_made = [p = protocol.get()] { p->transport->abort(); };
    auto other = co_await connected(protocol);
    EXPECT_FALSE(watching());
    co_await protocol->until_lost();
  });
}

TEST(Transport, WhatConnectionLostThrowsIsReportedAndTheSocketClosedAllTheSame) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto pair = co_await connected();
    pair.protocol->on_lost = [] { throw std::runtime_error("lost"); };
    pair.transport->close();
    co_await ticks(1);
    EXPECT_EQ(errors.contexts.size(), 1u);
    EXPECT_EQ(pair.transport->fileno(), -1);
    EXPECT_EQ(co_await sock_recv(pair.peer, 1), "");
  });
}

TEST(Transport, TheLoopKeepsItUntilItIsLostAndItsProtocolWithIt) {
  run_io([]() -> Coro<> {
    const int before = open_descriptors();
    std::weak_ptr<LogProtocol> protocol;
    std::weak_ptr<Transport> transport;
    Socket peer;
    {
      auto pair = co_await connected();
      protocol = pair.protocol;
      transport = pair.transport;
      peer = std::move(pair.peer);
    }
    co_await ticks(3);
    EXPECT_FALSE(transport.expired());
    co_await sock_sendall(peer, "heard");
    co_await protocol.lock()->until_received(5);
    peer.close();
    co_await sleep(2ms);
    EXPECT_TRUE(transport.expired());  // protocol and transport no longer own each other
    EXPECT_TRUE(protocol.expired());
    EXPECT_LE(open_descriptors(), before + 1);  // the loop's own, at the most
  });
}

// test_selector_events.py: BaseSelectorEventLoopTests.test_make_socket_transport
TEST(Transport, AClosedLoopLetsGoOfItsTransportsWithoutAWord) {
  const int before = open_descriptors();
  std::weak_ptr<LogProtocol> forgotten;
  auto kept = std::make_shared<LogProtocol>();
  std::vector<Socket> peers;  // kept open, or the loop's last ticks would see them close
  run_io([&]() -> Coro<> {
    auto pair = co_await connected(kept);
    auto other = co_await connected();
    forgotten = other.protocol;
    pair.transport->write(much());
    peers.push_back(std::move(pair.peer));
    peers.push_back(std::move(other.peer));
  });
  peers.clear();
  EXPECT_TRUE(forgotten.expired());
  EXPECT_EQ(kept->log.back(), "pause_writing");
  EXPECT_TRUE(kept->transport->is_closing());
  EXPECT_EQ(kept->transport->repr(), "<SocketTransport closed>");
  EXPECT_NO_THROW(kept->transport->write("x"));
  EXPECT_NO_THROW(kept->transport->close());
  EXPECT_NO_THROW(kept->transport->abort());
  EXPECT_NO_THROW(kept->transport->resume_reading());
  EXPECT_EQ(open_descriptors(), before);
}

// ── queries ──

// test_base_events.py: TestSelectorUtils.test_set_nodelay
// test_transports.py: TransportTests.test_get_extra_info
TEST(Transport, KnowsItsAddressesAlsoWhenItIsGone) {
  run_io([]() -> Coro<> {
    Socket listening = Socket::listening(*Address::numeric("127.0.0.1", 0));
    const Address there = listening.local_address();
    auto [transport, protocol] = co_await create_connection(make<LogProtocol>, "127.0.0.1", there.port());
    EXPECT_EQ(transport->peername(), there);
    EXPECT_EQ(transport->sockname().host(), "127.0.0.1");
    int nodelay = 0;
    socklen_t size = sizeof nodelay;
    getsockopt(transport->fileno(), IPPROTO_TCP, TCP_NODELAY, &nodelay, &size);
    EXPECT_NE(nodelay, 0);
    EXPECT_EQ(transport->repr(),
              "<SocketTransport fd=" + std::to_string(transport->fileno()) + " read=polling write=<idle, bufsize=0>>");
    transport->close();
    co_await protocol->until_lost();
    EXPECT_EQ(transport->peername(), there);
  });
}

/// No more than a transport must have.
class BareTransport final : public BaseTransport {
 public:
  void close() override {}
  bool is_closing() const noexcept override { return false; }
  void set_protocol(std::shared_ptr<BaseProtocol>) override {}
  std::shared_ptr<BaseProtocol> get_protocol() const override { return nullptr; }
};

// test_transports.py: TransportTests.test_ctor_extra_is_none
TEST(Transport, OneOfYourOwnKnowsNothingUnlessYouSaySo) {
  const BareTransport transport;
  EXPECT_EQ(transport.sockname(), Address());
  EXPECT_EQ(transport.peername(), Address());
  EXPECT_EQ(transport.fileno(), -1);
  EXPECT_EQ(transport.repr(), "<transport>");
}

// ── a protocol with its own buffer ──

// test_buffered_proto.py: BaseTestBufferedProtocol.test_buffered_proto_create_connection
// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_read_ready
// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_read_ready_eof
TEST(BufferedProtocol, ReceivesIntoItsOwnBuffer) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected(std::make_shared<BufferProtocol>(7));
    auto sending = create_task(sock_sendall(pair.peer, much().substr(0, 100'000)));
    co_await sending;
    pair.peer.shutdown_write();
    while (pair.protocol->lost == 0) co_await sleep(0s);
    EXPECT_TRUE(pair.protocol->received == much().substr(0, 100'000));
    EXPECT_EQ(pair.protocol->eofs, 1);
  });
}

/// Says what shall happen at the end of the stream.
class EofProtocol final : public BufferProtocol {
 public:
  EofProtocol() : BufferProtocol(10) {}
  void connection_made(std::shared_ptr<Transport>) override { ++made; }
  bool eof_received() override {
    BufferProtocol::eof_received();
    if (throws) throw std::runtime_error("broken");
    return keep_open;
  }
  int made = 0;
  bool throws = false;
  bool keep_open = false;
};

// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_ctor
TEST(BufferedProtocol, IsToldOfItsConnectionAndThenReads) {
  run_io([]() -> Coro<> {
    auto pair = co_await connected<EofProtocol>();
    EXPECT_EQ(pair.protocol->made, 1);
    EXPECT_TRUE(pair.transport->is_reading());
    EXPECT_TRUE(watching());
    co_await sock_sendall(pair.peer, "x");
    while (pair.protocol->received.empty()) co_await sleep(0s);
    EXPECT_EQ(pair.protocol->made, 1);
    pair.transport->close();
  });
}

// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_read_ready_eof_keep_open
// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_read_eof_received_error
TEST(BufferedProtocol, KeepsItsConnectionOpenBehindTheEndOrEndsItByThrowing) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto kept = co_await connected<EofProtocol>();
    kept.protocol->keep_open = true;
    kept.peer.shutdown_write();
    while (kept.protocol->eofs == 0) co_await sleep(0s);
    EXPECT_FALSE(kept.transport->is_closing());
    kept.transport->write("still");
    EXPECT_EQ(co_await sock_recv(kept.peer, 10), "still");
    kept.transport->close();

    auto thrown = co_await connected<EofProtocol>();
    thrown.protocol->throws = true;
    thrown.peer.shutdown_write();
    while (thrown.protocol->lost == 0) co_await sleep(0s);
    EXPECT_EQ(describe(thrown.protocol->error), "std::runtime_error: broken");
    EXPECT_EQ(errors.messages(), std::vector<std::string>{"Fatal error: protocol.eof_received() call failed."});
  });
}

// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_read_ready_conn_reset
TEST(BufferedProtocol, HearsOfAResetAloneAndAsItsEnd) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto pair = co_await connected<EofProtocol>();
    pair.transport->write("unread");
    pair.peer.close();
    while (pair.protocol->lost == 0) co_await sleep(0s);
    EXPECT_NE(describe(pair.protocol->error).find("Connection reset by peer"), std::string::npos);
    EXPECT_EQ(pair.protocol->eofs, 0);
    EXPECT_TRUE(errors.contexts.empty());
  });
}

// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_get_buffer_error
// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_get_buffer_zerosized
// test_selector_events.py: SelectorSocketTransportBufferedProtocolTests.test_buffer_updated_error
TEST(BufferedProtocol, NoBufferAndWhatItThrowsEndTheConnection) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    auto empty = co_await connected(std::make_shared<BufferProtocol>(0));
    co_await sock_sendall(empty.peer, "x");
    while (empty.protocol->lost == 0) co_await sleep(0s);
    EXPECT_EQ(describe(empty.protocol->error), "std::runtime_error: get_buffer() returned an empty buffer");
    auto bad = co_await connected(std::make_shared<BufferProtocol>(3));
    bad.protocol->on_update = [] { throw std::runtime_error("bad"); };
    co_await sock_sendall(bad.peer, "x");
    while (bad.protocol->lost == 0) co_await sleep(0s);
    EXPECT_EQ(errors.messages(), (std::vector<std::string>{"Fatal error: protocol.get_buffer() call failed.",
                                                           "Fatal error: protocol.buffer_updated() call failed."}));
  });
}

}  // namespace
}  // namespace asyncio::testing

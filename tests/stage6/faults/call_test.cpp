// The visible effect of one failed call, and the calls that an operation makes.
#include "stage6/faults/faults.h"
#include "support/io.h"
#include "support/protocols.h"
#include "support/thrown.h"

#include <asyncio/connections.h>
#include <asyncio/create_server.h>
#include <asyncio/event.h>
#include <asyncio/processes.h>
#include <asyncio/signals.h>
#include <asyncio/threads.h>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::testing {
namespace {

// ── the calls of an operation ──

/// Records the calls in order.
Faults::Decide noted_in(std::vector<std::string>& calls) {
  return [&calls](std::string_view call) {
    calls.emplace_back(call);
    return Fault();
  };
}

// test_selector_events.py: SelectorSocketTransportTests.test_writelines_sendmsg_full
TEST(Calls, WritelinesIsOneCallWithoutACopyIfTheLinesAreLong) {
  std::vector<std::string> calls;
  const Faults faults(noted_in(calls));
  run_io([&calls]() -> Coro<> {
    auto [here, peer] = Socket::pair();
    auto [reader, writer] = co_await open_connection(std::move(here));
    const std::string line = pattern(5'000);
    const std::vector<std::string_view> lines(5, line);
    calls.clear();
    writer.writelines(lines);
    EXPECT_EQ(calls, std::vector<std::string>{"sendmsg"});
    const std::vector<std::string_view> short_lines(5, "short");
    calls.clear();
    writer.writelines(short_lines);
    EXPECT_EQ(calls, std::vector<std::string>{"send"});  // joining short lines is cheaper
    writer.close();
  });
}

// ── transports ──

/// A transport over one end of a pair of sockets; the other end is plain.
Coro<std::pair<Connected<LogProtocol>, Socket>> connected() {
  auto [here, there] = Socket::pair();
  Connected<LogProtocol> connection = co_await create_connection(make<LogProtocol>, std::move(here));
  co_return std::pair<Connected<LogProtocol>, Socket>(std::move(connection), std::move(there));
}

// test_selector_events.py: SelectorSocketTransportTests.test_read_ready_tryagain
// test_selector_events.py: SelectorSocketTransportTests.test_read_ready_tryagain_interrupted
TEST(TransportFaults, NothingToReadAfterAllIsNoError) {
  for (const int error : {EAGAIN, EINTR}) {
    SCOPED_TRACE(std::strerror(error));
    const Faults faults(at_every(2, {"recv"}, {.error = error}));
    run_io([&faults]() -> Coro<> {
      auto [connection, peer] = co_await connected();
      const auto& [transport, protocol] = connection;
      for (int i = 1; i < 5; ++i) {
        EXPECT_EQ(::write(peer.fd(), "x", 1), 1);
        co_await protocol->until_received(static_cast<std::size_t>(i));
      }
      EXPECT_GT(faults.injected(), 1);
      EXPECT_FALSE(transport->is_closing());
      transport->close();
    });
  }
}

/// Checks that the connection is lost with an ENOMEM of the call `what`.
Coro<> expect_it_ends_with_that_error(Connected<LogProtocol> connection, std::string_view what) {
  const auto [transport, protocol] = std::move(connection);
  co_await protocol->until_lost();
  EXPECT_EQ(protocol->count("connection_lost"), 1);
  const std::string error = describe(protocol->error);
  EXPECT_NE(error.find(what), std::string::npos) << error;
  EXPECT_NE(error.find(std::strerror(ENOMEM)), std::string::npos) << error;
  EXPECT_EQ(transport->get_write_buffer_size(), 0u);
}

// test_selector_events.py: SelectorSocketTransportTests.test_read_ready_err
// test_selector_events.py: SelectorSocketTransportTests.test_write_sendmsg_OSError
// test_selector_events.py: SelectorSocketTransportTests.test_write_ready_exception
TEST(TransportFaults, AnErrorOfAnyCallIsToldToTheProtocolAndNobodyElse) {
  const std::string much = pattern(4 << 20);
  const auto receive = [](Transport&, Socket& peer) { EXPECT_EQ(::write(peer.fd(), "x", 1), 1); };
  const auto send_lines = [&much](Transport& transport, Socket&) {
    const std::vector<std::string_view> lines(3, much);
    transport.writelines(lines);
  };
  const auto send_the_rest = [&much](Transport& transport, Socket& peer) {
    transport.write(much);  // the first call takes a part
    std::string sink(much.size(), '.');
    EXPECT_GT(::read(peer.fd(), sink.data(), sink.size()), 0);
  };
  struct Case {
    std::string_view call, what;
    int number;
    std::function<void(Transport&, Socket&)> make;
  };
  std::vector<Case> cases;
  cases.push_back({"recv", "recv from", 1, receive});
  cases.push_back({"sendmsg", "send to", 1, send_lines});
  cases.push_back({"send", "send to", 2, send_the_rest});
  for (const Case& here : cases) {
    SCOPED_TRACE(here.call);
    const Faults faults(at_call(here.number, {here.call}, {.error = ENOMEM}));
    run_io([&here]() -> Coro<> {
      ErrorLog errors(Loop::running());
      auto [connection, peer] = co_await connected();
      here.make(*connection.first, peer);
      co_await expect_it_ends_with_that_error(std::move(connection), here.what);
      EXPECT_TRUE(errors.contexts.empty());
    });
  }
}

// ── signals ──

// A signal may arrive between a failed call and the check of errno.
// test_selector_events.py: BaseSelectorEventLoopTests.test_write_to_self_tryagain
TEST(SignalFaults, AHandlerLeavesErrnoAloneWhateverBecomesOfItsWakeUp) {
  int injected = 0;
  const Faults faults([&injected](std::string_view call) {
    if (call != "eventfd_write") return Fault();
    return ++injected % 2 ? Fault{.error = EINTR} : Fault{.error = EAGAIN};
  });
  run_io([]() -> Coro<> {
    Event came;
    add_signal_handler(SIGUSR1, [&came] { came.set(); });
    auto [one, other] = Socket::pair();  // a core with an eventfd
    auto receiving = create_task(sock_recv(one, 10));
    co_await ticks(2);
    errno = 4711;
    std::raise(SIGUSR1);
    const int error = errno;
    EXPECT_EQ(error, 4711);
    co_await sock_sendall(other, "the wake-up is lost, and the loop awake");
    co_await receiving;
    co_await came.wait();
    remove_signal_handler(SIGUSR1);
  });
  EXPECT_GT(injected, 1);
}

// ── threads ──

/// During its lifetime no thread can start: its stack would exceed the address space.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_getattr_default_np(&huge);
    pthread_attr_setstacksize(&huge, std::size_t{1} << 48);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t before_;
};

TEST(ThreadFaults, AJobForWhichThereIsNoThreadIsRefusedAndThePoolGoesOn) {
  run_io([]() -> Coro<> {
    bool ran = false;
    const auto job = [&ran] { ran = true; };
    {
      const NoThreads no_threads;
      const std::error_code error = co_await error_of(to_thread(job));
      EXPECT_TRUE(error);
    }
    const int answer = co_await to_thread([] { return 42; });
    EXPECT_EQ(answer, 42);
    EXPECT_FALSE(ran);
  });
}

TEST(ThreadFaults, AJobForWhichThereIsNoMoreThreadWaitsForOneThatIsThere) {
  ThreadPool pool(2);
  std::promise<void> go;
  const auto first = pool.submit([wait = go.get_future()]() mutable { wait.get(); });
  const NoThreads no_threads;
  const auto second = pool.submit([] { return 42; });
  EXPECT_EQ(pool.threads(), 1u);
  go.set_value();
  EXPECT_EQ(second.result(), 42);
}

// ── processes ──

// Otherwise its exit would go unnoticed.
TEST(ProcessFaults, WithNeitherPidfdNorThreadTheChildIsKilledAndTheCreationFails) {
  const int before = open_descriptors();
  const Faults faults(at_every(1, {"pidfd_open"}, {.error = EMFILE}));
  run_io([]() -> Coro<> {
    const NoThreads no_threads;
    const ProcessOptions pipes(subprocess::PIPE, subprocess::PIPE);
    const std::error_code error = co_await error_of(create_subprocess_exec("sleep", "60", pipes));
    EXPECT_TRUE(error);
    EXPECT_TRUE(no_children());
  });
  EXPECT_EQ(faults.injected(), 1);
  EXPECT_EQ(open_descriptors(), before);
}

// Any error of posix_spawn() names the program.
TEST(ProcessFaults, AChildThatCannotBeBornIsAnErrorThatNamesIt) {
  for (const int error : {EAGAIN, ENOMEM, EMFILE, EPERM, E2BIG}) {
    SCOPED_TRACE(std::strerror(error));
    const int before = open_descriptors();
    const Faults faults(at_every(1, {"posix_spawn"}, {.error = error}));
    run_io([error]() -> Coro<> {
      try {
        co_await create_subprocess_exec("cat", ProcessOptions(subprocess::PIPE, subprocess::PIPE));
        ADD_FAILURE();
      } catch (const std::system_error& thrown) {
        EXPECT_EQ(thrown.code(), std::error_code(error, std::generic_category()));
        EXPECT_NE(std::string(thrown.what()).find("'cat'"), std::string::npos) << thrown.what();
      }
    });
    EXPECT_EQ(open_descriptors(), before);
  }
}

// A child with other privileges (sudo) may run long: the loop closes without waiting for it.
TEST(ProcessFaults, AChildThatMayNotBeKilledIsNotWaitedForWhenTheLoopIsClosed) {
  std::vector<std::string> calls;
  std::optional<Process> process;
  {
    const Faults faults([&calls](std::string_view call) {
      calls.emplace_back(call);
      return call == "kill" || call == "pidfd_send_signal" ? Fault{.error = EPERM} : Fault();
    });
    run_io([&process]() -> Coro<> {
      process = co_await create_subprocess_exec("sleep", "60");
      EXPECT_EQ(thrown<std::system_error>([&] { process->kill(); }),
                "kill(" + std::to_string(process->pid()) + ", 9): Operation not permitted");
    });
  }
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "waitpid"), 0);
  EXPECT_LE(std::count(calls.begin(), calls.end(), "waitid_pidfd"), 1);  // at its start: is it our child?
  EXPECT_FALSE(process->returncode());
  ::kill(process->pid(), SIGKILL);
  ::waitpid(process->pid(), nullptr, 0);
}

TEST(Calls, AUnixServerWhoseFileCannotGetItsModeIsNotMade) {
  const Faults faults(at_every(1, {"chmod"}, {.error = EPERM}));
  run_io([]() -> Coro<> {
    const TemporaryFolder folder;
    const std::string path = folder / "socket";
    const std::error_code code =
        co_await error_of(create_unix_server(make<LogProtocol>, path, UnixServerOptions{.mode = 0600}));
    EXPECT_EQ(code, std::errc::operation_not_permitted);
    EXPECT_NE(::access(path.c_str(), F_OK), 0);
    EXPECT_FALSE(watching());
  });
}

}  // namespace
}  // namespace asyncio::testing

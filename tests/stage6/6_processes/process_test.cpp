// Child processes: create_subprocess_exec(), Process and their transport, with sh, cat, sleep and true.
#include "support/io.h"
#include "support/protocols.h"
#include "support/thrown.h"

#include <asyncio/datagrams.h>
#include <asyncio/gather.h>
#include <asyncio/pipes.h>
#include <asyncio/processes.h>
#include <asyncio/stream_protocol.h>
#include <asyncio/threads.h>
#include <asyncio/wait_for.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace asyncio::testing {
namespace {

using subprocess::DEVNULL;
using subprocess::PIPE;
using subprocess::STDOUT;

const ProcessOptions kPipes(PIPE, PIPE);

/// After each test, no child and no descriptor is left.
class Subprocess : public ::testing::Test {
 protected:
  void SetUp() override { descriptors_ = open_descriptors(); }
  void TearDown() override {
    EXPECT_TRUE(no_children());
    EXPECT_EQ(open_descriptors(), descriptors_);
  }

 private:
  int descriptors_ = 0;
};
using SubprocessThread = Subprocess;

// ── plumbing ────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_subprocess.py: SubprocessMixin.test_stdin_stdout
TEST_F(Subprocess, StdinAndStdoutAreStreams) {
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_exec("cat", kPipes);
    process.stdin_()->write("some data");
    co_await process.stdin_()->drain();
    process.stdin_()->close();
    const std::string data = co_await process.stdout_()->read();
    EXPECT_EQ(data, "some data");
    const int returncode = co_await process.wait();
    EXPECT_EQ(returncode, 0);
    EXPECT_EQ(process.returncode(), 0);
    EXPECT_FALSE(process.stderr_());
  });
}

// test_subprocess.py: SubprocessMixin.test_communicate
TEST_F(Subprocess, CommunicateWritesReadsAndWaits) {
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_exec("cat", kPipes);
    const std::string input = pattern(1'000'000);  // much more than a pipe holds
    const auto [out, err] = co_await process.communicate(input);
    EXPECT_TRUE(out == input);
    EXPECT_EQ(err, "");
    EXPECT_EQ(process.returncode(), 0);
  });
}

// test_subprocess.py: SubprocessMixin.test_communicate_none_input
// test_subprocess.py: SubprocessMixin.test_empty_input
TEST_F(Subprocess, CommunicateWithoutInputClosesStdin) {
  run_io([]() -> Coro<> {
    const Process first = co_await create_subprocess_exec("cat", kPipes);
    const auto [none, err] = co_await first.communicate();
    EXPECT_EQ(none, "");
    const Process second = co_await create_subprocess_exec("cat", kPipes);
    const auto [empty, err2] = co_await second.communicate("");
    EXPECT_EQ(empty, "");
    EXPECT_EQ(second.returncode(), 0);
  });
}

// test_subprocess.py: SubprocessMixin.test_subprocess_communicate_stdout
TEST_F(Subprocess, CommunicateReadsBothStreamsAtOnce) {
  run_io([]() -> Coro<> {
    const std::string command = "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero; echo end >&2";
    const Process process = co_await create_subprocess_shell(command, ProcessOptions(DEVNULL, PIPE, PIPE));
    const auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out.size(), 300000u);
    EXPECT_EQ(err.size(), 300004u);
  });
}

// test_subprocess.py: SubprocessMixin.test_shell
TEST_F(Subprocess, ShellGivesTheExitCode) {
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_shell("exit 7");
    const int returncode = co_await process.wait();
    EXPECT_EQ(returncode, 7);
  });
}

// test_subprocess.py: SubprocessMixin.test_start_new_session
TEST_F(Subprocess, StartNewSessionMakesItTheLeaderOfItsOwn) {
  run_io([]() -> Coro<> {
    ProcessOptions options(DEVNULL, PIPE);
    options.start_new_session = true;
    const Process process = co_await create_subprocess_shell("exec sleep 60", options);
    EXPECT_EQ(::getsid(process.pid()), process.pid());
    process.kill();
    co_await process.wait();
  });
}

// Popen(process_group=…)
TEST_F(Subprocess, ProcessGroupIsOneOfItsOwnOrOneThatIsThere) {
  run_io([]() -> Coro<> {
    ProcessOptions options;
    options.process_group = 0;
    const Process leader = co_await create_subprocess_exec("sleep", "60", options);
    EXPECT_EQ(::getpgid(leader.pid()), leader.pid());
    options.process_group = leader.pid();
    const Process other = co_await create_subprocess_exec("sleep", "60", options);
    EXPECT_EQ(::getpgid(other.pid()), leader.pid());
    ::kill(-leader.pid(), SIGTERM);
    for (const Process& process : {leader, other}) {
      const int returncode = co_await process.wait();
      EXPECT_EQ(returncode, -SIGTERM);
    }
  });
}

// Popen(executable=…)
TEST_F(Subprocess, ExecutableIsWhatRunsWhateverItIsCalled) {
  run_io([]() -> Coro<> {
    ProcessOptions options(DEVNULL, PIPE);
    options.executable = "sh";  // looked up in PATH
    const Process process = co_await create_subprocess_exec("another name", "-c", "echo $0", options);
    const auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out, "another name\n");
    options.env = current_environment();
    options.env->insert_or_assign("LC_ALL", "C");  // it complains in English
    options.executable = "cat";                    // instead of the shell: "/bin/sh", "-c", "echo x"
    options.stderr_ = STDOUT;
    const Process shell = co_await create_subprocess_shell("echo x", options);
    const auto [complaint, err2] = co_await shell.communicate();
    EXPECT_NE(complaint.find("invalid option -- 'c'"), std::string::npos) << complaint;
    options.executable = "/no/such/program";
    const std::error_code error = co_await error_of(create_subprocess_exec("true", options));
    EXPECT_EQ(error, std::errc::no_such_file_or_directory);
  });
}

// test_subprocess.py: SubprocessMixin.test_devnull_input
// test_subprocess.py: SubprocessMixin.test_devnull_output
// test_subprocess.py: SubprocessMixin.test_devnull_error
TEST_F(Subprocess, DevnullIsEmptyAndTakesAll) {
  run_io([]() -> Coro<> {
    const Process process =
        co_await create_subprocess_shell("cat; echo gone >&2", ProcessOptions(DEVNULL, PIPE, DEVNULL));
    const auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out, "");
    EXPECT_FALSE(process.stdin_());
    const Process silent = co_await create_subprocess_shell("echo gone", ProcessOptions(DEVNULL, DEVNULL));
    const int returncode = co_await silent.wait();
    EXPECT_EQ(returncode, 0);
  });
}

// test_events.py: SubprocessTestsMixin.test_subprocess_stderr_redirect_to_stdout
TEST_F(Subprocess, StderrGoesWhereStdoutGoes) {
  run_io([]() -> Coro<> {
    const std::string command = "echo out; echo err >&2";
    const Process process = co_await create_subprocess_shell(command, ProcessOptions(DEVNULL, PIPE, STDOUT));
    const auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out, "out\nerr\n");
    EXPECT_THROW(co_await create_subprocess_exec("true", ProcessOptions(STDOUT)), std::invalid_argument);
  });
}

TEST_F(Subprocess, AnyDescriptorMayBeAStreamEvenCrosswise) {
  run_io([]() -> Coro<> {
    auto [read, write] = FileDescriptor::pipe();
    const Process process =
        co_await create_subprocess_shell("echo out; echo err >&2", ProcessOptions({}, write.fd(), write.fd()));
    co_await process.wait();
    char text[100];
    EXPECT_EQ(std::string(text, static_cast<std::size_t>(::read(read.fd(), text, sizeof text))), "out\nerr\n");

    // Our stdout as its stderr and vice versa: each must not overwrite the other.
    const int out = ::dup(1), err = ::dup(2);
    auto [read1, write1] = FileDescriptor::pipe();
    auto [read2, write2] = FileDescriptor::pipe();
    ::dup2(write1.fd(), 1);
    ::dup2(write2.fd(), 2);
    std::exception_ptr error;
    try {
      const Process crossed = co_await create_subprocess_shell("echo out; echo err >&2", ProcessOptions({}, 2, 1));
      co_await crossed.wait();
    } catch (...) {
      error = std::current_exception();
    }
    ::dup2(out, 1);
    ::dup2(err, 2);
    ::close(out);
    ::close(err);
    EXPECT_EQ(error, nullptr);
    EXPECT_EQ(std::string(text, static_cast<std::size_t>(::read(read1.fd(), text, sizeof text))), "err\n");
    EXPECT_EQ(std::string(text, static_cast<std::size_t>(::read(read2.fd(), text, sizeof text))), "out\n");
    EXPECT_THROW(Redirect(-1), std::invalid_argument);
    const std::error_code code = co_await error_of(create_subprocess_exec("true", ProcessOptions(1000)));
    EXPECT_EQ(code, std::errc::bad_file_descriptor);
  });
}

// test_subprocess.py: SubprocessMixin.test_create_subprocess_env_shell
// test_subprocess.py: SubprocessMixin.test_create_subprocess_env_exec
TEST_F(Subprocess, HasTheEnvironmentAndTheFolderItIsGiven) {
  run_io([]() -> Coro<> {
    ProcessOptions options(DEVNULL, PIPE);
    options.env = current_environment();
    options.env->insert_or_assign("FOO", "bar");
    options.cwd = "/";
    const Process process = co_await create_subprocess_shell("echo $FOO; pwd", options);
    const auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out, "bar\n/\n");
    options.env = Environment();
    options.env->emplace("ONLY", "this");
    const Process bare = co_await create_subprocess_exec("/usr/bin/env", options);
    const auto [variables, err2] = co_await bare.communicate();
    EXPECT_EQ(variables, "ONLY=this\n");
  });
}

TEST_F(Subprocess, ArgumentsArriveAsTheyAre) {
  run_io([]() -> Coro<> {
    std::vector<std::string> rest;
    for (const char* text : {"a b", "", "$HOME", "ä\n"}) rest.emplace_back(text);
    const std::string script = "for a; do printf '<%s>' \"$a\"; done";
    const Process process =
        co_await create_subprocess_exec("sh", "-c", script, "sh", rest, std::string("last"), ProcessOptions({}, PIPE));
    const auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out, "<a b><><$HOME><ä\n><last>");
    EXPECT_THROW(co_await create_subprocess_exec("true", std::string("a\0b", 3)), std::invalid_argument);
  });
}

// test_subprocess.py: SubprocessMixin.test_stdin_not_inheritable
TEST_F(Subprocess, InheritsNoDescriptorButItsThreeAndNoBlockedSignal) {
  run_io([]() -> Coro<> {
    const Process other = co_await create_subprocess_exec("cat", kPipes);  // the next child must not inherit its pipes
    sigset_t block, before;
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &block, &before);
    const auto list = "ls /proc/self/fd | wc -l; grep SigBlk /proc/self/status";
    const Process process = co_await create_subprocess_shell(list, kPipes);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    const auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out, "4\nSigBlk:\t0000000000000000\n");  // ls itself opens the fourth
    other.stdin_()->close();
    co_await other.wait();
  });
}

// Popen(pass_fds=…)
TEST_F(Subprocess, PassFdsAreThereUnderTheSameNumbersAndNoOthers) {
  run_io([]() -> Coro<> {
    const FileDescriptor stray(::fcntl(0, F_DUPFD, 20));  // without close-on-exec
    const FileDescriptor above(::fcntl(0, F_DUPFD, 60));
    auto [read, write] = FileDescriptor::pipe();
    const FileDescriptor far(::fcntl(write.fd(), F_DUPFD_CLOEXEC, 40));
    ProcessOptions options(DEVNULL, PIPE);
    options.pass_fds = std::vector<int>(1, far.fd());
    options.pass_fds.push_back(write.fd());  // not sorted
    options.pass_fds.push_back(far.fd());    // twice
    const std::string near_fd = std::to_string(write.fd()), far_fd = std::to_string(far.fd());
    const std::string command = "echo near >/dev/fd/" + near_fd + "; echo far >/dev/fd/" + far_fd +
                                "; ls /proc/self/fd | sort -n | tr '\\n' ' '";
    const Process process = co_await create_subprocess_shell(command, options);
    const auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out, "0 1 2 3 " + near_fd + " " + far_fd + " ");  // ls itself opens the 3
    char text[100];
    EXPECT_EQ(std::string(text, static_cast<std::size_t>(::read(read.fd(), text, sizeof text))), "near\nfar\n");
    EXPECT_TRUE(::fcntl(write.fd(), F_GETFD) & FD_CLOEXEC);  // unchanged in the parent
  });
}

TEST_F(Subprocess, PassFdsMayBeAmongTheStreams) {
  run_io([]() -> Coro<> {
    auto [read, write] = FileDescriptor::pipe();
    ProcessOptions options(DEVNULL, Redirect(write.fd()));
    options.pass_fds.push_back(write.fd());
    options.pass_fds.push_back(2);
    const std::string command = "echo out; echo passed >/dev/fd/" + std::to_string(write.fd());
    const Process process = co_await create_subprocess_shell(command, options);
    co_await process.wait();
    char text[100];
    EXPECT_EQ(std::string(text, static_cast<std::size_t>(::read(read.fd(), text, sizeof text))), "out\npassed\n");

    // A closed descriptor is an error, even if one of the child's pipes could get its number.
    options = ProcessOptions(PIPE, PIPE, PIPE);
    {
      const FileDescriptor lowest(::dup(0));
      options.pass_fds.push_back(lowest.fd());
    }
    const std::error_code closed = co_await error_of(create_subprocess_exec("true", options));
    EXPECT_EQ(closed, std::errc::bad_file_descriptor);
    options.pass_fds[0] = -1;
    const std::error_code negative = co_await error_of(create_subprocess_exec("true", options));
    EXPECT_EQ(negative, std::errc::bad_file_descriptor);
  });
}

// Programs that other code starts, with system() or in a library, must not inherit them.
TEST_F(Subprocess, EveryDescriptorOfTheLibraryIsClosedOnExec) {
  std::set<int> before;
  for (int fd = 0; fd < 1024; ++fd) {
    if (::fcntl(fd, F_GETFD) != -1) before.insert(fd);
  }
  int accepted = 0;
  run_io([&before, &accepted]() -> Coro<> {
    const TemporaryFolder folder;
    const auto ignore = [&accepted](StreamReader reader, StreamWriter) -> Coro<> {
      ++accepted;
      co_await reader.read();
    };
    Server server = co_await start_server(ignore, "127.0.0.1", 0);
    const auto client = co_await open_connection("127.0.0.1", server.port());
    Server unix_server = co_await start_unix_server(ignore, folder / "socket");
    const auto unix_client = co_await open_unix_connection(folder / "socket");
    const auto datagrams = co_await create_datagram_endpoint(make<DatagramProtocol>, {.local_addr = loopback(0)});
    const auto pair = Socket::pair();
    auto [reading, writing] = FileDescriptor::pipe();
    const auto pipe = co_await connect_read_pipe(make<LogProtocol>, std::move(reading));
    const Process process = co_await create_subprocess_exec("cat", ProcessOptions(PIPE, PIPE, PIPE));
    while (accepted < 2) co_await sleep(0s);
    int opened = 0;
    for (int fd = 0; fd < 1024; ++fd) {
      const int flags = ::fcntl(fd, F_GETFD);
      if (flags == -1 || before.contains(fd)) continue;
      ++opened;
      EXPECT_TRUE(flags & FD_CLOEXEC) << fd;
    }
    // Servers and clients 6, datagrams 1, a pair 2, a pipe 2, a child's pipes 3, the core 1; perhaps a pidfd.
    EXPECT_GE(opened, 15);
    process.kill();
    co_await process.wait();
  });
}

// ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

// test_subprocess.py: SubprocessMixin.test_create_subprocess_exec_with_path
TEST_F(Subprocess, TheProgramAndItsArgumentsMayBeFilesystemPaths) {
  run_io([]() -> Coro<> {
    const std::filesystem::path program = "/bin/sh", dot = ".";
    const Process process = co_await create_subprocess_exec(program, "-c", "echo \"$1\"", "sh", dot, kPipes);
    const auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out, ".\n");
  });
}

// test_subprocess.py: SubprocessMixin.test_devstdin_input
TEST_F(Subprocess, StdinCanBeOpenedByItsName) {
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_shell("cat /dev/stdin", kPipes);
    const auto [out, err] = co_await process.communicate("abc");
    EXPECT_EQ(out, "abc");
    EXPECT_EQ(process.returncode(), 0);
  });
}

// test_streams.py: StreamTests.test_read_all_from_pipe_reader
TEST_F(Subprocess, AReaderWithASmallLimitReadsAllThatAChildWritesToAPipe) {
  run_io([]() -> Coro<> {
    auto [reading, writing] = FileDescriptor::pipe();
    const StreamReader reader(1);
    auto factory = [&] { return std::make_shared<StreamReaderProtocol>(reader); };
    auto [transport, protocol] = co_await connect_read_pipe(factory, std::move(reading));
    ProcessOptions options(DEVNULL, DEVNULL);
    options.pass_fds.push_back(writing.fd());
    const std::string command = "printf data >/dev/fd/" + std::to_string(writing.fd());
    const Process process = co_await create_subprocess_shell(command, options);
    co_await process.wait();
    writing.close();
    const std::string data = co_await reader.read();
    EXPECT_EQ(data, "data");
  });
}

// test_subprocess.py: SubprocessMixin.test_popen_error
// test_subprocess.py: SubprocessMixin.test_popen_error_with_stdin_pipe
TEST_F(Subprocess, AProgramThatIsNotThereIsAnErrorThatNamesIt) {
  run_io([]() -> Coro<> {
    for (const char* program : {"no-such-program-at-all", "/no/such/program", "./no-such-program"}) {
      try {
        co_await create_subprocess_exec(program, ProcessOptions(PIPE, PIPE, PIPE));
        ADD_FAILURE();
      } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
        EXPECT_NE(std::string(error.what()).find(program), std::string::npos) << error.what();
      }
    }
    const std::error_code denied = co_await error_of(create_subprocess_exec("/etc/passwd"));
    EXPECT_EQ(denied, std::errc::permission_denied);
    ProcessOptions elsewhere;
    elsewhere.cwd = "/no/such/folder";
    try {
      co_await create_subprocess_exec("true", elsewhere);
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_NE(std::string(error.what()).find("/no/such/folder"), std::string::npos) << error.what();
    }
    EXPECT_THROW(co_await create_subprocess_exec(""), std::system_error);
  });
}

TEST_F(Subprocess, WithoutDescriptorsItIsAnErrorAndNothingLeaks) {
  if (kSanitizerNeedsDescriptors) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  run_io([]() -> Coro<> {
    const Process first = co_await create_subprocess_exec("true");  // now the loop has its core
    co_await first.wait();
    const int before = open_descriptors();
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    const FileDescriptor lowest(::dup(0));
    for (rlim_t more = 0; more < 5; ++more) {
      const rlimit less{static_cast<rlim_t>(lowest.fd()) + 1 + more, limit.rlim_max};
      setrlimit(RLIMIT_NOFILE, &less);
      const std::error_code code = co_await error_of(create_subprocess_exec("true", ProcessOptions(PIPE, PIPE, PIPE)));
      setrlimit(RLIMIT_NOFILE, &limit);
      EXPECT_EQ(code, std::errc::too_many_files_open) << more;
      EXPECT_EQ(open_descriptors(), before + 1);
    }
  });
}

// ── signals and the end ─────────────────────────────────────────────────────────────────────────────────────────────

// test_subprocess.py: SubprocessMixin.test_kill
// test_subprocess.py: SubprocessMixin.test_terminate
// test_subprocess.py: SubprocessMixin.test_send_signal
TEST_F(Subprocess, ASignalThatEndsItIsANegativeReturnCode) {
  run_io([]() -> Coro<> {
    for (const int signal : {SIGKILL, SIGTERM, SIGHUP}) {
      const Process process = co_await create_subprocess_exec("sleep", "60");
      EXPECT_FALSE(process.returncode());
      signal == SIGKILL ? process.kill() : signal == SIGTERM ? process.terminate() : process.send_signal(signal);
      const int returncode = co_await process.wait();
      EXPECT_EQ(returncode, -signal);
    }
  });
}

// test_subprocess.py: SubprocessMixin.test_kill_issue43884
TEST_F(Subprocess, AShellThatWasKilledLeavesNobodyWaiting) {
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_shell("exec sleep 60", ProcessOptions({}, PIPE));
    co_await sleep(1ms);
    process.kill();
    const int returncode = co_await process.wait();
    EXPECT_EQ(returncode, -SIGKILL);
  });
}

// test_subprocess.py: SubprocessMixin.test_subprocess_send_signal_race
TEST_F(Subprocess, ASignalToOneThatHasEndedIsAnErrorOnceAllIsOver) {
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_exec("true");
    process.send_signal(SIGCONT);  // it may have ended, but is not reaped yet
    co_await process.wait();
    co_await ticks(2);
    EXPECT_EQ(thrown<std::system_error>([&] { process.kill(); }),
              "process " + std::to_string(process.pid()) + ": No such process");
  });
}

// test_subprocess.py: SubprocessMixin.test_subprocess_concurrent_wait
TEST_F(Subprocess, ManyTasksMayWaitForOne) {
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_shell("exit 3");
    std::vector<Coro<int>> waits;
    for (int i = 0; i < 10; ++i) waits.push_back(process.wait());
    const std::vector<int> codes = co_await gather(std::move(waits));
    EXPECT_EQ(codes, std::vector<int>(10, 3));
    const int again = co_await process.wait();
    EXPECT_EQ(again, 3);
  });
}

// test_subprocess.py: SubprocessMixin.test_cancel_process_wait
TEST_F(Subprocess, ACancelledWaitLeavesTheProcessAlone) {
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_exec("sleep", "60");
    auto waiting = create_task(process.wait());
    co_await ticks(1);
    waiting.cancel();
    EXPECT_THROW(co_await waiting, CancelledError);
    EXPECT_FALSE(process.returncode());
    process.kill();
    const int returncode = co_await process.wait();
    EXPECT_EQ(returncode, -SIGKILL);
  });
}

// test_subprocess.py: SubprocessMixin.test_read_stdout_after_process_exit
TEST_F(Subprocess, WhatItWroteIsThereAfterItsEnd) {
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_shell("echo a; echo b", ProcessOptions({}, PIPE));
    co_await sleep(30ms);
    const std::string first = co_await process.stdout_()->readline();
    const std::string rest = co_await process.stdout_()->read();
    EXPECT_EQ(first + rest, "a\nb\n");
    co_await process.wait();
  });
}

TEST_F(Subprocess, WaitResumesOnlyWhenThePipesAreAtTheirEndToo) {
  run_io([]() -> Coro<> {
    // The grandchild keeps the pipe open; the child itself ends at once.
    const Process process = co_await create_subprocess_shell("read go; sleep 0.1 & exit 4", kPipes);
    auto waiting = create_task(process.wait());
    co_await ticks(1);
    const TimePoint start = Loop::running().time();
    process.stdin_()->write("\n");
    const int returncode = co_await waiting;
    EXPECT_EQ(returncode, 4);
    EXPECT_GE(Loop::running().time() - start, 50ms);
  });
}

// CPython's main no longer waits for the grandchild in either case (gh-119710); 3.14 does as this.
TEST_F(Subprocess, WaitThatBeginsAfterTheExitDoesNotWaitForAGrandchildsPipe) {
  run_io([]() -> Coro<> {
    const Process process =
        co_await create_subprocess_shell("sleep 1000 & echo $!; read go; exit 4", ProcessOptions(PIPE, PIPE));
    const std::string grandchild = co_await process.stdout_()->readline();
    auto before = create_task(process.wait());
    co_await ticks(1);
    process.stdin_()->write("\n");
    while (!process.returncode()) co_await sleep(1ms);
    const TimePoint start = Loop::running().time();
    const int returncode = co_await process.wait();
    EXPECT_EQ(returncode, 4);
    EXPECT_LT(Loop::running().time() - start, 20s);
    EXPECT_FALSE(before.done());
    ::kill(std::stoi(grandchild), SIGKILL);
    const int the_same = co_await before;
    EXPECT_EQ(the_same, 4);
  });
}

// test_subprocess.py: SubprocessMixin.test_stdin_broken_pipe
TEST_F(Subprocess, DrainThrowsIfTheChildDoesNotRead) {
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_shell("sleep 0.02; exit 0", ProcessOptions(PIPE));
    process.stdin_()->write(pattern(200'000));
    const std::error_code code = co_await error_of(process.stdin_()->drain());
    EXPECT_TRUE(code == std::errc::broken_pipe || code == std::errc::connection_reset) << code;
    co_await process.wait();
  });
}

// test_subprocess.py: SubprocessMixin.test_communicate_ignore_broken_pipe
TEST_F(Subprocess, CommunicateDoesNotMindAChildThatDoesNotRead) {
  run_io([]() -> Coro<> {
    const Process process = co_await create_subprocess_shell("sleep 0.02; exit 5", ProcessOptions(PIPE));
    co_await process.communicate(pattern(200'000));
    EXPECT_EQ(process.returncode(), 5);
  });
}

// test_subprocess.py: SubprocessMixin.test_pause_reading
TEST_F(Subprocess, AReaderThatIsFullMakesTheChildWait) {
  run_io([]() -> Coro<> {
    ProcessOptions options({}, PIPE);
    options.limit = 1000;
    const Process process = co_await create_subprocess_exec("head", "-c", "1000000", "/dev/zero", options);
    co_await sleep(50ms);
    EXPECT_FALSE(process.returncode());  // its output blocks it
    const auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out.size(), 1'000'000u);
    EXPECT_EQ(process.returncode(), 0);
  });
}

// ── cancelled, dropped, too many ────────────────────────────────────────────────────────────────────────────────────

// test_subprocess.py: SubprocessMixin.test_cancel_post_init
// test_subprocess.py: SubprocessMixin.test_cancel_make_subprocess_transport_exec
// test_subprocess.py: SubprocessMixin.test_subprocess_read_pipe_cancelled
// test_subprocess.py: SubprocessMixin.test_subprocess_write_pipe_cancelled
// test_subprocess.py: SubprocessMixin.test_subprocess_read_write_pipe_cancelled
TEST_F(Subprocess, ACancelledCreationKillsTheChild) {
  for (int after = 0; after < 6; ++after) {  // ticks
    for (const ProcessOptions& options : {ProcessOptions(PIPE, PIPE, PIPE), ProcessOptions(DEVNULL)}) {
      run_io([after, options]() -> Coro<> {
        auto creating = create_task(create_subprocess_exec("sleep", "60", options));
        co_await ticks(after);
        if (!creating.cancel()) {
          creating.result().kill();
          co_await creating.result().wait();
          co_return;
        }
        EXPECT_THROW(co_await creating, CancelledError);
        EXPECT_TRUE(no_children());
      });
    }
  }
}

TEST_F(Subprocess, ACreationThatIsCancelledAgainAsItWaitsForTheChildsEndLeavesNoChild) {
  for (int after = 1; after < 4; ++after) {  // ticks
    run_io([after]() -> Coro<> {
      auto creating = create_task(create_subprocess_exec("sleep", "60", kPipes));
      co_await ticks(after);
      creating.cancel();
      co_await ticks(1);
      EXPECT_TRUE(creating.cancel());
      EXPECT_THROW(co_await creating, CancelledError);
      EXPECT_TRUE(no_children());
    });
  }
}

TEST_F(Subprocess, OneWhoseHandleIsDroppedGoesOnAndIsReaped) {
  run_io([]() -> Coro<> {
    { co_await create_subprocess_exec("true"); }
    while (!no_children()) co_await sleep(1ms);
    {
      co_await create_subprocess_exec("cat", kPipes);  // its stdin is closed with the handle
    }
    while (!no_children()) co_await sleep(1ms);
  });
}

TEST_F(Subprocess, OneThatRunsWhenTheLoopIsClosedIsKilled) {
  std::optional<Process> process;
  run_io([&]() -> Coro<> { process = co_await create_subprocess_exec("sleep", "60", kPipes); });
  EXPECT_TRUE(no_children());
  EXPECT_EQ(process->returncode(), -SIGKILL);
  EXPECT_THROW(process->kill(), std::system_error);
}

TEST_F(Subprocess, TwoHundredAtOnce) {
  run_io([]() -> Coro<> {
    const auto one = [](int number) -> Coro<std::string> {
      const Process process = co_await create_subprocess_exec("cat", kPipes);
      auto [out, err] = co_await process.communicate(std::to_string(number));
      co_return std::move(out);
    };
    std::vector<Coro<std::string>> all;
    for (int i = 0; i < 200; ++i) all.push_back(one(i));
    const std::vector<std::string> results = co_await gather(std::move(all));
    for (int i = 0; i < 200; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], std::to_string(i));
  });
}

TEST_F(Subprocess, OneThatSomebodyElseReapedHasAReturnCodeOf255) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    const Process process = co_await create_subprocess_exec("true");
    int status = 0;
    ::waitpid(process.pid(), &status, 0);
    const int returncode = co_await process.wait();
    EXPECT_EQ(returncode, 255);
    EXPECT_EQ(errors.messages().at(0),
              "Unknown child process pid " + std::to_string(process.pid()) + ", will report returncode 255");
    Loop::running().set_exception_handler(nullptr);
  });
}

// Without a free descriptor, a thread watches the child.
TEST_F(SubprocessThread, WithoutAPidfdAThreadWaitsForTheEnd) {
  if (kSanitizerNeedsDescriptors) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  run_io([]() -> Coro<> {
    const Process first = co_await create_subprocess_exec("true");
    co_await first.wait();
    std::vector<FileDescriptor> taken;  // low numbers, which the child needs
    do {
      taken.emplace_back(::fcntl(0, F_DUPFD_CLOEXEC, 0));
    } while (taken.back().fd() < 20);
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlimit none{static_cast<rlim_t>(taken.back().fd()) + 1, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    auto creating = create_task(create_subprocess_shell("exit 9"));
    auto killed = create_task(create_subprocess_exec("sleep", "60"));
    co_await ticks(3);
    setrlimit(RLIMIT_NOFILE, &limit);
    const Process process = co_await creating;
    const int returncode = co_await process.wait();
    EXPECT_EQ(returncode, 9);
    const Process sleeper = co_await killed;
    sleeper.kill();
    const int signal = co_await sleeper.wait();
    EXPECT_EQ(signal, -SIGKILL);
  });
}

TEST_F(SubprocessThread, EachLoopInItsThreadHasItsChildren) {
  run_io([]() -> Coro<> {
    const auto in_loop_of_its_own = [] {
      return run([]() -> Coro<int> {
        const Process process = co_await create_subprocess_exec("sleep", "60");
        process.terminate();  // its signals are not blocked, unlike this thread's
        co_return co_await process.wait();
      });
    };
    const auto [one, two] = co_await gather(to_thread(in_loop_of_its_own), to_thread(in_loop_of_its_own));
    EXPECT_EQ(one, -SIGTERM);
    EXPECT_EQ(two, -SIGTERM);
  });
}

// test_subprocess.py: GenericWatcherTests.test_create_subprocess_with_pidfd
TEST_F(SubprocessThread, ALoopThatIsNotTheMainThreadsTalksToItsChild) {
  run_io([]() -> Coro<> {
    const auto in_thread = [] {
      return run([]() -> Coro<std::string> {
        const Process process = co_await create_subprocess_exec("cat", kPipes);
        auto [out, err] = co_await process.communicate("some data");
        co_return out + std::to_string(process.returncode().value_or(-1));
      });
    };
    const std::string answer = co_await to_thread(in_thread);
    EXPECT_EQ(answer, "some data0");
  });
}

// ── the transport beneath ───────────────────────────────────────────────────────────────────────────────────────────

class Recorder : public SubprocessProtocol {
 public:
  void connection_made(std::shared_ptr<SubprocessTransport> made) override {
    transport = made;
    log += "made ";
  }
  void pipe_data_received(int fd, std::string_view received) override {
    if (data[fd].empty()) log += "data" + std::to_string(fd) + " ";
    data[fd] += received;
  }
  void pipe_connection_lost(int fd, std::exception_ptr error) override {
    EXPECT_EQ(error, nullptr);
    log += "lost" + std::to_string(fd) + " ";
  }
  void process_exited() override { log += "exited "; }
  void connection_lost(std::exception_ptr error) override {
    EXPECT_EQ(error, nullptr);
    log += "lost";
    over.set_result();
  }

  std::weak_ptr<SubprocessTransport> transport;
  std::string log;
  std::string data[3];
  Future<> over{Loop::running()};
};

std::shared_ptr<Recorder> make_recorder() { return std::make_shared<Recorder>(); }

// test_subprocess.py: SubprocessMixin.test_subprocess_protocol_events
// test_events.py: SubprocessTestsMixin.test_subprocess_shell
// test_events.py: SubprocessTestsMixin.test_subprocess_stderr
TEST_F(Subprocess, EventsOfEachPipeComeInOrderAndTheConnectionIsLostLast) {
  run_io([]() -> Coro<> {
    const std::string command = "echo out; echo err >&2";
    auto [transport, protocol] = co_await subprocess_shell(make_recorder, command, ProcessOptions(DEVNULL, PIPE, PIPE));
    EXPECT_TRUE(protocol->log.starts_with("made "));
    co_await protocol->over;
    const std::string& log = protocol->log;
    EXPECT_TRUE(log.ends_with(" lost")) << log;
    for (const char* fd : {"1", "2"}) {
      const auto data = log.find(std::string("data") + fd), lost = log.find(std::string("lost") + fd);
      EXPECT_NE(data, log.npos);
      EXPECT_LT(data, lost) << log;
    }
    EXPECT_NE(log.find("exited"), log.npos);
    EXPECT_EQ(protocol->data[1], "out\n");
    EXPECT_EQ(protocol->data[2], "err\n");
    EXPECT_EQ(transport->get_returncode(), 0);
  });
}

// test_events.py: SubprocessTestsMixin.test_subprocess_exec
// test_events.py: SubprocessTestsMixin.test_subprocess_interactive
TEST_F(Subprocess, ATransportWritesToStdin) {
  run_io([]() -> Coro<> {
    auto [transport, protocol] = co_await subprocess_exec(make_recorder, "cat", kPipes);
    EXPECT_EQ(transport->get_protocol(), protocol);
    for (const char* text : {"Python ", "The Winner"}) {
      transport->get_pipe_transport(0)->write(text);
      const std::size_t before = protocol->data[1].size();
      while (protocol->data[1].size() == before) co_await sleep(1ms);
    }
    EXPECT_EQ(protocol->data[1], "Python The Winner");
    EXPECT_EQ(transport->get_pipe_transport(2), nullptr);
    transport->close();  // kills it
    co_await protocol->over;
    EXPECT_EQ(transport->get_returncode(), -SIGKILL);
    EXPECT_EQ(transport->repr(),
              "<SubprocessTransport closed pid=" + std::to_string(transport->get_pid()) + " returncode=-9>");
  });
}

/// Cancels a creation in tick `first`, and once more `again` ticks later.
Coro<> cancel_creation(int first, int again, const ProcessOptions& options, bool ends_at_once) {
  const auto recorder = make_recorder();
  const auto make = [recorder] { return recorder; };
  auto creating = create_task(ends_at_once ? subprocess_exec(make, "true", options)
                                           : subprocess_exec(make, "sleep", "60", options));
  for (int tick = 0; tick < first + again + 6; ++tick) {
    if (tick == first || tick == first + again) creating.cancel();
    if (ends_at_once && tick > 0) {  // it has ended, so the loop may learn of it in any tick
      siginfo_t info;
      ::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
    }
    co_await ticks(1);
  }
  try {
    co_await creating;
  } catch (const CancelledError&) {
  }
  if (const auto transport = recorder->transport.lock()) transport->close();
  if (!recorder->log.empty()) {
    co_await wait_for(recorder->over, 20s);
    EXPECT_TRUE(recorder->log.starts_with("made ")) << recorder->log;
    EXPECT_NE(recorder->log.find("exited"), std::string::npos) << recorder->log;
    EXPECT_TRUE(recorder->log.ends_with(" lost")) << recorder->log;
  }
  co_await ticks(3);  // nothing of it is left in the loop
}

// Whatever the protocol was told of, it is told to the end; nothing is told of a creation that failed before.
TEST_F(Subprocess, ACreationCancelledAtAnyTickTellsTheProtocolAllOrNothing) {
  for (int first = 0; first < 9; ++first) {
    for (int again = -1; again < 4; ++again) {
      for (const ProcessOptions& options : {ProcessOptions(DEVNULL, DEVNULL), kPipes}) {
        for (const bool ends_at_once : {true, false}) {
          run_io([&] { return cancel_creation(first, again, options, ends_at_once); });
          EXPECT_TRUE(no_children()) << first << ' ' << again;
        }
      }
    }
  }
}

// test_events.py: SubprocessTestsMixin.test_subprocess_exitcode
// test_events.py: SubprocessTestsMixin.test_subprocess_close_after_finish
// test_subprocess.py: SubprocessMixin.test_close_dont_kill_finished
// test_subprocess.py: SubprocessTransportTests.test_proc_exited
TEST_F(Subprocess, AFinishedTransportHasItsCodeAndClosingItDoesNothing) {
  run_io([]() -> Coro<> {
    auto [transport, protocol] = co_await subprocess_shell(make_recorder, "exit 7");
    co_await protocol->over;
    EXPECT_EQ(protocol->log, "made exited lost");
    EXPECT_EQ(transport->get_returncode(), 7);
    EXPECT_EQ(transport->get_protocol(), nullptr);
    EXPECT_THROW(transport->send_signal(SIGTERM), std::system_error);
    transport->close();
    EXPECT_EQ(transport->get_returncode(), 7);
  });
}

// test_subprocess.py: SubprocessTransportTests.test_subprocess_repr
TEST_F(Subprocess, ATransportSaysWhetherItsChildRuns) {
  run_io([]() -> Coro<> {
    const auto none = std::make_shared<SubprocessTransport>(Loop::running(), make_recorder());
    EXPECT_EQ(none->repr(), "<SubprocessTransport not started>");
    auto [transport, protocol] = co_await subprocess_exec(make_recorder, "cat", ProcessOptions(PIPE));
    const std::string begin = "<SubprocessTransport pid=" + std::to_string(transport->get_pid());
    EXPECT_EQ(transport->repr(), begin + " running>");
    transport->get_pipe_transport(0)->close();
    co_await protocol->over;
    EXPECT_EQ(transport->repr(), begin + " returncode=0>");
  });
}

// test_events.py: SubprocessTestsMixin.test_subprocess_wait_no_same_group
TEST_F(Subprocess, TheEndOfOneInASessionOfItsOwnIsNoticed) {
  run_io([]() -> Coro<> {
    ProcessOptions options;
    options.start_new_session = true;
    auto [transport, protocol] = co_await subprocess_shell(make_recorder, "exit 7", options);
    co_await protocol->over;
    EXPECT_EQ(transport->get_returncode(), 7);
    transport->close();
  });
}

/// Its child is waited for from the first moment on, three times; the second wait is cancelled when it has exited.
class EarlyWaits final : public Recorder {
 public:
  void connection_made(std::shared_ptr<SubprocessTransport> made) override {
    for (int i = 0; i < 3; ++i) waits.push_back(create_task(made->wait()));
    Recorder::connection_made(std::move(made));
  }
  void process_exited() override {
    waits[1].cancel();
    Recorder::process_exited();
  }
  std::vector<Task<int>> waits;
};

// test_subprocess.py: SubprocessTransportTests.test_proc_exited_no_invalid_state_error_on_exit_waiters
TEST_F(Subprocess, WhoWaitsFromTheFirstMomentIsWokenOnceByTheEnd) {
  run_io([]() -> Coro<> {
    ErrorLog errors(Loop::running());
    const ProcessOptions options(PIPE);
    auto [transport, protocol] = co_await subprocess_shell(make<EarlyWaits>, "read line; exit 6", options);
    co_await ticks(1);
    transport->get_pipe_transport(0)->close();
    co_await protocol->over;
    const int first = co_await protocol->waits[0];
    const int third = co_await protocol->waits[2];
    EXPECT_EQ(first, 6);
    EXPECT_EQ(third, 6);
    EXPECT_TRUE(protocol->waits[1].cancelled());
    EXPECT_TRUE(errors.contexts.empty());
  });
}

// test_events.py: SubprocessTestsMixin.test_subprocess_close_client_stream
TEST_F(Subprocess, AChildWhoseOutputWeCloseGetsABrokenPipe) {
  run_io([]() -> Coro<> {
    auto [transport, protocol] = co_await subprocess_exec(make_recorder, "cat", ProcessOptions(PIPE, PIPE, DEVNULL));
    transport->get_pipe_transport(1)->close();
    while (protocol->log.find("lost1") == std::string::npos) co_await sleep(1ms);
    transport->get_pipe_transport(0)->write("x");
    co_await protocol->over;
    EXPECT_EQ(transport->get_returncode(), -SIGPIPE);
  });
}

// test_events.py: SubprocessTestsMixin.test_subprocess_kill
// test_events.py: SubprocessTestsMixin.test_subprocess_terminate
// test_events.py: SubprocessTestsMixin.test_subprocess_send_signal
// test_subprocess.py: SubprocessMixin.test_close_kill_running
TEST_F(Subprocess, ATransportSendsSignals) {
  run_io([]() -> Coro<> {
    for (const int signal : {SIGKILL, SIGTERM, SIGHUP}) {
      auto [transport, protocol] = co_await subprocess_exec(make_recorder, "sleep", "60");
      transport->send_signal(signal);
      const int returncode = co_await transport->wait();
      EXPECT_EQ(returncode, -signal);
    }
  });
}

}  // namespace
}  // namespace asyncio::testing

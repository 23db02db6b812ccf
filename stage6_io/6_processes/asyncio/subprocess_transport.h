// SubprocessTransport: a child process as a transport, whose protocol learns of its pipes and its end. Most programs
// use Process instead, which stands on it.
// Mirrors: Lib/asyncio/base_subprocess.py, unix_events.py, and loop.subprocess_exec. Read next: ../../asyncio/asyncio.h
#pragma once

#include <asyncio/connections.h>
#include <asyncio/coro.h>
#include <asyncio/detail/child.h>
#include <asyncio/detail/reserved_call.h>
#include <asyncio/detail/thread_bridge.h>
#include <asyncio/file_descriptor.h>
#include <asyncio/flow_control.h>
#include <asyncio/process_options.h>

#include <concepts>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio {

class SubprocessTransport;

/// The callbacks of a child process. connection_made() comes first; the pipes' callbacks and process_exited() come in
/// any order; connection_lost() comes when the process has exited and all pipes have ended.
class SubprocessProtocol : public BaseProtocol {
 public:
  /// The first call: the child runs.
  virtual void connection_made(std::shared_ptr<SubprocessTransport>) {}
  /// The child has written to its stdout (1) or stderr (2).
  virtual void pipe_data_received(int /*fd*/, std::string_view) {}
  /// One of the pipes is lost: null if it was closed or has ended.
  virtual void pipe_connection_lost(int /*fd*/, std::exception_ptr) {}
  /// The child has ended; get_returncode() tells how.
  virtual void process_exited() {}
};

namespace detail {
class ChildProcesses;
class StdinProtocol;
class OutputProtocol;
}  // namespace detail

/// The loop keeps it until connection_lost(). Closing the loop kills a child that still runs, unless the system forbids
/// that (sudo), and leaves no zombie.
/// Invariants: (1) the child is ours to reap exactly until returncode_ is set. (2) pending_ holds back the protocol's
/// callbacks until connection_made() is scheduled.
class SubprocessTransport final : public BaseTransport, public std::enable_shared_from_this<SubprocessTransport> {
 public:
  /// The child's number, also after its end. [SubprocessTransport.get_pid]
  int get_pid() const noexcept { return child_.pid(); }
  /// The exit code; the negative number of the signal that ended the child; empty while it runs.
  std::optional<int> get_returncode() const noexcept { return returncode_; }
  /// The transport of stdin (0), stdout (1) or stderr (2); null if that is no PIPE.
  std::shared_ptr<Transport> get_pipe_transport(int fd) const;

  /// Does nothing if the child has exited, even if another process has got its number. Throws std::system_error (ESRCH)
  /// after connection_lost().
  void send_signal(int signal);
  /// send_signal(SIGTERM).
  void terminate() { send_signal(SIGTERM); }
  /// send_signal(SIGKILL).
  void kill() { send_signal(SIGKILL); }

  /// Closes the pipes and kills the child if it still runs.
  void close() override;
  bool is_closing() const noexcept override { return closed_; }
  void set_protocol(std::shared_ptr<BaseProtocol> protocol) override;
  std::shared_ptr<BaseProtocol> get_protocol() const override { return protocol_; }
  std::string repr() const override;

  /// Waits until the process has exited and its pipes have ended, also those that a grandchild holds open. Returns at once
  /// if it has exited already. [_wait]
  Coro<int> wait();

  // ── for the library ──
  SubprocessTransport(Loop& loop, std::shared_ptr<SubprocessProtocol> protocol);
  static Coro<std::shared_ptr<SubprocessTransport>> start(std::shared_ptr<SubprocessProtocol> protocol,
                                                          std::vector<std::string> argv, ProcessOptions options);
  std::shared_ptr<FlowControlProtocol> stdin_flow() const;

 private:
  friend detail::ChildProcesses;
  friend detail::StdinProtocol;
  friend detail::OutputProtocol;
  struct Pipe {
    bool wanted = false;
    bool lost = false;
    std::exception_ptr error;  // of the loss
    std::shared_ptr<BaseTransport> transport;
  };

  void watch_exit();
  void reap_now() noexcept;
  void stop_watching() noexcept;
  void on_exit();
  void exited();
  Coro<> connect_pipes(std::vector<FileDescriptor> ends);
  void pipe_data_received(int fd, std::string_view data);
  void pipe_connection_lost(int fd, std::exception_ptr error);
  /// What somebody waits for, whether or not there is memory: 0, 1, 2: that pipe is lost. The other two: the process has
  /// exited, and all has ended.
  enum News : int { kExited = 3, kEnded = 4 };
  void announce(int news);  // to nobody, after abandon()
  void deliver(int news);
  void reserve_for_news();
  void try_finish();
  void wake_waiters();
  void finish();
  void abandon() noexcept;

  Loop& loop_;
  std::shared_ptr<SubprocessProtocol> protocol_;
  detail::Child child_;
  std::optional<int> returncode_;
  Pipe pipes_[3];
  std::shared_ptr<FlowControlProtocol> stdin_flow_;
  std::optional<std::vector<std::function<void()>>> pending_ = std::vector<std::function<void()>>();
  struct Announcement {
    detail::ReservedCall<SubprocessTransport> call;
    std::shared_ptr<SubprocessProtocol> protocol;
  };
  Announcement news_[5];
  std::vector<Future<int>> exit_waiters_;
  bool pipes_connected_ = false;
  bool closed_ = false;
  bool exit_told_ = false;  // to the protocol
  bool finished_ = false;   // finish() is scheduled
  bool lost_ = false;
};

namespace detail {

inline void add_arguments(std::vector<std::string>&, ProcessOptions& options, const ProcessOptions& given) {
  options = given;
}
inline void add_arguments(std::vector<std::string>& argv, ProcessOptions&, const std::vector<std::string>& more) {
  argv.insert(argv.end(), more.begin(), more.end());
}
template <std::convertible_to<std::string> Text>
void add_arguments(std::vector<std::string>& argv, ProcessOptions&, Text&& text) {
  argv.emplace_back(std::forward<Text>(text));
}
template <class... Args>
std::pair<std::vector<std::string>, ProcessOptions> command(Args&&... args) {
  std::pair<std::vector<std::string>, ProcessOptions> command;
  (add_arguments(command.first, command.second, std::forward<Args>(args)), ...);
  return command;
}
inline std::vector<std::string> shell_command(std::string command) {
  std::vector<std::string> argv;
  argv.emplace_back("/bin/sh");
  argv.emplace_back("-c");
  argv.push_back(std::move(command));
  return argv;
}

template <class P>
Coro<std::pair<std::shared_ptr<SubprocessTransport>, std::shared_ptr<P>>> start_subprocess(
    std::shared_ptr<P> protocol, std::vector<std::string> argv, ProcessOptions options) {
  std::shared_ptr<SubprocessTransport> transport =
      co_await SubprocessTransport::start(protocol, std::move(argv), std::move(options));
  co_return std::pair<std::shared_ptr<SubprocessTransport>, std::shared_ptr<P>>(std::move(transport),
                                                                                std::move(protocol));
}

}  // namespace detail

/// `co_await subprocess_exec(factory, "grep", "-n", "x", ProcessOptions(PIPE, PIPE))`: arguments are strings or vectors
/// of strings; the options may stand anywhere after the factory. Returns {transport, protocol} after connection_made().
/// See create_subprocess_exec() for what it throws.
template <ProtocolFactory F, class... Args>
auto subprocess_exec(F factory, Args&&... args) {
  auto [argv, options] = detail::command(std::forward<Args>(args)...);
  return detail::start_subprocess(detail::make_protocol(factory), std::move(argv), std::move(options));
}
/// Runs `command` with /bin/sh.
template <ProtocolFactory F>
auto subprocess_shell(F factory, std::string command, ProcessOptions options = {}) {
  return detail::start_subprocess(detail::make_protocol(factory), detail::shell_command(std::move(command)),
                                  std::move(options));
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: connection_made() comes in a later tick than the start; each later call in the tick after the one that
//   finds its cause.
// Errors: std::system_error if the child cannot be started; std::invalid_argument for a '\0' in a string; what the
//   factory throws.
// Units: fd is 0, 1 or 2; get_pid() is the kernel's number; an exit code is 0 to 255, or the negative number of a
//   signal.

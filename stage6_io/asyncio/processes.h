// create_subprocess_exec(): a program as a child, with its streams as streams.
// Mirrors: Lib/asyncio/subprocess.py. Read next: spawn.h, for how it is started
#pragma once

#include <asyncio/process_options.h>
#include <asyncio/stream_reader.h>
#include <asyncio/stream_writer.h>
#include <asyncio/subprocess_transport.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

/// A handle; copies speak of the same child. When the last one is gone, the child's stdin is closed, if that is a pipe of
/// ours; the child goes on, and is reaped when it ends. Closing the loop kills it.
class Process {
 public:
  int pid() const noexcept { return state_->transport->get_pid(); }
  /// What it returned; the negative number of the signal that ended it (-9: killed); nothing while it runs.
  std::optional<int> returncode() const noexcept { return state_->transport->get_returncode(); }

  // Its streams, those that are PIPEs. (`stdin` is a macro.)
  const std::optional<StreamWriter>& stdin_() const noexcept { return state_->in; }
  const std::optional<StreamReader>& stdout_() const noexcept { return state_->out; }
  const std::optional<StreamReader>& stderr_() const noexcept { return state_->err; }

  /// Until it has ended and its pipes are at their end: so somebody has to read them, or a child that fills one will
  /// wait for ever. Gives the return code. Any number of tasks may wait.
  Coro<int> wait() const { return state_->transport->wait(); }

  /// Writes `input` to its stdin and closes that, reads all of its stdout and stderr, and waits for its end: {stdout,
  /// stderr}, "" for what is no PIPE. A child that ends without reading its input is no error.
  Coro<std::pair<std::string, std::string>> communicate(std::optional<std::string> input = {}) const {
    return communicate(*this, std::move(input));
  }

  /// Nothing happens to a child that has ended; std::system_error (ESRCH) if its pipes are at their end as well.
  void send_signal(int signal) const { state_->transport->send_signal(signal); }
  void terminate() const { send_signal(SIGTERM); }
  void kill() const { send_signal(SIGKILL); }

  // ── for the library ──
  static Coro<Process> create(std::vector<std::string> argv, ProcessOptions options);

 private:
  struct State {
    std::shared_ptr<SubprocessTransport> transport;
    std::optional<StreamWriter> in;
    std::optional<StreamReader> out;
    std::optional<StreamReader> err;
  };
  explicit Process(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}
  static Coro<std::pair<std::string, std::string>> communicate(Process self, std::optional<std::string> input);
  static Coro<> feed_stdin(Process self, std::optional<std::string> input);
  static Coro<std::string> read_stream(Process self, int fd);

  std::shared_ptr<const State> state_;
};

/// `co_await create_subprocess_exec("ls", "-l", folder, ProcessOptions({}, subprocess::PIPE))`: program and arguments are
/// strings, or vectors of strings; the options, if any, may stand anywhere. No shell is involved.
/// Throws std::system_error that names the program (std::errc::no_such_file_or_directory, permission_denied …) or the
/// folder; std::invalid_argument for a '\0' in an argument. Cancelled, it kills the child.
template <class... Args>
Coro<Process> create_subprocess_exec(std::string program, Args&&... args) {
  auto [argv, options] = detail::command(std::move(program), std::forward<Args>(args)...);
  return Process::create(std::move(argv), std::move(options));
}
/// `command`, run by /bin/sh.
inline Coro<Process> create_subprocess_shell(std::string command, ProcessOptions options = {}) {
  return Process::create(detail::shell_command(std::move(command)), std::move(options));
}

}  // namespace asyncio

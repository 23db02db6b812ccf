// create_subprocess_exec(): runs a program as a child process and gives its pipes as streams.
// Mirrors: Lib/asyncio/subprocess.py. Read next: process_options.h
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

/// A handle; copies refer to the same child. Destroying the last one closes the child's stdin, if that is a pipe; the
/// child keeps running and is reaped when it ends. Closing the loop kills it.
class Process {
 public:
  /// Its number, also after its end.
  int pid() const noexcept { return state_->transport->get_pid(); }
  /// The exit code; the negative number of the signal that ended the child (-9: killed); empty while it runs.
  std::optional<int> returncode() const noexcept { return state_->transport->get_returncode(); }

  /// The streams that are PIPEs. (`stdin` is a macro.)
  const std::optional<StreamWriter>& stdin_() const noexcept { return state_->in; }
  /// The child's stdout, if it is a PIPE.
  const std::optional<StreamReader>& stdout_() const noexcept { return state_->out; }
  /// The child's stderr, if it is a PIPE.
  const std::optional<StreamReader>& stderr_() const noexcept { return state_->err; }

  /// Waits until the child has exited, and returns the exit code. Any number of tasks may wait. As in CPython 3.14, one that
  /// begins to wait before the exit also waits for the end of the pipes, which a grandchild may hold open for long; one
  /// that begins after the exit returns at once. Somebody must read the pipes: a child that fills one waits for ever.
  Coro<int> wait() const { return state_->transport->wait(); }

  /// Writes `input` to stdin and closes it, reads all of stdout and stderr, and waits for the child's end. Returns
  /// {stdout, stderr}; "" for a stream that is no PIPE. It is no error if the child does not read its input.
  Coro<std::pair<std::string, std::string>> communicate(std::optional<std::string> input = {}) const {
    return communicate(*this, std::move(input));
  }

  /// Does nothing if the child has exited. Throws std::system_error (ESRCH) if its pipes have ended as well.
  void send_signal(int signal) const { state_->transport->send_signal(signal); }
  /// send_signal(SIGTERM).
  void terminate() const { send_signal(SIGTERM); }
  /// send_signal(SIGKILL).
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

/// `co_await create_subprocess_exec("ls", "-l", folder, ProcessOptions({}, subprocess::PIPE))`: arguments are strings
/// or vectors of strings; the options may stand anywhere after the program. No shell is involved. A cancel kills the
/// child.
/// Throws std::system_error that names the program (std::errc::no_such_file_or_directory, permission_denied …) or the
/// folder, and std::invalid_argument for a '\0' in any of the strings, and for a name in `env` that is empty or
/// contains '='.
template <class... Args>
Coro<Process> create_subprocess_exec(std::string program, Args&&... args) {
  auto [argv, options] = detail::command(std::move(program), std::forward<Args>(args)...);
  return Process::create(std::move(argv), std::move(options));
}
/// Runs `command` with /bin/sh.
inline Coro<Process> create_subprocess_shell(std::string command, ProcessOptions options = {}) {
  return Process::create(detail::shell_command(std::move(command)), std::move(options));
}

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: the child runs when the await returns. Its bytes and its end are found as of any descriptor, and who waits
//   runs in a later tick.
// Errors: std::system_error if the child cannot be started; std::invalid_argument for a '\0' in a string.
// Units: pid() is the kernel's number; an exit code is 0 to 255, or the negative number of a signal.

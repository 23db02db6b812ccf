// How to start a child process: its streams, folder and environment.
// Mirrors: the keyword arguments of Lib/subprocess.py, Popen. close_fds and restore_signals are always on.
// posix_spawn() cannot do umask, user, group, extra_groups and preexec_fn: use `sh -c 'umask 077; exec …'` or setpriv.
// Read next: subprocess_transport.h
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace asyncio {

/// The source or target of one of a child's three streams. Default: the parent's own stream.
class Redirect {
 public:
  constexpr Redirect() noexcept = default;
  /// An open descriptor; the caller keeps ownership. Throws std::invalid_argument if it is negative.
  Redirect(int fd);  // NOLINT(google-explicit-constructor)

  constexpr int fd() const noexcept { return value_; }  // negative if this is no descriptor
  friend constexpr bool operator==(Redirect, Redirect) = default;

  /// For the constants in `subprocess`.
  static constexpr Redirect special(int value) noexcept {
    Redirect redirect;
    redirect.value_ = value;
    return redirect;
  }

 private:
  int value_ = -4;
};

namespace subprocess {
inline constexpr Redirect PIPE = Redirect::special(-1);     // a pipe; the parent holds the other end
inline constexpr Redirect STDOUT = Redirect::special(-2);   // for stderr only: the same target as stdout
inline constexpr Redirect DEVNULL = Redirect::special(-3);  // /dev/null
}  // namespace subprocess

/// The variables of a process, by name.
using Environment = std::map<std::string, std::string>;
/// The environment of this process. [os.environ.copy()]
Environment current_environment();

/// `ProcessOptions(PIPE, PIPE)` sets stdin and stdout; the members set the rest.
struct ProcessOptions {
  /// Nothing is redirected.
  ProcessOptions() noexcept {}
  /// The three streams of the child.
  explicit ProcessOptions(Redirect in, Redirect out = {}, Redirect err = {}) noexcept
      : stdin_(in), stdout_(out), stderr_(err) {}

  Redirect stdin_;                        // where the child's stdin comes from; by default it is the parent's
  Redirect stdout_;                       // where its stdout goes
  Redirect stderr_;                       // where its stderr goes
  std::optional<std::string> cwd;         // the folder to start in; a relative path of the program starts there
  std::optional<Environment> env;         // replaces the parent's environment
  std::optional<std::string> executable;  // the program to run under the name argv[0], or instead of the shell
  std::vector<int> pass_fds;         // more descriptors for the child, under the same numbers; the caller keeps them
  bool start_new_session = false;    // setsid(): no terminal, and a process group of its own
  std::optional<int> process_group;  // setpgid(): the group to join; 0: a new one
  std::size_t limit = 64 * 1024;     // the limit of the StreamReaders, in bytes
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread; one object belongs to one thread at a time.
// Ticks: none.
// Errors: std::invalid_argument for a negative descriptor.
// Units: limit is in bytes; a descriptor and a process group are the kernel's numbers.

// How a child process is started: where its streams go, its folder, its environment.
// Mirrors: the keyword arguments of Lib/subprocess.py, Popen. Its close_fds and restore_signals are always on; its umask,
// user, group, extra_groups and preexec_fn are what posix_spawn() cannot do: `sh -c 'umask 077; exec …'`, setpriv.
// Read next: subprocess_transport.h
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace asyncio {

/// Where one of a child's three streams comes from or goes to: nothing else said, the same as ours.
class Redirect {
 public:
  constexpr Redirect() noexcept = default;
  /// An open descriptor, which stays the caller's. Throws std::invalid_argument if it is negative.
  Redirect(int fd);  // NOLINT: converts on purpose

  constexpr int fd() const noexcept { return value_; }  // negative if it is none
  friend constexpr bool operator==(Redirect, Redirect) = default;

  static constexpr Redirect special(int value) noexcept {
    Redirect redirect;
    redirect.value_ = value;
    return redirect;
  }

 private:
  int value_ = -4;
};

namespace subprocess {
inline constexpr Redirect PIPE = Redirect::special(-1);     // a pipe, of which we hold the other end
inline constexpr Redirect STDOUT = Redirect::special(-2);   // of stderr: where stdout goes
inline constexpr Redirect DEVNULL = Redirect::special(-3);  // /dev/null
}  // namespace subprocess

using Environment = std::map<std::string, std::string>;
/// Ours. [os.environ.copy()]
Environment current_environment();

/// `ProcessOptions(PIPE, PIPE)`, and more by its members.
struct ProcessOptions {
  ProcessOptions() noexcept {}
  explicit ProcessOptions(Redirect in, Redirect out = {}, Redirect err = {}) noexcept
      : stdin_(in), stdout_(out), stderr_(err) {}

  Redirect stdin_;
  Redirect stdout_;
  Redirect stderr_;
  std::optional<std::string> cwd;         // the folder it starts in; the program's relative path is seen from there
  std::optional<Environment> env;         // in place of ours
  std::optional<std::string> executable;  // what runs in place of argv[0] or the shell, and believes to be that
  std::vector<int> pass_fds;         // descriptors that it gets as well, under their numbers; they stay the caller's
  bool start_new_session = false;    // no terminal, a process group of its own: setsid()
  std::optional<int> process_group;  // which it joins; 0: one of its own: setpgid()
  std::size_t limit = 64 * 1024;     // of the StreamReaders, in bytes
};

}  // namespace asyncio

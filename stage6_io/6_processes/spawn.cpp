#include "asyncio/detail/spawn.h"

#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"

#include <asyncio/detail/c_string.h>
#include <asyncio/detail/repr.h>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

extern char** environ;

namespace asyncio::detail {
namespace {

void check(int error, const char* call) {
  if (error != 0) throw_system_error(error, call);
}

/// What the child does before it runs the program: dup2, chdir.
class FileActions {
 public:
  FileActions() { check(posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init"); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void duplicate(int from, int to) {
    check(posix_spawn_file_actions_adddup2(&actions_, from, to), "posix_spawn_file_actions_adddup2");
  }
  void change_folder([[maybe_unused]] const std::string& folder) {
#if defined(__APPLE__) || (defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 29))
    check(posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()), "posix_spawn_file_actions_addchdir_np");
#else
    throw_system_error(ENOTSUP, "a child's cwd");
#endif
  }
  /// Closes what other code has opened in this process without close-on-exec. [close_fds]
  void close_all_from([[maybe_unused]] int lowest, [[maybe_unused]] const std::vector<int>& but) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
    for (const int kept : but) {
      for (; lowest < kept; ++lowest) {  // even if closed now: it may be open by the time of the fork
        check(posix_spawn_file_actions_addclose(&actions_, lowest), "posix_spawn_file_actions_addclose");
      }
      lowest = std::max(lowest, kept + 1);
    }
    check(posix_spawn_file_actions_addclosefrom_np(&actions_, lowest), "posix_spawn_file_actions_addclosefrom_np");
#endif
  }
  const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  explicit Attributes(const ProcessOptions& options) {
    check(posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#ifdef POSIX_SPAWN_SETSID
    if (options.start_new_session) flags |= POSIX_SPAWN_SETSID;
#else
    if (options.start_new_session) throw_system_error(ENOTSUP, "start_new_session");
#endif
    if (options.process_group) {
      flags |= POSIX_SPAWN_SETPGROUP;
      posix_spawnattr_setpgroup(&attributes_, *options.process_group);
    }
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);  // this thread may have blocked some
    for (const int signal : {SIGPIPE, SIGXFSZ}) sigaddset(&signals, signal);
    posix_spawnattr_setsigdefault(&attributes_, &signals);  // [restore_signals]
    posix_spawnattr_setflags(&attributes_, flags);
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

/// The descriptors for the child's three streams. One below 3 that goes to another number is first duplicated to a
/// higher number, because the dup2() of another stream could overwrite it.
class ChildStreams {
 public:
  ChildStreams(const ProcessOptions& options, ParentEnds& ends) {
    const Redirect redirects[3] = {options.stdin_, options.stdout_, options.stderr_};
    for (int stream = 0; stream < 3; ++stream) {
      const Redirect redirect = redirects[stream];
      if (redirect == subprocess::PIPE) {
        auto [read, write] = FileDescriptor::pipe();
        if (stream == 0) std::swap(read, write);
        ends.ends[stream] = std::move(read);  // the parent's end; of stdin it is the writing one
        own(stream, std::move(write));
      } else if (redirect == subprocess::DEVNULL) {
        FileDescriptor null(sys::open("/dev/null", O_RDWR));
        if (!null) throw_system_error(errno, "open('/dev/null')");
        own(stream, std::move(null));
      } else if (redirect == subprocess::STDOUT) {
        if (stream != 2) throw std::invalid_argument("STDOUT can only be used for stderr");
        source_[2] = source_[1] == -1 ? 1 : source_[1];
      } else if (redirect.fd() >= 0) {
        if (!sys::is_open(redirect.fd())) throw_system_error(errno, "descriptor " + std::to_string(redirect.fd()));
        source_[stream] = redirect.fd();
      }
    }
    for (int stream = 0; stream < 3; ++stream) {
      if (source_[stream] >= 3 || source_[stream] == -1 || source_[stream] == stream) continue;
      FileDescriptor moved(sys::duplicate_above(source_[stream], 3));
      if (!moved) throw_system_error(errno, "dup");
      own(stream, std::move(moved));
    }
  }

  void add_to(FileActions& actions) const {
    for (int stream = 0; stream < 3; ++stream) {
      if (source_[stream] != -1) actions.duplicate(source_[stream], stream);
    }
  }

 private:
  void own(int stream, FileDescriptor fd) {
    source_[stream] = fd.fd();
    owned_.push_back(std::move(fd));
  }
  int source_[3] = {-1, -1, -1};  // -1: the parent's stream
  std::vector<FileDescriptor> owned_;
};

/// The descriptors that the child keeps, in order. Throws std::system_error if one is not open.
std::vector<int> kept_descriptors(std::vector<int> fds) {
  for (const int fd : fds) {
    if (!sys::is_open(fd)) throw_system_error(errno, "descriptor " + std::to_string(fd));
  }
  std::sort(fds.begin(), fds.end());
  return fds;
}

/// A null-terminated array of C strings.
class CStrings {
 public:
  explicit CStrings(const std::vector<std::string>& strings) {
    for (const std::string& text : strings) {
      check_c_string(text);
      pointers_.push_back(const_cast<char*>(text.c_str()));  // posix_spawn takes char*, but does not write
    }
    pointers_.push_back(nullptr);
  }
  char* const* data() const noexcept { return pointers_.data(); }

 private:
  std::vector<char*> pointers_;
};

std::vector<std::string> environment_strings(const Environment& variables) {
  std::vector<std::string> strings;
  for (const auto& [name, value] : variables) {
    if (name.empty() || name.find('=') != name.npos) throw std::invalid_argument("illegal environment variable name");
    strings.push_back(name + "=" + value);
  }
  return strings;
}

/// The paths to try for a program. [os.get_exec_path: PATH of the child's environment]
std::vector<std::string> candidates(const std::string& program, const std::optional<Environment>& env) {
  if (program.find('/') != program.npos) return std::vector<std::string>(1, program);
  std::string path = "/bin:/usr/bin";
  if (env) {
    if (const auto found = env->find("PATH"); found != env->end()) path = found->second;
  } else if (const char* own = std::getenv("PATH")) {
    path = own;
  }
  std::vector<std::string> paths;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string folder = path.substr(begin, end - begin);
    paths.push_back((folder.empty() ? "." : folder) + "/" + program);
    begin = end + 1;
  }
  return paths;
}

[[noreturn]] void throw_spawn_error(int error, const std::string& program, const ProcessOptions& options) {
  // posix_spawn() does not say which step failed.
  if (options.cwd && sys::access(options.cwd->c_str(), X_OK) == -1)
    throw_system_error(errno, python_repr(*options.cwd));
  throw_system_error(error, python_repr(program));
}

}  // namespace

pid_t spawn(const std::vector<std::string>& argv, const ProcessOptions& options, ParentEnds& ends) {
  const std::string program = options.executable ? *options.executable : argv.empty() ? "" : argv[0];
  if (program.empty()) throw_system_error(ENOENT, "''");
  check_c_string(program);
  if (options.cwd) check_c_string(*options.cwd);
  const CStrings arguments(argv);
  const std::vector<std::string> variables =
      options.env ? environment_strings(*options.env) : std::vector<std::string>();
  const CStrings environment(variables);
  const std::vector<int> kept = kept_descriptors(options.pass_fds);  // before the pipes take free numbers
  const ChildStreams streams(options, ends);
  FileActions actions;
  for (const int fd : kept) actions.duplicate(fd, fd);  // makes it inheritable
  streams.add_to(actions);
  actions.close_all_from(3, kept);
  if (options.cwd) actions.change_folder(*options.cwd);
  const Attributes attributes(options);

  int error = ENOENT;
  for (const std::string& path : candidates(program, options.env)) {
    if (path.front() == '/' && sys::access(path.c_str(), F_OK) == -1) continue;  // saves a child that would fail
    pid_t pid = 0;
    const int result = sys::spawn(&pid, path.c_str(), actions.get(), attributes.get(), arguments.data(),
                                  options.env ? environment.data() : environ);
    if (result == 0) return pid;
    if (result != ENOENT && result != ENOTDIR) error = result;
    if (result != ENOENT && result != ENOTDIR && result != EACCES) break;
  }
  throw_spawn_error(error, program, options);
}

}  // namespace asyncio::detail

#include "stage6/faults/faults.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <mutex>
#include <utility>
#include <vector>

namespace asyncio::testing {
namespace {

std::mutex mutex;  // protects `current` and its decisions
Faults* current = nullptr;
thread_local bool deciding = false;  // decide_'s own system calls run as usual

bool any_of(const std::vector<std::string_view>& calls, std::string_view call) {
  return std::find(calls.begin(), calls.end(), call) != calls.end();
}

// Whether the call may run. If not, sets errno.
bool admitted(std::string_view call) {
  const Fault fault = Faults::next(call);
  if (fault.error != 0) errno = fault.error;
  return fault.error == 0;
}

template <class Call>
ssize_t in_parts(std::string_view name, std::size_t size, Call call) {
  const Fault fault = Faults::next(name);
  if (fault.error != 0) {
    errno = fault.error;
    return -1;
  }
  return call(std::min(size, fault.at_most));
}

}  // namespace

Faults::Faults(Decide decide) : decide_(std::move(decide)) {
  // A forked child has only the thread that forked. If another one held the mutex then, nobody would ever unlock it.
  [[maybe_unused]] static const int once =
      ::pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); }, [] { mutex.unlock(); });
  const std::lock_guard lock(mutex);
  current = this;
}
Faults::~Faults() {
  const std::lock_guard lock(mutex);
  current = nullptr;
}

int Faults::injected() const {
  const std::lock_guard lock(mutex);
  return injected_;
}

void Faults::watch_sends(Sent sent) {
  const std::lock_guard lock(mutex);
  sent_ = std::move(sent);
}

ssize_t Faults::taken(int fd, const void* data, ssize_t result) {
  if (result > 0) tell_sent(fd, std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(result)));
  return result;
}

void Faults::tell_sent(int fd, std::string_view bytes) {
  if (std::exchange(deciding, true)) return;
  const int error = errno;
  {
    const std::lock_guard lock(mutex);
    if (current && current->sent_) current->sent_(fd, bytes);
  }
  errno = error;
  deciding = false;
}

Fault Faults::next(std::string_view call) {
  if (std::exchange(deciding, true)) return {};  // before the lock: a signal handler may interrupt it
  Fault fault;
  {
    const std::lock_guard lock(mutex);
    if (current) fault = current->decide_(call);
    if (current && fault) ++current->injected_;
  }
  deciding = false;
  return fault;
}

Faults::Decide at_every(int k, std::vector<std::string_view> calls, Fault fault) {
  return [=, count = 0](std::string_view call) mutable {
    return any_of(calls, call) && ++count % k == 0 ? fault : Fault();
  };
}

Faults::Decide at_call(int k, std::vector<std::string_view> calls, Fault fault) {
  return
      [=, count = 0](std::string_view call) mutable { return any_of(calls, call) && ++count == k ? fault : Fault(); };
}

}  // namespace asyncio::testing

// ── the calls, by the names that the linker gives them ──────────────────────────────────────────────────────────────

using asyncio::testing::admitted;
using asyncio::testing::Faults;
using asyncio::testing::in_parts;

// Calls that succeed as a whole, or fail.
#define WHOLE(name, parameters, arguments) \
  extern "C" int __real_##name parameters; \
  extern "C" int __wrap_##name parameters; \
  extern "C" int __wrap_##name parameters { return admitted(#name) ? __real_##name arguments : -1; }

WHOLE(accept4, (int fd, sockaddr* peer, socklen_t* size, int flags), (fd, peer, size, flags))
WHOLE(access, (const char* path, int mode), (path, mode))
WHOLE(bind, (int fd, const sockaddr* address, socklen_t size), (fd, address, size))
WHOLE(chmod, (const char* path, mode_t mode), (path, mode))
WHOLE(connect, (int fd, const sockaddr* address, socklen_t size), (fd, address, size))
WHOLE(epoll_create1, (int flags), (flags))
WHOLE(epoll_ctl, (int epoll, int operation, int fd, epoll_event* event), (epoll, operation, fd, event))
WHOLE(epoll_wait, (int epoll, epoll_event* events, int size, int timeout), (epoll, events, size, timeout))
WHOLE(eventfd, (unsigned value, int flags), (value, flags))
WHOLE(fstat, (int fd, struct stat* status), (fd, status))
WHOLE(getpeername, (int fd, sockaddr* address, socklen_t* size), (fd, address, size))
WHOLE(getsockname, (int fd, sockaddr* address, socklen_t* size), (fd, address, size))
WHOLE(getsockopt, (int fd, int level, int option, void* value, socklen_t* size), (fd, level, option, value, size))
WHOLE(kill, (pid_t pid, int signal), (pid, signal))
WHOLE(listen, (int fd, int backlog), (fd, backlog))
WHOLE(pipe2, (int* ends, int flags), (ends, flags))
WHOLE(poll, (pollfd * descriptors, nfds_t count, int timeout), (descriptors, count, timeout))
WHOLE(setsockopt, (int fd, int level, int option, const void* value, socklen_t size), (fd, level, option, value, size))
WHOLE(shutdown, (int fd, int how), (fd, how))
WHOLE(socket, (int family, int type, int protocol), (family, type, protocol))
WHOLE(socketpair, (int family, int type, int protocol, int* ends), (family, type, protocol, ends))
WHOLE(stat, (const char* path, struct stat* status), (path, status))
WHOLE(unlink, (const char* path), (path))
extern "C" int __real_waitid(idtype_t, id_t, siginfo_t*, int);
extern "C" int __wrap_waitid(idtype_t, id_t, siginfo_t*, int);
extern "C" int __wrap_waitid(idtype_t what, id_t id, siginfo_t* info, int options) {
  return admitted(what == P_PIDFD ? "waitid_pidfd" : "waitid") ? __real_waitid(what, id, info, options) : -1;
}
WHOLE(waitpid, (pid_t pid, int* status, int options), (pid, status, options))

#define IN_PARTS_THEN(name, parameters, size, arguments, then)                                     \
  extern "C" ssize_t __real_##name parameters;                                                     \
  extern "C" ssize_t __wrap_##name parameters;                                                     \
  extern "C" ssize_t __wrap_##name parameters {                                                    \
    return in_parts(#name, size, [&](std::size_t part) { return then(__real_##name arguments); }); \
  }
#define IN_PARTS(name, parameters, size, arguments) IN_PARTS_THEN(name, parameters, size, arguments, )
#define TAKEN(result) Faults::taken(fd, data, result)

IN_PARTS(recv, (int fd, void* data, std::size_t size, int flags), size, (fd, data, part, flags))
IN_PARTS_THEN(send, (int fd, const void* data, std::size_t size, int flags), size, (fd, data, part, flags), TAKEN)
IN_PARTS(pread, (int fd, void* data, std::size_t size, off_t offset), size, (fd, data, part, offset))
IN_PARTS(recvfrom, (int fd, void* data, std::size_t size, int flags, sockaddr* sender, socklen_t* address_size), size,
         (fd, data, part, flags, sender, address_size))
IN_PARTS_THEN(sendto,
              (int fd, const void* data, std::size_t size, int flags, const sockaddr* address, socklen_t address_size),
              size, (fd, data, part, flags, address, address_size), TAKEN)

extern "C" ssize_t __real_sendfile(int socket, int file, off_t* offset, std::size_t size);
extern "C" ssize_t __wrap_sendfile(int socket, int file, off_t* offset, std::size_t size);
extern "C" ssize_t __wrap_sendfile(int socket, int file, off_t* offset, std::size_t size) {
  return in_parts("sendfile", size, [&](std::size_t part) {
    const ssize_t result = __real_sendfile(socket, file, offset, part);
    if (result > 0) Faults::tell_sent(socket, "sendfile");
    return result;
  });
}

// ── exceptions ──

// The first `size` bytes of many pieces.
struct Pieces {
  Pieces(const iovec* all, std::size_t count, std::size_t size) : kept(all, all + count) {
    for (iovec& piece : kept) {
      piece.iov_len = std::min(piece.iov_len, size);
      size -= piece.iov_len;
    }
  }
  // Told of the first `result` bytes.
  ssize_t taken(int fd, ssize_t result) const {
    ssize_t left = result;
    for (const iovec& piece : kept) {
      const ssize_t size = std::min(left, static_cast<ssize_t>(piece.iov_len));
      if (size > 0) Faults::taken(fd, piece.iov_base, size);
      left -= size;
    }
    return result;
  }
  std::vector<iovec> kept;
};

extern "C" ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);
extern "C" ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags);
extern "C" ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  return in_parts("sendmsg", SIZE_MAX, [&](std::size_t part) {
    Pieces pieces(message->msg_iov, message->msg_iovlen, part);
    msghdr less = *message;
    less.msg_iov = pieces.kept.data();
    return pieces.taken(fd, __real_sendmsg(fd, &less, flags));
  });
}

extern "C" ssize_t __real_writev(int fd, const iovec* all, int count);
extern "C" ssize_t __wrap_writev(int fd, const iovec* all, int count);
extern "C" ssize_t __wrap_writev(int fd, const iovec* all, int count) {
  return in_parts("writev", SIZE_MAX, [&](std::size_t part) {
    const Pieces pieces(all, static_cast<std::size_t>(count), part);
    return pieces.taken(fd, __real_writev(fd, pieces.kept.data(), count));
  });
}

// An eventfd, the loop's wake-up, carries a number and cannot fall short; its calls have their own names.
static bool is_eventfd(int fd) {
  struct stat status;
  return __real_fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == 0;
}

extern "C" ssize_t __real_read(int fd, void* data, std::size_t size);
extern "C" ssize_t __wrap_read(int fd, void* data, std::size_t size);
extern "C" ssize_t __wrap_read(int fd, void* data, std::size_t size) {
  if (is_eventfd(fd)) return admitted("eventfd_read") ? __real_read(fd, data, size) : -1;
  return in_parts("read", size, [&](std::size_t part) { return __real_read(fd, data, part); });
}

extern "C" ssize_t __real_write(int fd, const void* data, std::size_t size);
extern "C" ssize_t __wrap_write(int fd, const void* data, std::size_t size);
extern "C" ssize_t __wrap_write(int fd, const void* data, std::size_t size) {
  if (is_eventfd(fd)) return admitted("eventfd_write") ? __real_write(fd, data, size) : -1;
  return in_parts("write", size,
                  [&](std::size_t part) { return Faults::taken(fd, data, __real_write(fd, data, part)); });
}

// close() always closes the descriptor, even if it reports an error.
extern "C" int __real_close(int fd);
extern "C" int __wrap_close(int fd);
extern "C" int __wrap_close(int fd) {
  const asyncio::testing::Fault fault = Faults::next("close");
  Faults::tell_sent(fd, {});  // before, as another thread may get the number
  const int result = __real_close(fd);
  if (fault.error != 0) errno = fault.error;
  return fault.error != 0 ? -1 : result;
}

// Duplicating takes a descriptor, unlike other uses of fcntl() here.
extern "C" int __real_fcntl(int fd, int command, ...);
extern "C" int __wrap_fcntl(int fd, int command, ...);
extern "C" int __wrap_fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  const long argument = va_arg(arguments, long);
  va_end(arguments);
  return admitted(command == F_DUPFD_CLOEXEC ? "dup" : "fcntl") ? __real_fcntl(fd, command, argument) : -1;
}

extern "C" off_t __real_lseek(int fd, off_t offset, int whence);
extern "C" off_t __wrap_lseek(int fd, off_t offset, int whence);
extern "C" off_t __wrap_lseek(int fd, off_t offset, int whence) {
  return admitted("lseek") ? __real_lseek(fd, offset, whence) : -1;
}

extern "C" int __real_open(const char* path, int flags, ...);
extern "C" int __wrap_open(const char* path, int flags, ...);
extern "C" int __wrap_open(const char* path, int flags, ...) {
  return admitted("open") ? __real_open(path, flags) : -1;
}

extern "C" long __real_syscall(long number, ...);
extern "C" long __wrap_syscall(long number, ...);
extern "C" long __wrap_syscall(long number, ...) {  // only for pidfds
  va_list arguments;
  va_start(arguments, number);
  const int first = va_arg(arguments, int);
  const int second = va_arg(arguments, int);
  va_end(arguments);
  if (number == SYS_pidfd_open) return admitted("pidfd_open") ? __real_syscall(number, first, second) : -1;
  const bool signal = number == SYS_pidfd_send_signal;
  return admitted(signal ? "pidfd_send_signal" : "syscall") ? __real_syscall(number, first, second, nullptr, 0) : -1;
}

// Returns the error instead of setting errno.
extern "C" int __real_posix_spawn(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                                  char* const*, char* const*);
extern "C" int __wrap_posix_spawn(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                                  char* const*, char* const*);
extern "C" int __wrap_posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                                  const posix_spawnattr_t* attributes, char* const* argv, char* const* environment) {
  return admitted("posix_spawn") ? __real_posix_spawn(pid, path, actions, attributes, argv, environment) : errno;
}

extern "C" int __real_getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**);
extern "C" int __wrap_getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**);
extern "C" int __wrap_getaddrinfo(const char* host, const char* port, const addrinfo* hints, addrinfo** found) {
  const asyncio::testing::Fault fault = Faults::next("getaddrinfo");
  if (fault.at_most == 0) return *found = nullptr, 0;
  if (fault.error == 0) return __real_getaddrinfo(host, port, hints, found);
  errno = fault.error;
  return EAI_SYSTEM;
}

extern "C" int __real_getnameinfo(const sockaddr*, socklen_t, char*, socklen_t, char*, socklen_t, int);
extern "C" int __wrap_getnameinfo(const sockaddr*, socklen_t, char*, socklen_t, char*, socklen_t, int);
extern "C" int __wrap_getnameinfo(const sockaddr* address, socklen_t size, char* host, socklen_t host_size,
                                  char* service, socklen_t service_size, int flags) {
  if (!admitted("getnameinfo")) return EAI_SYSTEM;
  return __real_getnameinfo(address, size, host, host_size, service, service_size, flags);
}

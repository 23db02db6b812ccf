#include "asyncio/detail/syscalls.h"

#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0  // where it is missing (macOS), SO_NOSIGPIPE does it: see prepare()
#endif

namespace asyncio::detail::sys {
namespace {

template <class Call>
auto retry(Call call) noexcept {
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result;
}

// For the calls without MSG_NOSIGNAL. The SIGPIPE of a write goes to its thread: it is blocked during the call and then
// consumed. Python ignores SIGPIPE; a library must not decide that for the whole program and its children.
template <class Call>
ssize_t without_sigpipe(Call call) noexcept {
  sigset_t sigpipe, before, pending;
  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
  const ssize_t result = retry(call);
  const int error = errno;
  if (!sigismember(&before, SIGPIPE)) {  // otherwise the caller has blocked it
    int signal;
    const bool came = result == -1 && error == EPIPE && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE);
    if (came) sigwait(&sigpipe, &signal);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  errno = error;
  return result;
}

// The pieces as the kernel wants them.
struct Vector {
  explicit Vector(std::span<const std::string_view> pieces) noexcept : size(std::min(pieces.size(), kMostPieces)) {
    for (std::size_t i = 0; i < size; ++i) items[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  }
  std::size_t size;
  iovec items[kMostPieces];
};

#ifndef __linux__
// Two steps on kernels without an atomic one: a fork() between them leaks the descriptor to the child.
int prepare(int fd) noexcept {
  if (fd == -1) return -1;
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
#ifdef SO_NOSIGPIPE
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  return fd;
}
#endif

}  // namespace

int poll(pollfd* descriptors, std::size_t count, int timeout_ms) noexcept {
  return ::poll(descriptors, static_cast<nfds_t>(count), timeout_ms);
}

#ifdef __linux__
int epoll_create() noexcept { return ::epoll_create1(EPOLL_CLOEXEC); }

int epoll_ctl(int epoll, int operation, int fd, std::uint32_t events, std::uint64_t data) noexcept {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = data;
  return ::epoll_ctl(epoll, operation, fd, &event);
}

int epoll_wait(int epoll, epoll_event* events, int size, int timeout_ms) noexcept {
  return ::epoll_wait(epoll, events, size, timeout_ms);
}
#endif

// ── waking up ───────────────────────────────────────────────────────────────────────────────────────────────────────

int wake_pipe(int ends[2]) noexcept {
#ifdef __linux__
  return ends[0] = ends[1] = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
#else
  if (::pipe(ends) == -1) return -1;
  prepare(ends[0]);
  return prepare(ends[1]);
#endif
}

void write_wake_up(int end) noexcept {
  const int saved_errno = errno;  // a signal handler may call this between a failed call and the look at its errno
  const std::uint64_t one = 1;    // the format of an eventfd; a pipe takes it as any eight bytes
  static_cast<void>(retry([&] { return ::write(end, &one, sizeof one); }));
  errno = saved_errno;
}

void drain_wake_ups(int end) noexcept {
  std::uint64_t sink[16];
  while (retry([&] { return ::read(end, sink, sizeof sink); }) == static_cast<ssize_t>(sizeof sink)) {
  }
}

// ── descriptors and sockets ─────────────────────────────────────────────────────────────────────────────────────────

bool is_open(int fd) noexcept { return ::fcntl(fd, F_GETFD) != -1; }

int close(int fd) noexcept { return ::close(fd); }  // not repeated: after EINTR, Linux has closed it

int socket(int family, int type, int protocol) noexcept {
#ifdef __linux__
  return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
#else
  return prepare(::socket(family, type, protocol));
#endif
}

int socketpair(int family, int type, int ends[2]) noexcept {
#ifdef __linux__
  return ::socketpair(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
#else
  if (::socketpair(family, type, 0, ends) == -1) return -1;
  prepare(ends[0]);
  prepare(ends[1]);
  return 0;
#endif
}

int connect(int fd, const sockaddr* address, socklen_t size) noexcept { return ::connect(fd, address, size); }
int bind(int fd, const sockaddr* address, socklen_t size) noexcept { return ::bind(fd, address, size); }
int listen(int fd, int backlog) noexcept { return ::listen(fd, backlog); }

int accept(int fd, sockaddr* peer, socklen_t* size) noexcept {
#ifdef __linux__
  return retry([=] { return ::accept4(fd, peer, size, SOCK_NONBLOCK | SOCK_CLOEXEC); });
#else
  return prepare(retry([=] { return ::accept(fd, peer, size); }));
#endif
}

ssize_t recv(int fd, void* buffer, std::size_t size) noexcept {
  return retry([=] { return ::recv(fd, buffer, size, 0); });
}

ssize_t send(int fd, const void* data, std::size_t size) noexcept {
  return retry([=] { return ::send(fd, data, size, MSG_NOSIGNAL); });
}

ssize_t send_pieces(int fd, std::span<const std::string_view> pieces) noexcept {
  if (pieces.size() == 1) return send(fd, pieces[0].data(), pieces[0].size());  // the plain call is faster
  Vector vector(pieces);
  msghdr message = {};
  message.msg_iov = vector.items;
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(vector.size);
  return retry([&] { return ::sendmsg(fd, &message, MSG_NOSIGNAL); });
}

ssize_t recvfrom(int fd, void* buffer, std::size_t size, sockaddr* sender, socklen_t* address_size) noexcept {
  return retry([=] { return ::recvfrom(fd, buffer, size, 0, sender, address_size); });
}

ssize_t sendto(int fd, const void* data, std::size_t size, const sockaddr* address, socklen_t address_size) noexcept {
  return retry([=] { return ::sendto(fd, data, size, MSG_NOSIGNAL, address, address_size); });
}

#ifdef __linux__
ssize_t sendfile(int socket, int file, off_t offset, std::size_t size) noexcept {
  return without_sigpipe([&] { return ::sendfile(socket, file, &offset, size); });
}
#else
ssize_t sendfile(int, int, off_t, std::size_t) noexcept {
  errno = ENOSYS;
  return -1;
}
#endif

int shutdown(int fd, int how) noexcept { return ::shutdown(fd, how); }

int set_option(int fd, int level, int option, int value) noexcept {
  return ::setsockopt(fd, level, option, &value, sizeof value);
}

int socket_type(int fd) noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == -1 ? -1 : type;
}

int pending_error(int fd) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1 ? -1 : error;
}

int local_address(int fd, sockaddr* address, socklen_t* size) noexcept { return ::getsockname(fd, address, size); }
int peer_address(int fd, sockaddr* address, socklen_t* size) noexcept { return ::getpeername(fd, address, size); }

ssize_t read_at(int fd, void* buffer, std::size_t size, off_t offset) noexcept {
  return retry([=] { return ::pread(fd, buffer, size, offset); });
}

off_t set_file_position(int fd, off_t offset) noexcept { return ::lseek(fd, offset, SEEK_SET); }

// ── pipes and files ─────────────────────────────────────────────────────────────────────────────────────────────────

int pipe(int ends[2]) noexcept {
#ifdef __linux__
  return ::pipe2(ends, O_CLOEXEC);
#else
  if (::pipe(ends) == -1) return -1;
  ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  return ::fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
}

int set_nonblocking(int fd) noexcept {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags == -1 ? -1 : ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

bool is_blocking(int fd) noexcept {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags != -1 && (flags & O_NONBLOCK) == 0;
}

int dup(int fd) noexcept { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); }

ssize_t read(int fd, void* buffer, std::size_t size) noexcept {
  return retry([=] { return ::read(fd, buffer, size); });
}

ssize_t write(int fd, const void* data, std::size_t size) noexcept {
  return without_sigpipe([=] { return ::write(fd, data, size); });
}

ssize_t write_pieces(int fd, std::span<const std::string_view> pieces) noexcept {
  if (pieces.size() == 1) return write(fd, pieces[0].data(), pieces[0].size());
  const Vector vector(pieces);
  return without_sigpipe([&] { return ::writev(fd, vector.items, static_cast<int>(vector.size)); });
}

int stat(const char* path, struct ::stat* status) noexcept { return ::stat(path, status); }
int fstat(int fd, struct ::stat* status) noexcept { return ::fstat(fd, status); }
int unlink(const char* path) noexcept { return ::unlink(path); }
int chmod(const char* path, unsigned mode) noexcept { return ::chmod(path, static_cast<mode_t>(mode)); }

// ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────

int open(const char* path, int flags) noexcept {
  return retry([=] { return ::open(path, flags | O_CLOEXEC); });
}
int access(const char* path, int mode) noexcept { return ::access(path, mode); }
int duplicate_above(int fd, int lowest) noexcept { return ::fcntl(fd, F_DUPFD_CLOEXEC, lowest); }

// ── child processes ─────────────────────────────────────────────────────────────────────────────────────────────────

int spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
          char* const* argv, char* const* environment) noexcept {
  return ::posix_spawn(pid, path, actions, attributes, argv, environment);
}

int kill(pid_t pid, int signal) noexcept { return ::kill(pid, signal); }

bool is_child(pid_t pid) noexcept {
  siginfo_t info;
  return retry([&] { return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | WNOHANG); }) == 0;
}

pid_t reap(pid_t pid, int* status, bool wait) noexcept {
  return retry([=] { return ::waitpid(pid, status, wait ? 0 : WNOHANG); });
}

int wait_until_exited(pid_t pid) noexcept {
  siginfo_t info;
  return retry([&] { return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT); });
}

int pidfd_open([[maybe_unused]] pid_t pid) noexcept {
#if defined(__linux__) && defined(SYS_pidfd_open)
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));  // close-on-exec by default
#else
  errno = ENOSYS;
  return -1;
#endif
}

int pidfd_send_signal([[maybe_unused]] int pidfd, [[maybe_unused]] int signal) noexcept {
#if defined(__linux__) && defined(SYS_pidfd_send_signal)
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
#else
  errno = ENOSYS;
  return -1;
#endif
}

namespace {
#ifdef __linux__
constexpr auto kByPidfd = static_cast<idtype_t>(3);  // P_PIDFD, which glibc has since 2.36

int wait_by_pidfd(int pidfd, siginfo_t* info, int options) noexcept {
  *info = {};
  return retry([=] { return ::waitid(kByPidfd, static_cast<id_t>(pidfd), info, options); });
}

// As waitpid() has it.
int status_of(const siginfo_t& info) noexcept {
  return info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
}
#endif
}  // namespace

int peek_by_pidfd([[maybe_unused]] int pidfd) noexcept {
#ifdef __linux__
  siginfo_t info;
  return wait_by_pidfd(pidfd, &info, WEXITED | WNOWAIT | WNOHANG);
#else
  errno = EINVAL;
  return -1;
#endif
}

pid_t reap_by_pidfd([[maybe_unused]] int pidfd, [[maybe_unused]] int* status, [[maybe_unused]] bool wait) noexcept {
#ifdef __linux__
  siginfo_t info;
  if (wait_by_pidfd(pidfd, &info, WEXITED | (wait ? 0 : WNOHANG)) == -1) return -1;
  if (info.si_pid != 0) *status = status_of(info);
  return info.si_pid;
#else
  errno = EINVAL;
  return -1;
#endif
}

int getaddrinfo(const char* host, const char* port, const addrinfo* hints, addrinfo** found) noexcept {
  return ::getaddrinfo(host, port, hints, found);
}

int getnameinfo(const sockaddr* address, socklen_t size, char* host, std::size_t host_size, char* service,
                std::size_t service_size, int flags) noexcept {
  return ::getnameinfo(address, size, host, static_cast<socklen_t>(host_size), service,
                       static_cast<socklen_t>(service_size), flags);
}

bool would_block(int error) noexcept { return error == EAGAIN || (EWOULDBLOCK != EAGAIN && error == EWOULDBLOCK); }

}  // namespace asyncio::detail::sys

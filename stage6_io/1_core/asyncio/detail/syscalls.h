// Every system call of this stage. Nothing else in it calls the kernel, so this file shows all that the library does to
// the machine, and a test can make each call fail.
// Skip it on a first reading. Four rules: (1) A call that a signal interrupts is repeated. (2) A new descriptor does
// not block and is closed on exec. (3) Sending raises no SIGPIPE. (4) As in C, -1 means failure, and errno says why.
#pragma once

#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

struct addrinfo;
struct epoll_event;
struct stat;

namespace asyncio::detail::sys {

int poll(pollfd* descriptors, std::size_t count, int timeout_ms) noexcept;  // not repeated: may fail with EINTR

#ifdef __linux__
int epoll_create() noexcept;
int epoll_ctl(int epoll, int operation, int fd, std::uint32_t events, std::uint64_t data) noexcept;
int epoll_wait(int epoll, epoll_event* events, int size, int timeout_ms) noexcept;  // not repeated: may fail with EINTR
#endif

/// Two ends to wake a thread: a write to [1] makes [0] readable. They may be the same descriptor.
int wake_pipe(int ends[2]) noexcept;
/// Async-signal-safe; preserves errno. A full pipe needs no more bytes.
void write_wake_up(int end) noexcept;
void drain_wake_ups(int end) noexcept;

/// The most pieces that one call takes. [SC_IOV_MAX]
inline constexpr std::size_t kMostPieces = 1024;

bool is_open(int fd) noexcept;
int close(int fd) noexcept;

int socket(int family, int type, int protocol) noexcept;
int socketpair(int family, int type, int ends[2]) noexcept;
int connect(int fd, const sockaddr* address, socklen_t size) noexcept;  // after EINTR it continues in the background
int bind(int fd, const sockaddr* address, socklen_t size) noexcept;
int listen(int fd, int backlog) noexcept;
int accept(int fd, sockaddr* peer, socklen_t* size) noexcept;
ssize_t recv(int fd, void* buffer, std::size_t size) noexcept;
ssize_t send(int fd, const void* data, std::size_t size) noexcept;
/// Sends the pieces in order, at most kMostPieces of them.
ssize_t send_pieces(int fd, std::span<const std::string_view> pieces) noexcept;
ssize_t recvfrom(int fd, void* buffer, std::size_t size, sockaddr* sender, socklen_t* address_size) noexcept;
ssize_t sendto(int fd, const void* data, std::size_t size, const sockaddr* address, socklen_t address_size) noexcept;
/// From a file, at `offset`, to a socket, without a copy in this process. ENOSYS on systems that lack the call.
ssize_t sendfile(int socket, int file, off_t offset, std::size_t size) noexcept;
int shutdown(int fd, int how) noexcept;
int set_option(int fd, int level, int option, int value) noexcept;
/// SOCK_STREAM, SOCK_DGRAM …, or -1.
int socket_type(int fd) noexcept;
/// The pending error of a background operation (SO_ERROR), which this call clears; or -1.
int pending_error(int fd) noexcept;
int local_address(int fd, sockaddr* address, socklen_t* size) noexcept;
int peer_address(int fd, sockaddr* address, socklen_t* size) noexcept;

ssize_t read_at(int fd, void* buffer, std::size_t size, off_t offset) noexcept;
off_t set_file_position(int fd, off_t offset) noexcept;

// Pipes, files, and the names of Unix sockets.
int pipe(int ends[2]) noexcept;  // both ends block: one may be for a child
int set_nonblocking(int fd) noexcept;
bool is_blocking(int fd) noexcept;  // false if it is closed
int dup(int fd) noexcept;
ssize_t read(int fd, void* buffer, std::size_t size) noexcept;
ssize_t write(int fd, const void* data, std::size_t size) noexcept;
ssize_t write_pieces(int fd, std::span<const std::string_view> pieces) noexcept;  // as send_pieces()
int stat(const char* path, struct ::stat* status) noexcept;
int fstat(int fd, struct ::stat* status) noexcept;
int unlink(const char* path) noexcept;
int chmod(const char* path, unsigned mode) noexcept;

int open(const char* path, int flags) noexcept;
int access(const char* path, int mode) noexcept;
/// A second descriptor of the same file, numbered `lowest` or higher.
int duplicate_above(int fd, int lowest) noexcept;

// Child processes.
/// posix_spawn(): returns the error, not -1.
int spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
          char* const* argv, char* const* environment) noexcept;
int kill(pid_t pid, int signal) noexcept;
/// Whether `pid` is the number of a child that nobody has reaped.
bool is_child(pid_t pid) noexcept;
/// Reaps a child that has exited; with `wait`, waits for that. Gives its number, 0 if it still runs, or -1.
pid_t reap(pid_t pid, int* status, bool wait) noexcept;
/// Waits until the child has exited, without reaping it.
int wait_until_exited(pid_t pid) noexcept;
/// A descriptor that becomes readable when the child exits. ENOSYS on systems that lack it.
int pidfd_open(pid_t pid) noexcept;
/// As kill(), but never reaches another process than the descriptor's. ENOSYS on systems that lack it.
int pidfd_send_signal(int pidfd, int signal) noexcept;
/// 0 if it is a child that nobody has reaped; otherwise -1 (ECHILD; EINVAL where the kernel does not know the
/// question).
int peek_by_pidfd(int pidfd) noexcept;
/// As reap().
pid_t reap_by_pidfd(int pidfd, int* status, bool wait) noexcept;

int getaddrinfo(const char* host, const char* port, const addrinfo* hints, addrinfo** found) noexcept;
int getnameinfo(const sockaddr* address, socklen_t size, char* host, std::size_t host_size, char* service,
                std::size_t service_size, int flags) noexcept;

/// True if `error` means "try again when the descriptor is ready".
bool would_block(int error) noexcept;

}  // namespace asyncio::detail::sys

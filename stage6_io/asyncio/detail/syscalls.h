// Every system call of this stage, in one thin place: nothing above it speaks to the kernel. Whoever wants to know what
// the library does to the machine, or to make a call fail on purpose, comes here.
// Skip on a first reading: they are the calls you know, with four rules. (1) What can be interrupted by a signal is
// tried again. (2) A descriptor that is made does not block, and is closed on exec. (3) Sending raises no SIGPIPE.
// (4) As in C, -1 says that it failed, and errno why. Read next: ../core.h, or what called it.
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

int poll(pollfd* descriptors, std::size_t count, int timeout_ms) noexcept;  // EINTR is for the caller to see

#ifdef __linux__
int epoll_create() noexcept;
int epoll_ctl(int epoll, int operation, int fd, std::uint32_t events, std::uint64_t data) noexcept;
int epoll_wait(int epoll, epoll_event* events, int size, int timeout_ms) noexcept;  // EINTR is for the caller to see
#endif

/// Two ends for waking a thread up: [0] polls readable once [1] was written to. They may be the same descriptor.
int wake_pipe(int ends[2]) noexcept;
/// Async-signal-safe; leaves errno alone. A pipe that is full is as good as written to.
void write_wake_up(int end) noexcept;
void drain_wake_ups(int end) noexcept;

/// What one call takes. [SC_IOV_MAX]
inline constexpr std::size_t kMostPieces = 1024;

bool is_open(int fd) noexcept;
int close(int fd) noexcept;

int socket(int family, int type, int protocol) noexcept;
int socketpair(int family, int type, int ends[2]) noexcept;
int connect(int fd, const sockaddr* address, socklen_t size) noexcept;  // EINTR: it goes on in the background
int bind(int fd, const sockaddr* address, socklen_t size) noexcept;
int listen(int fd, int backlog) noexcept;
int accept(int fd, sockaddr* peer, socklen_t* size) noexcept;
ssize_t recv(int fd, void* buffer, std::size_t size) noexcept;
ssize_t send(int fd, const void* data, std::size_t size) noexcept;
/// The pieces one after the other, up to kMostPieces of them.
ssize_t send_pieces(int fd, std::span<const std::string_view> pieces) noexcept;
ssize_t recvfrom(int fd, void* buffer, std::size_t size, sockaddr* sender, socklen_t* address_size) noexcept;
ssize_t sendto(int fd, const void* data, std::size_t size, const sockaddr* address, socklen_t address_size) noexcept;
/// From a file, at `offset`, to a socket, without a copy in this process. ENOSYS where there is no such call.
ssize_t sendfile(int socket, int file, off_t offset, std::size_t size) noexcept;
int shutdown(int fd, int how) noexcept;
int set_option(int fd, int level, int option, int value) noexcept;
/// SOCK_STREAM, SOCK_DGRAM …; or -1.
int socket_type(int fd) noexcept;
/// The error of what went on in the background (SO_ERROR), which this call clears; or -1.
int pending_error(int fd) noexcept;
int local_address(int fd, sockaddr* address, socklen_t* size) noexcept;
int peer_address(int fd, sockaddr* address, socklen_t* size) noexcept;

ssize_t read_at(int fd, void* buffer, std::size_t size, off_t offset) noexcept;
off_t set_file_position(int fd, off_t offset) noexcept;

// Pipes, files, and the names of Unix sockets.
int pipe(int ends[2]) noexcept;  // these do block: one end may be for a child
int set_nonblocking(int fd) noexcept;
int dup(int fd) noexcept;
ssize_t read(int fd, void* buffer, std::size_t size) noexcept;
ssize_t write(int fd, const void* data, std::size_t size) noexcept;
ssize_t write_pieces(int fd, std::span<const std::string_view> pieces) noexcept;  // as send_pieces()
int stat(const char* path, struct ::stat* status) noexcept;
int fstat(int fd, struct ::stat* status) noexcept;
int unlink(const char* path) noexcept;

int open(const char* path, int flags) noexcept;
int access(const char* path, int mode) noexcept;
/// A second descriptor of the same file, with a number of `lowest` or more.
int duplicate_above(int fd, int lowest) noexcept;

// Child processes.
/// posix_spawn(): gives the error, and not -1.
int spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
          char* const* argv, char* const* environment) noexcept;
int kill(pid_t pid, int signal) noexcept;
/// Waits for a child's end and reaps it: what wait() says of it, or -1.
int reap(pid_t pid, int* status) noexcept;
/// Waits for a child's end, and leaves it to be reaped.
int wait_until_exited(pid_t pid) noexcept;
/// A descriptor that polls readable once the child has ended; -1 with ENOSYS where there is none.
int pidfd_open(pid_t pid) noexcept;

int getaddrinfo(const char* host, const char* port, const addrinfo* hints, addrinfo** found) noexcept;
int getnameinfo(const sockaddr* address, socklen_t size, char* host, std::size_t host_size, char* service,
                std::size_t service_size, int flags) noexcept;

/// Whether an errno says "not now": the call is to be tried again when the descriptor is ready.
bool would_block(int error) noexcept;

}  // namespace asyncio::detail::sys

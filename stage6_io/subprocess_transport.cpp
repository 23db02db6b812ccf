#include "asyncio/subprocess_transport.h"

#include "asyncio/descriptors.h"
#include "asyncio/detail/child_processes.h"
#include "asyncio/detail/quiet_thread.h"
#include "asyncio/detail/spawn.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"
#include "asyncio/pipes.h"
#include "asyncio/sleep.h"

#include <sys/wait.h>

#include <cerrno>
#include <stdexcept>

namespace asyncio {

SubprocessTransport::SubprocessTransport(Loop& loop, std::shared_ptr<SubprocessProtocol> protocol)
    : loop_(loop), protocol_(std::move(protocol)) {}

// ── birth ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Coro<std::shared_ptr<SubprocessTransport>> SubprocessTransport::start(std::shared_ptr<SubprocessProtocol> protocol,
                                                                      std::vector<std::string> argv,
                                                                      ProcessOptions options) {
  Loop& loop = Loop::running();
  auto& children = loop.service<detail::ChildProcesses>();
  const auto self = std::make_shared<SubprocessTransport>(loop, std::move(protocol));
  children.add(self);
  std::exception_ptr error;
  try {
    detail::ParentEnds ours;
    self->pid_ = detail::spawn(argv, options, ours);
    self->watch_exit();
    std::vector<FileDescriptor> ends;
    for (FileDescriptor& end : ours.ends) ends.push_back(std::move(end));
    co_await self->connect_pipes(std::move(ends));
  } catch (...) {  // a cancel, for one
    error = std::current_exception();
  }
  if (!error) co_return self;
  self->close();
  try {
    if (self->pid_ != 0) co_await self->wait();
  } catch (const CancelledError&) {  // again: abandon() waits for it
  }
  children.remove(self);
  self->abandon();
  std::rethrow_exception(error);
}

// One after the other, and each may take a tick: what the pipes and the child do meanwhile is told afterwards.
Coro<> SubprocessTransport::connect_pipes(std::vector<FileDescriptor> ends) {
  const auto self = shared_from_this();
  for (int fd = 0; fd < 3; ++fd) pipes_[fd].wanted = static_cast<bool>(ends[static_cast<std::size_t>(fd)]);
  if (ends[0]) {
    stdin_flow_ = std::make_shared<detail::StdinProtocol>(self);
    pipes_[0].transport = co_await detail::connect_write_pipe(std::move(ends[0]), stdin_flow_);
  }
  for (int fd = 1; fd < 3; ++fd) {
    if (!pipes_[fd].wanted) continue;
    const auto output = std::make_shared<detail::OutputProtocol>(self, fd);
    pipes_[fd].transport = co_await detail::connect_read_pipe(std::move(ends[static_cast<std::size_t>(fd)]), output);
  }
  loop_.call_soon([self] { self->protocol_->connection_made(self); });
  for (auto& callback : *pending_) loop_.call_soon(std::move(callback));
  pending_.reset();
  pipes_connected_ = true;
  co_await sleep(std::chrono::seconds(0));  // behind all these
}

// ── the pipes ───────────────────────────────────────────────────────────────────────────────────────────────────────

std::shared_ptr<Transport> SubprocessTransport::get_pipe_transport(int fd) const {
  return fd < 0 || fd > 2 ? nullptr : std::dynamic_pointer_cast<Transport>(pipes_[fd].transport);
}

std::shared_ptr<FlowControlProtocol> SubprocessTransport::stdin_flow() const { return stdin_flow_; }

void SubprocessTransport::call(std::function<void()> callback) {
  if (pending_) {
    pending_->push_back(std::move(callback));
  } else {
    loop_.call_soon(std::move(callback));
  }
}

void SubprocessTransport::pipe_data_received(int fd, std::string_view data) {
  call([protocol = protocol_, fd, text = std::string(data)] { protocol->pipe_data_received(fd, text); });
}

void SubprocessTransport::pipe_connection_lost(int fd, std::exception_ptr error) {
  pipes_[fd].lost = true;
  if (!protocol_) return;
  call([protocol = protocol_, fd, error] { protocol->pipe_connection_lost(fd, error); });
  try_finish();
}

// ── the end of the process ──────────────────────────────────────────────────────────────────────────────────────────

// By a descriptor where the kernel has such a thing and there is one left; otherwise by a thread that waits.
void SubprocessTransport::watch_exit() {
  class Exit final : public detail::Arrival {
   public:
    explicit Exit(std::shared_ptr<SubprocessTransport> process) : process_(std::move(process)) {}
    void arrive() override { process_->on_exit(); }

   private:
    std::shared_ptr<SubprocessTransport> process_;
  };
  try {
    pidfd_ = FileDescriptor(detail::sys::pidfd_open(pid_));
    if (pidfd_) {
      add_reader(loop_, pidfd_.fd(), [this] { on_exit(); });
      return;
    }
    auto& bridge = loop_.service<detail::ThreadBridge>();
    const detail::ThreadBridge::Ticket ticket(bridge, bridge.expect(std::make_unique<Exit>(shared_from_this())));
    detail::quiet_thread([pid = pid_, ticket] {
      detail::sys::wait_until_exited(pid);
      ticket();
    }).detach();
  } catch (...) {  // nobody would hear of its end
    reap_now();
    throw;
  }
}

void SubprocessTransport::reap_now() noexcept {
  if (returncode_ || pid_ == 0) return;
  if (detail::sys::kill(pid_, SIGKILL) == -1 && errno == EPERM) return;  // it has other rights than ours: a long wait
  int status = 0;
  detail::sys::reap(pid_, &status);
  returncode_ = -SIGKILL;
}

void SubprocessTransport::on_exit() {
  const auto self = shared_from_this();
  if (pidfd_) {
    remove_reader(loop_, pidfd_.fd());
    pidfd_.close();
  }
  if (returncode_) return;
  int status = 0;
  if (detail::sys::reap(pid_, &status) == -1) {
    returncode_ = 255;  // somebody else has reaped it: a handler of SIGCHLD, or SIGCHLD is ignored
    loop_.call_exception_handler(
        ErrorContext("Unknown child process pid " + std::to_string(pid_) + ", will report returncode 255"));
  } else {
    returncode_ = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }
  call([protocol = protocol_] { protocol->process_exited(); });
  try_finish();
}

void SubprocessTransport::try_finish() {
  if (!returncode_ || finished_) return;
  if (!pipes_connected_) wake_waiters();  // the creation failed halfway: nobody else will
  for (const Pipe& pipe : pipes_) {
    if (pipe.wanted && !pipe.lost) return;
  }
  finished_ = true;
  call([self = shared_from_this()] { self->finish(); });
}

void SubprocessTransport::finish() {
  struct AtEnd {
    SubprocessTransport& process;
    ~AtEnd() {
      process.wake_waiters();
      process.lost_ = true;
      process.protocol_ = nullptr;
      process.loop_.service<detail::ChildProcesses>().remove(process.shared_from_this());
    }
  };
  const AtEnd at_end{*this};
  protocol_->connection_lost(nullptr);
}

void SubprocessTransport::wake_waiters() {
  for (const Future<int>& waiter : std::exchange(exit_waiters_, {})) {
    if (!waiter.done()) waiter.set_result(*returncode_);
  }
}

Coro<int> SubprocessTransport::wait() {
  const auto self = shared_from_this();
  if (returncode_) co_return *returncode_;
  const Future<int> waiter(loop_);
  exit_waiters_.push_back(waiter);
  const int returncode = co_await waiter;
  co_return returncode;
}

// ── what one does to it ─────────────────────────────────────────────────────────────────────────────────────────────

void SubprocessTransport::send_signal(int signal) {
  if (lost_) detail::throw_system_error(ESRCH, "process " + std::to_string(pid_));
  if (returncode_) return;
  if (detail::sys::kill(pid_, signal) == -1 && errno != ESRCH) {
    detail::throw_system_error(errno, "kill(" + std::to_string(pid_) + ", " + std::to_string(signal) + ")");
  }
}

void SubprocessTransport::close() {
  if (std::exchange(closed_, true)) return;
  for (const Pipe& pipe : pipes_) {
    if (pipe.transport) pipe.transport->close();
  }
  if (pid_ != 0 && !returncode_) detail::sys::kill(pid_, SIGKILL);
}

void SubprocessTransport::set_protocol(std::shared_ptr<BaseProtocol> protocol) {
  auto ours = std::dynamic_pointer_cast<SubprocessProtocol>(std::move(protocol));
  if (!ours) throw std::invalid_argument("a SubprocessTransport needs a SubprocessProtocol");
  protocol_ = std::move(ours);
}

std::string SubprocessTransport::repr() const {
  std::string text = "<SubprocessTransport";
  if (closed_) text += " closed";
  if (pid_ != 0) text += " pid=" + std::to_string(pid_);
  return text +
         (returncode_ ? " returncode=" + std::to_string(*returncode_)
          : pid_      ? " running"
                      : " not started") +
         ">";
}

// The loop is being closed, or the creation has failed. Also breaks the circles of process, pipe and pipe's protocol, and
// of what is still to be told.
void SubprocessTransport::abandon() noexcept {
  reap_now();
  if (pidfd_) {
    remove_reader(loop_, pidfd_.fd());
    pidfd_.close();
  }
  closed_ = lost_ = true;
  for (Pipe& pipe : pipes_) pipe.transport = nullptr;
  stdin_flow_ = nullptr;
  protocol_ = nullptr;
  pending_.reset();
}

void detail::ChildProcesses::on_close() noexcept {
  for (const auto& child : std::exchange(children_, {})) child->abandon();
}

}  // namespace asyncio

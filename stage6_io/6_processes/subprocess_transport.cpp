#include "asyncio/subprocess_transport.h"

#include "asyncio/descriptors.h"
#include "asyncio/detail/child_processes.h"
#include "asyncio/detail/scope_exit.h"
#include "asyncio/detail/spawn.h"
#include "asyncio/detail/syscalls.h"
#include "asyncio/detail/system_error.h"
#include "asyncio/pipes.h"
#include "asyncio/sleep.h"

#include <cerrno>
#include <iterator>
#include <new>
#include <stdexcept>
#include <thread>

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
  self->reserve_for_news();
  children.add(self);
  std::exception_ptr error;
  try {
    detail::ParentEnds ours;
    self->child_ = detail::Child(detail::spawn(argv, options, ours));
    self->watch_exit();
    std::vector<FileDescriptor> ends;
    for (FileDescriptor& end : ours.ends) ends.push_back(std::move(end));
    co_await self->connect_pipes(std::move(ends));
  } catch (...) {  // a cancel, for example
    error = std::current_exception();
  }
  if (!error) co_return self;
  self->close();
  try {
    if (self->child_) co_await self->wait();
  } catch (...) {  // cancelled again, or no memory: waits no longer in the loop, but for the kernel
    self->reap_now();
    if (self->returncode_) self->exited();
  }
  // Once the protocol has been told of the connection, it is told of the rest as well: finish() comes by itself.
  if (!self->pipes_connected_) {
    children.remove(self);
    self->abandon();
  }
  std::rethrow_exception(error);
}

// Connects one pipe after the other, each in a tick. What the pipes and the child do meanwhile is reported afterwards.
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
  loop_.call_soon([self, protocol = protocol_] { protocol->connection_made(self); });
  for (auto& callback : *pending_) loop_.call_soon([self, callback = std::move(callback)] { callback(); });
  pending_.reset();
  pipes_connected_ = true;
  co_await sleep(std::chrono::seconds(0));  // resumes after these callbacks
}

// ── the pipes ───────────────────────────────────────────────────────────────────────────────────────────────────────

std::shared_ptr<Transport> SubprocessTransport::get_pipe_transport(int fd) const {
  return fd < 0 || fd > 2 ? nullptr : std::dynamic_pointer_cast<Transport>(pipes_[fd].transport);
}

std::shared_ptr<FlowControlProtocol> SubprocessTransport::stdin_flow() const { return stdin_flow_; }

// So that announce() needs no memory after one more callback.
void SubprocessTransport::reserve_for_news() {
  const std::size_t needed = pending_->size() + 1 + std::size(news_);
  if (pending_->capacity() < needed) pending_->reserve(2 * needed);
}

void SubprocessTransport::announce(int news) {
  if (!protocol_) return;
  news_[news].protocol = protocol_;
  if (pending_) {
    pending_->push_back([this, news] { deliver(news); });  // two words: no memory needed
  } else {
    news_[news].call.schedule(loop_, shared_from_this(), &SubprocessTransport::deliver, news);
  }
}

void SubprocessTransport::deliver(int news) {
  const std::shared_ptr<SubprocessProtocol> protocol = std::move(news_[news].protocol);
  if (!protocol) return;
  switch (news) {
    case kEnded:
      return finish();
    case kExited:
      return protocol->process_exited();
    default:
      return protocol->pipe_connection_lost(news, std::move(pipes_[news].error));
  }
}

void SubprocessTransport::pipe_data_received(int fd, std::string_view data) {
  if (!protocol_) return;
  auto deliver_data = [protocol = protocol_, fd, text = std::string(data)] { protocol->pipe_data_received(fd, text); };
  if (pending_) {
    reserve_for_news();
    pending_->push_back(std::move(deliver_data));
  } else {
    loop_.call_soon(std::move(deliver_data));
  }
}

void SubprocessTransport::pipe_connection_lost(int fd, std::exception_ptr error) {
  pipes_[fd].lost = true;
  pipes_[fd].error = std::move(error);
  announce(fd);
  try_finish();
}

// ── the end of the process ──────────────────────────────────────────────────────────────────────────────────────────

// Watches a pidfd if the kernel has one and a descriptor is free; otherwise a thread waits.
void SubprocessTransport::watch_exit() {
  class Exit final : public detail::BridgeCallback {
   public:
    explicit Exit(std::shared_ptr<SubprocessTransport> process) : process_(std::move(process)) {}
    void run() override { process_->on_exit(); }

   private:
    std::shared_ptr<SubprocessTransport> process_;
  };
  try {
    if (child_.pidfd() != -1) {
      add_reader(loop_, child_.pidfd(), [self = shared_from_this()] { self->on_exit(); });
      return;
    }
    auto& bridge = loop_.service<detail::ThreadBridge>();
    const detail::ThreadBridge::Notifier notify(bridge, bridge.add(std::make_unique<Exit>(shared_from_this())));
    std::thread([pid = child_.pid(), notify] {
      detail::sys::wait_until_exited(pid);
      notify();
    }).detach();
  } catch (...) {  // nobody would learn of its end
    reap_now();
    throw;
  }
}

void SubprocessTransport::reap_now() noexcept {
  if (returncode_ || !child_) return;
  if (child_.send_signal(SIGKILL) == -1 && errno == EPERM) return;  // other privileges: it may run for long
  const std::optional<int> status = child_.wait_and_reap();
  returncode_ = status ? detail::to_returncode(*status) : 255;
}

void SubprocessTransport::stop_watching() noexcept {
  if (child_.pidfd() != -1) detail::unwatch(loop_, child_.pidfd(), Readiness::read);
  child_.close();
}

static void report_unknown_child(Loop& loop, pid_t pid) {
  try {
    loop.call_exception_handler(
        ErrorContext("Unknown child process pid " + std::to_string(pid) + ", will report returncode 255"));
  } catch (const std::bad_alloc&) {
    detail::report_without_memory("Unknown child process, will report returncode 255");
  }
}

void SubprocessTransport::on_exit() {
  const auto self = shared_from_this();
  const std::optional<int> status = returncode_ ? std::nullopt : child_.reap();
  stop_watching();
  if (returncode_) return;
  if (status) {
    returncode_ = detail::to_returncode(*status);
  } else {
    returncode_ = 255;  // reaped elsewhere: by a SIGCHLD handler, or SIGCHLD is ignored
    report_unknown_child(loop_, get_pid());
  }
  exited();
}

// REQUIRES: returncode_ is set.
void SubprocessTransport::exited() {
  if (std::exchange(exit_told_, true)) return;
  stop_watching();
  announce(kExited);
  try_finish();
}

void SubprocessTransport::try_finish() {
  if (!returncode_ || finished_ || !protocol_) return;
  if (!pipes_connected_) wake_waiters();  // the creation has failed, so finish() may never run
  for (const Pipe& pipe : pipes_) {
    if (pipe.wanted && !pipe.lost) return;
  }
  finished_ = true;
  announce(kEnded);
}

void SubprocessTransport::finish() {
  const detail::ScopeExit at_end([this] {
    wake_waiters();
    lost_ = true;
    protocol_ = nullptr;
    loop_.service<detail::ChildProcesses>().remove(shared_from_this());
  });
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

// ── signals and closing ─────────────────────────────────────────────────────────────────────────────────────────────

void SubprocessTransport::send_signal(int signal) {
  if (lost_) detail::throw_system_error(ESRCH, "process " + std::to_string(get_pid()));
  if (returncode_) return;
  if (child_.send_signal(signal) == -1 && errno != ESRCH) {
    detail::throw_system_error(errno, "kill(" + std::to_string(get_pid()) + ", " + std::to_string(signal) + ")");
  }
}

void SubprocessTransport::close() {
  if (std::exchange(closed_, true)) return;
  for (const Pipe& pipe : pipes_) {
    if (pipe.transport) pipe.transport->close();
  }
  if (child_ && !returncode_) child_.send_signal(SIGKILL);
}

void SubprocessTransport::set_protocol(std::shared_ptr<BaseProtocol> protocol) {
  auto ours = std::dynamic_pointer_cast<SubprocessProtocol>(std::move(protocol));
  if (!ours) throw std::invalid_argument("a SubprocessTransport needs a SubprocessProtocol");
  protocol_ = std::move(ours);
}

std::string SubprocessTransport::repr() const {
  std::string text = "<SubprocessTransport";
  if (closed_) text += " closed";
  if (child_) text += " pid=" + std::to_string(get_pid());
  return text +
         (returncode_ ? " returncode=" + std::to_string(*returncode_)
          : child_    ? " running"
                      : " not started") +
         ">";
}

// The loop is being closed, or the creation has failed. Breaks the reference cycles of process, pipe and pipe's
// protocol, and drops pending callbacks.
void SubprocessTransport::abandon() noexcept {
  reap_now();
  stop_watching();
  closed_ = lost_ = true;
  for (Pipe& pipe : pipes_) pipe.transport = nullptr;
  for (Announcement& news : news_) news.protocol = nullptr;
  stdin_flow_ = nullptr;
  protocol_ = nullptr;
  pending_.reset();
}

}  // namespace asyncio

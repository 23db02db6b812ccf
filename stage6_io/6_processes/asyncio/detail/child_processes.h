// The child processes of one loop, and the protocols of their pipes. Read next: ../../subprocess_transport.cpp
#pragma once

#include <asyncio/subprocess_transport.h>

#include <memory>
#include <set>
#include <string_view>
#include <utility>

namespace asyncio::detail {

/// Keeps each transport until it is finished. Closing the loop kills and reaps the children that still run.
class ChildProcesses final : public LoopService {
 public:
  explicit ChildProcesses(Loop&) noexcept {}
  void on_close() noexcept override;
  void add(std::shared_ptr<SubprocessTransport> child) { children_.insert(std::move(child)); }
  void remove(const std::shared_ptr<SubprocessTransport>& child) noexcept { children_.erase(child); }

 private:
  std::set<std::shared_ptr<SubprocessTransport>> children_;
};

// The process holds its pipes, the pipes hold these protocols, and these hold the process, until the pipe is lost.

/// The protocol of the parent's end of stdin.
class StdinProtocol final : public FlowControlProtocol {
 public:
  explicit StdinProtocol(std::shared_ptr<SubprocessTransport> process) noexcept : process_(std::move(process)) {}
  void pause_writing() override {
    FlowControlProtocol::pause_writing();
    if (process_->protocol_) process_->protocol_->pause_writing();
  }
  void resume_writing() override {
    FlowControlProtocol::resume_writing();
    if (process_->protocol_) process_->protocol_->resume_writing();
  }
  void connection_lost(std::exception_ptr error) override {
    FlowControlProtocol::connection_lost(error);
    std::exchange(process_, nullptr)->pipe_connection_lost(0, std::move(error));
  }

 private:
  std::shared_ptr<SubprocessTransport> process_;
};

/// The protocol of the parent's end of stdout or stderr.
class OutputProtocol final : public Protocol {
 public:
  OutputProtocol(std::shared_ptr<SubprocessTransport> process, int fd) noexcept
      : process_(std::move(process)), fd_(fd) {}
  void data_received(std::string_view data) override { process_->pipe_data_received(fd_, data); }
  void connection_lost(std::exception_ptr error) override {
    std::exchange(process_, nullptr)->pipe_connection_lost(fd_, std::move(error));
  }

 private:
  std::shared_ptr<SubprocessTransport> process_;
  int fd_;
};

}  // namespace asyncio::detail

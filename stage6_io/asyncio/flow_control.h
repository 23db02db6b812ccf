// What lets a task wait for its connection: for room in the write buffer, and for the end.
// Mirrors: Lib/asyncio/streams.py, FlowControlMixin. Read next: stream_reader.h
#pragma once

#include <asyncio/detail/wait_list.h>
#include <asyncio/protocols.h>

#include <exception>

namespace asyncio {

/// The protocol behind a StreamWriter. As it is, it drops what it receives: for the writing end of a pipe.
class FlowControlProtocol : public Protocol {
 public:
  void pause_writing() override { paused_ = true; }
  void resume_writing() override {
    paused_ = false;
    drain_waiters_.wake();
  }
  void connection_lost(std::exception_ptr error) override {
    lost_ = true;
    error_ = std::move(error);
    close_waiters_.wake();
    if (paused_) drain_waiters_.wake();
  }

  bool is_paused() const noexcept { return paused_; }
  bool is_lost() const noexcept { return lost_; }
  /// The error that ended the connection, or null.
  const std::exception_ptr& error() const noexcept { return error_; }

  // ── for the library ──
  detail::WaitList& drain_waiters() noexcept { return drain_waiters_; }
  detail::WaitList& close_waiters() noexcept { return close_waiters_; }

 private:
  detail::WaitList drain_waiters_;
  detail::WaitList close_waiters_;
  std::exception_ptr error_;
  bool paused_ = false;
  bool lost_ = false;
};

}  // namespace asyncio

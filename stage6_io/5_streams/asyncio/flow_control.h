// FlowControl: a protocol that lets tasks wait for room in the write buffer and for the end of the connection.
// Mirrors: Lib/asyncio/streams.py, FlowControlMixin. Read next: stream_protocol.h
#pragma once

#include <asyncio/detail/wait_list.h>
#include <asyncio/protocols.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace asyncio {

namespace detail {

/// What a protocol knows about its transport's buffer and end, and the tasks that wait for either.
class FlowState {
 public:
  void pause() noexcept { paused_ = true; }
  void resume() {
    paused_ = false;
    ++resumes_;
    drain_waiters_.wake();
  }
  void lose(std::exception_ptr error) {
    lost_ = true;
    error_ = std::move(error);
    close_waiters_.wake();
    if (paused_) drain_waiters_.wake();
  }

  bool is_paused() const noexcept { return paused_; }
  /// How often there was room again.
  unsigned resumes() const noexcept { return resumes_; }
  bool is_lost() const noexcept { return lost_; }
  /// The error that ended the connection, or null.
  const std::exception_ptr& error() const noexcept { return error_; }
  /// For those who look at what waits for it.
  std::string repr() const { return paused_ ? "<write buffer above its limit>" : "<connection that is open>"; }
  WaitList& drain_waiters() noexcept { return drain_waiters_; }
  WaitList& close_waiters() noexcept { return close_waiters_; }

 private:
  WaitList drain_waiters_;
  WaitList close_waiters_;
  std::exception_ptr error_;
  unsigned resumes_ = 0;
  bool paused_ = false;
  bool lost_ = false;
};

/// A protocol that records this state. P is Protocol or BufferedProtocol.
template <class P>
class FlowControl : public P {
 public:
  void pause_writing() override { flow_.pause(); }
  void resume_writing() override { flow_.resume(); }
  void connection_lost(std::exception_ptr error) override { flow_.lose(std::move(error)); }
  FlowState& flow() noexcept { return flow_; }

 private:
  FlowState flow_;
};

/// The state inside a protocol; the pointer keeps the protocol alive.
template <class P>
std::shared_ptr<FlowState> flow_of(const std::shared_ptr<FlowControl<P>>& protocol) {
  return std::shared_ptr<FlowState>(protocol, &protocol->flow());
}

}  // namespace detail

/// The protocol behind a StreamWriter without a reader, such as the writing end of a pipe. Drops what it receives.
using FlowControlProtocol = detail::FlowControl<Protocol>;

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: a task that waits for room, or for the end, runs in the tick after the one in which it comes.
// Errors: none; the error of the connection is kept for who waits.
// Units: none.

// The state behind the handles of a StreamReader: the bytes that were received but not read, and the task that waits
// for more. It knows nothing of sockets; a pipe or a test may feed it.
// Mirrors: Lib/asyncio/streams.py, StreamReader: feed_data, feed_eof, _wait_for_data. Read next: ../stream_reader.h
#pragma once

#include <asyncio/detail/byte_buffer.h>
#include <asyncio/detail/frame_future.h>
#include <asyncio/detail/lazy_awaitable.h>
#include <asyncio/detail/ref.h>
#include <asyncio/detail/ref_counted.h>
#include <asyncio/transports.h>

#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::detail {

/// Counted. Invariants: (1) paused_ implies that there is a transport. (2) Nothing is fed after the end of the stream.
class ReaderState final : public Pooled, public RefCounted<ReaderState> {
 public:
  explicit ReaderState(std::size_t limit);
  /// Throws std::invalid_argument("Limit cannot be <= 0"). For callers that make the reader much later.
  static void check_limit(std::size_t limit);
  ReaderState(const ReaderState&) = delete;
  ReaderState& operator=(const ReaderState&) = delete;

  std::string repr() const;

  std::size_t limit() const noexcept { return limit_; }
  ByteBuffer& buffer() noexcept { return buffer_; }
  bool eof() const noexcept { return eof_; }
  const std::exception_ptr& exception() const noexcept { return exception_; }
  void throw_if_failed() const {
    if (exception_) std::rethrow_exception(exception_);
  }

  /// Wakes the reader. Pauses the transport if there is more than twice the limit.
  void feed_data(std::string_view data);
  void feed_eof();
  void set_exception(std::exception_ptr error);
  /// The memory of the task that waits in read_into(); empty if there is none.
  std::span<char> destination() const noexcept { return buffer_.empty() ? destination_ : std::span<char>(); }
  /// `size` bytes were received into destination(). Later bytes go into the buffer again.
  void feed_destination(std::size_t size);
  class Destination;

  /// The source of the bytes, which is paused and resumed. Null when the connection is lost.
  void set_transport(std::shared_ptr<ReadTransport> transport) noexcept {
    transport_ = std::move(transport);
    paused_ = false;
  }

  /// To be called after taking bytes: resumes the transport if no more than the limit is left.
  void maybe_resume() {
    if (paused_ && buffer_.size() <= limit_) resume();
  }

  class Wait;

 private:
  void resume();
  void wake_reader();
  [[noreturn]] static void throw_already_waiting(const char* function);

  ByteBuffer buffer_;
  std::size_t limit_;
  Wait* waiter_ = nullptr;  // the one task that may wait here
  std::span<char> destination_;
  std::size_t received_ = 0;  // bytes received into the destination
  std::shared_ptr<ReadTransport> transport_;
  std::exception_ptr exception_;
  bool eof_ = false;
  bool paused_ = false;
};

/// Waits for data, the end of the stream, or an error, which it throws. Throws std::runtime_error if another task waits
/// already, since only one of the two could get the data. Its outcome is what woke it: an error that comes after data,
/// and before the task runs, is for the next wait.
class ReaderState::Wait final : public FrameFuture {
 public:
  Wait(ReaderState& reader, const char* function) noexcept : reader_(reader), function_(function) {}
  ~Wait() {
    if (reader_.waiter_ == this) reader_.waiter_ = nullptr;
  }

  bool await_ready() {
    if (reader_.waiter_) throw_already_waiting(function_);
    if (reader_.paused_) reader_.resume();  // otherwise it would wait for data that nobody receives
    if (reader_.transport_ && reader_.transport_->read_now()) return true;
    reader_.throw_if_failed();  // otherwise nothing would wake it
    return false;
  }
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) noexcept {
    reader_.waiter_ = this;
    suspend(frame.promise());
  }
  void await_resume() {
    FrameFuture::await_resume();
    if (error_) std::rethrow_exception(error_);
  }
  void fail(std::exception_ptr error) {
    error_ = std::move(error);
    wake();
  }

 private:
  ReaderState& reader_;
  const char* function_;
  std::exception_ptr error_;  // the one that woke it: the reader may have got another since
};

/// During its lifetime the next bytes go into `memory`, once, if the buffer is empty and no task waits.
class ReaderState::Destination {
 public:
  Destination(ReaderState& reader, std::span<char> memory) noexcept : reader_(reader), memory_(memory) {
    if (!reader_.waiter_ && reader_.buffer_.empty()) reader_.destination_ = memory;
  }
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;
  /// Puts back what was received but not taken, as when the task was cancelled.
  ~Destination() {
    if (reader_.destination_.data() == memory_.data()) reader_.destination_ = {};
    if (const std::size_t size = take()) reader_.buffer_.prepend(std::string_view(memory_.data(), size));
  }

  std::size_t received() const noexcept { return reader_.received_; }
  std::size_t take() noexcept { return std::exchange(reader_.received_, 0); }

 private:
  ReaderState& reader_;
  std::span<char> memory_;
};

/// `co_await MoreData(reader, "read");`
using MoreData = LazyAwaitable<ReaderState::Wait, std::reference_wrapper<ReaderState>, const char*>;

}  // namespace asyncio::detail

// What is behind the handles of a StreamReader: the bytes that came and were not read yet, and the task that waits for
// more. It does not know of sockets: what feeds it may be a pipe, or a test.
// Mirrors: Lib/asyncio/streams.py, StreamReader: feed_data, feed_eof, _wait_for_data. Read next: ../stream_reader.h
#pragma once

#include <asyncio/detail/byte_buffer.h>
#include <asyncio/detail/ref.h>
#include <asyncio/detail/waiter.h>
#include <asyncio/transports.h>

#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::detail {

/// Counted. Invariants: (1) paused_ implies that there is a transport. (2) After the end of the stream nothing is fed.
class ReaderState : public Pooled {
 public:
  explicit ReaderState(std::size_t limit);
  /// Throws std::invalid_argument("Limit cannot be <= 0"): for who has much to do before there is a reader.
  static void check_limit(std::size_t limit);
  ReaderState(const ReaderState&) = delete;
  ReaderState& operator=(const ReaderState&) = delete;

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
  /// Where a task that waits in read_into() wants its bytes; empty if there is none.
  std::span<char> destination() const noexcept { return buffer_.empty() ? destination_ : std::span<char>(); }
  /// So many are there. What comes behind them goes into the buffer again.
  void feed_destination(std::size_t size);
  class Destination;

  /// Where the bytes come from: it is told to pause and to resume. Null when the connection is lost.
  void set_transport(std::shared_ptr<ReadTransport> transport) noexcept {
    transport_ = std::move(transport);
    paused_ = false;
  }

  /// Something was taken from the buffer: the transport may go on if no more than the limit is left.
  void maybe_resume() {
    if (paused_ && buffer_.size() <= limit_) resume();
  }

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }

  class Wait;

 private:
  void resume();
  void wake_reader();

  ByteBuffer buffer_;
  std::size_t limit_;
  Waiter* waiter_ = nullptr;  // the one task that may wait here
  std::span<char> destination_;
  std::size_t received_ = 0;  // into what was the destination
  std::shared_ptr<ReadTransport> transport_;
  std::exception_ptr exception_;
  std::uint32_t refs_ = 1;
  bool eof_ = false;
  bool paused_ = false;
};

/// The wait for more: data, the end, or an error, which it throws. Throws std::runtime_error if a task waits already:
/// which of the two would get the data?
class ReaderState::Wait final : public Waiter {
 public:
  Wait(ReaderState& reader, const char* function) noexcept : reader_(reader), function_(function) {}
  ~Wait() {
    if (reader_.waiter_ == this) reader_.waiter_ = nullptr;
  }

  bool await_ready();
  template <std::derived_from<PromiseBase> P>
  void await_suspend(std::coroutine_handle<P> frame) noexcept {
    reader_.waiter_ = this;
    suspend(frame.promise());
  }
  void await_resume() {
    Waiter::await_resume();
    reader_.throw_if_failed();
  }

 private:
  ReaderState& reader_;
  const char* function_;
};

/// While it lives, what arrives goes into `memory`; once, and only if nothing is in the buffer, nor anybody else waits.
class ReaderState::Destination {
 public:
  Destination(ReaderState& reader, std::span<char> memory) noexcept : reader_(reader), memory_(memory) {
    if (!reader_.waiter_ && reader_.buffer_.empty()) reader_.destination_ = memory;
  }
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;
  /// What was received and not taken (the task was cancelled) is put back.
  ~Destination();

  std::size_t received() const noexcept { return reader_.received_; }
  std::size_t take() noexcept { return std::exchange(reader_.received_, 0); }

 private:
  ReaderState& reader_;
  std::span<char> memory_;
};

/// `co_await MoreData(reader, "read");`
class [[nodiscard("co_await it")]] MoreData {
 public:
  MoreData(ReaderState& reader, const char* function) noexcept : reader_(reader), function_(function) {}
  ReaderState::Wait operator co_await() const noexcept { return ReaderState::Wait(reader_, function_); }

 private:
  ReaderState& reader_;
  const char* function_;
};

}  // namespace asyncio::detail

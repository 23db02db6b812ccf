// What the loop knows about its descriptors: the transports that are open, and which descriptor belongs to which.
// It also holds the memory that all connections receive into, and lets go of every descriptor when the loop is closed.
// Mirrors: BaseSelectorEventLoop._transports, _ensure_fd_no_transport. Read next: ../descriptors.h
#pragma once

#include <asyncio/loop.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// A transport, as this room sees it: the owner of a descriptor that nobody else may watch.
class DescriptorOwner {
 public:
  virtual std::string repr() const = 0;
  /// The loop is being closed: gives up the descriptor and everything else, and calls nobody.
  virtual void abandon() noexcept = 0;

 protected:
  ~DescriptorOwner() = default;
};

class DescriptorTable final : public LoopService {
 public:
  /// The most bytes that one call receives. [_SelectorTransport.max_size]
  static constexpr std::size_t kReceiveSize = 256 * 1024;

  explicit DescriptorTable(Loop& loop) noexcept : loop_(loop) {}
  void on_close() noexcept override;

  /// kReceiveSize bytes, which the next receiver overwrites. One buffer serves all: an idle connection needs none. To
  /// be used only until other code runs; see LentBuffer.
  char* receive_buffer() {
    if (!buffer_) buffer_.reset(new char[kReceiveSize]);
    return buffer_.get();
  }
  class LentBuffer;

  /// From here to release(), add_reader() and its siblings throw std::runtime_error for `fd`, and so do the sock_*
  /// functions when they would wait. The owner releases it when it begins to close; it watches the descriptor itself
  /// with detail::watch() and detail::unwatch().
  void claim(int fd, const DescriptorOwner& owner);
  void release(int fd) noexcept { owners_[static_cast<std::size_t>(fd)] = nullptr; }
  void check_unclaimed(int fd) const {
    const std::size_t index = static_cast<std::size_t>(fd);
    if (index < owners_.size() && owners_[index]) throw_claimed(fd);
  }

  /// Keeps a transport alive until forget(), which it calls when its connection is lost.
  void keep(int fd, std::shared_ptr<DescriptorOwner> transport);
  void forget(int fd) noexcept;

 private:
  [[noreturn]] void throw_claimed(int fd) const;

  Loop& loop_;
  std::unique_ptr<char[]> buffer_;
  std::vector<const DescriptorOwner*> owners_;          // by descriptor
  std::vector<std::shared_ptr<DescriptorOwner>> kept_;  // by descriptor
};

/// The same memory, for one receiver alone while this lives. A protocol that is called with the bytes may start an
/// eager task that receives as well; that task gets another buffer.
class DescriptorTable::LentBuffer {
 public:
  explicit LentBuffer(DescriptorTable& table) : table_(table) {
    table.receive_buffer();
    buffer_ = std::move(table.buffer_);
  }
  LentBuffer(const LentBuffer&) = delete;
  LentBuffer& operator=(const LentBuffer&) = delete;
  ~LentBuffer() {
    if (!table_.buffer_) table_.buffer_ = std::move(buffer_);
  }
  char* data() const noexcept { return buffer_.get(); }

 private:
  DescriptorTable& table_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace asyncio::detail

// What stage 6 keeps for each loop: a place to receive into, shared by all its connections; which descriptors belong to
// a transport; and the duty to let go of the descriptors when the loop is closed.
// Mirrors: BaseSelectorEventLoop._transports, _ensure_fd_no_transport. Read next: connection.h
#pragma once

#include <asyncio/loop.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace asyncio::detail {

/// A transport, as far as its descriptor goes: nobody else may watch that.
class DescriptorOwner {
 public:
  virtual std::string repr() const = 0;

 protected:
  ~DescriptorOwner() = default;
};

class IoService final : public LoopService {
 public:
  static constexpr std::size_t kReceiveSize = 256 * 1024;  // at most, in one call. [_SelectorTransport.max_size]

  explicit IoService(Loop& loop) noexcept : loop_(loop) {}
  void on_close() noexcept override;

  /// kReceiveSize bytes, which the next receiver overwrites: one for all, as idle connections need no buffer.
  char* receive_buffer() {
    if (!buffer_) buffer_.reset(new char[kReceiveSize]);
    return buffer_.get();
  }

  /// From here to release(), add_reader() and its kin, and the waiting of sock_*, throw std::runtime_error for `fd`. An
  /// owner releases it when it begins to close; its own watches go through detail::watch() and detail::unwatch().
  void claim(int fd, const DescriptorOwner& owner);
  void release(int fd) noexcept { owners_[static_cast<std::size_t>(fd)] = nullptr; }
  void check_unclaimed(int fd) const {
    const std::size_t index = static_cast<std::size_t>(fd);
    if (index < owners_.size() && owners_[index]) throw_claimed(fd);
  }

 private:
  [[noreturn]] void throw_claimed(int fd) const;

  Loop& loop_;
  std::unique_ptr<char[]> buffer_;
  std::vector<const DescriptorOwner*> owners_;  // by descriptor
};

}  // namespace asyncio::detail

// What stage 6 keeps for each loop: a place to receive into, shared by all its connections; and the duty to let go of
// the descriptors when the loop is closed. Read next: connection.h
#pragma once

#include <asyncio/loop.h>

#include <cstddef>
#include <memory>

namespace asyncio::detail {

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

 private:
  Loop& loop_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace asyncio::detail

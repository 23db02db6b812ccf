// A buffer of bytes: appended at the back, taken from the front.
// Mirrors: the bytearray of Lib/asyncio/streams.py, `del self._buffer[:n]`. Skip on a first reading.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::detail {

/// Invariant: begin_ <= bytes_.size(); the bytes before begin_ were taken. Their room is reclaimed only when append()
/// needs room and at least half of the bytes were taken, so each taken byte causes at most one byte to move.
class ByteBuffer {
 public:
  bool empty() const noexcept { return begin_ == bytes_.size(); }
  std::size_t size() const noexcept { return bytes_.size() - begin_; }
  std::string_view view() const noexcept { return std::string_view(bytes_).substr(begin_); }

  void append(std::string_view data) {
    if (data.size() > bytes_.capacity() - bytes_.size() && begin_ >= bytes_.size() - begin_) {
      bytes_.erase(0, begin_);
      begin_ = 0;
    }
    bytes_.append(data);
  }

  /// So many bytes more need no new memory.
  void reserve(std::size_t size) { bytes_.reserve(bytes_.size() + size); }

  /// Takes back what was appended last: `size` bytes are left.
  void truncate(std::size_t size) { bytes_.resize(begin_ + size); }

  /// Puts back what was taken.
  void prepend(std::string_view data) { bytes_.insert(begin_, data); }

  /// The first `count` bytes, or all if there are fewer. Moves the whole string if all of it is taken and most of its
  /// memory is used; otherwise copies.
  std::string take(std::size_t count) {
    if (count >= size() && begin_ == 0 && size() >= bytes_.capacity() / 2) return std::exchange(bytes_, std::string());
    std::string taken(view().substr(0, count));
    drop(taken.size());
    return taken;
  }

  /// REQUIRES: count <= size().
  void drop(std::size_t count) {
    begin_ += count;
    if (begin_ == bytes_.size()) clear();
  }

  void clear() noexcept {
    bytes_.clear();
    begin_ = 0;
    if (bytes_.capacity() > kKeptCapacity) bytes_ = std::string();
  }

 private:
  static constexpr std::size_t kKeptCapacity = 16 * 1024;  // the most bytes that an empty buffer keeps

  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace asyncio::detail

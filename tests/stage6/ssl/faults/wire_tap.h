// Looks at each byte that the kernel takes for a descriptor: after the plain line "STARTTLS\n", if there is one, it must
// be a part of a TLS record.
#pragma once

#include "stage6/faults/faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

namespace asyncio::testing {

class WireTap {
 public:
  static constexpr std::string_view kStartTls = "STARTTLS\n";

  explicit WireTap(Faults& faults) : faults_(faults) {
    faults.watch_sends([this](int fd, std::string_view bytes) { sent(fd, bytes); });
  }
  WireTap(const WireTap&) = delete;
  WireTap& operator=(const WireTap&) = delete;
  ~WireTap() { faults_.watch_sends({}); }

  /// How many records there were, whole or not.
  int records() const { return records_; }
  /// The first byte that was none of TLS, as a sentence; "" if there was none.
  const std::string& fault() const { return fault_; }

 private:
  struct Stream {
    std::string head;  // of the current record, or of the plain line
    std::size_t body = 0;
    bool begun = false;  // with TLS
  };

  void sent(int fd, std::string_view bytes) {
    if (bytes.empty()) {
      streams_.erase(fd);
      return;
    }
    Stream& stream = streams_[fd];
    while (!bytes.empty() && fault_.empty()) {
      if (stream.body > 0) {
        const std::size_t size = std::min(stream.body, bytes.size());
        stream.body -= size;
        bytes.remove_prefix(size);
        continue;
      }
      stream.head += bytes.front();
      bytes.remove_prefix(1);
      if (!stream.begun && kStartTls.starts_with(stream.head)) {
        if (stream.head == kStartTls) stream.head.clear();
        continue;
      }
      stream.begun = true;
      check_head(stream);
      if (!fault_.empty()) fault_ += " (descriptor " + std::to_string(fd) + ")";
    }
  }

  void check_head(Stream& stream) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(stream.head[i]); };
    const std::size_t size = stream.head.size();
    if (at(0) < 20 || at(0) > 24) fault_ = "no type of a record: " + std::to_string(at(0));
    if (size > 1 && at(1) != 3) fault_ = "no version of TLS: " + std::to_string(at(1));
    if (size < 5) return;
    ++records_;
    stream.body = at(3) * std::size_t{256} + at(4);
    if (stream.body == 0 || stream.body > 16384 + 2048)
      fault_ = "no length of a record: " + std::to_string(stream.body);
    stream.head.clear();
  }

  Faults& faults_;
  std::map<int, Stream> streams_;
  std::string fault_;
  int records_ = 0;
};

}  // namespace asyncio::testing

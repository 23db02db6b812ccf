// What the program prints while it is watched: standard output leads into a file, which is read at each event.
#pragma once

#include <sys/types.h>

#include <string>

namespace asyncio::detail {

class OutputCapture {
 public:
  /// Throws std::system_error.
  OutputCapture();
  /// Restores standard output.
  ~OutputCapture();

  /// What was printed since the last call. It is also written to the real standard output.
  std::string take();
  /// In a forked child: what its parent has printed is not the child's.
  void forget() noexcept { forgotten_ = true; }

 private:
  template <class Keep>
  void pass_on(Keep keep);
  void close_all() noexcept;

  int real_;
  int file_;
  off_t seen_ = 0;
  bool forgotten_ = false;
};

}  // namespace asyncio::detail

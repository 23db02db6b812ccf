// The file that watch() writes: the player, and behind it the log, a line of JSON for each event. player/log.js says
// which lines there are.
#pragma once

#include <asyncio/detail/describable.h>
#include <asyncio/watch.h>

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::detail {

class OutputCapture;

/// Thread safety: any thread may call everything; each line is whole.
class WatchLog {
 public:
  WatchLog(const std::string& path, const WatchOptions& options);
  ~WatchLog();

  /// Ends the page: later events are not written. Throws std::system_error if the file cannot take the rest.
  void finish();

  int new_loop();
  /// The number of a text, or of a file; new ones get a line. 0 for an empty one.
  std::int64_t text(std::string text);
  std::int64_t file(const char* path);

  /// [kind, loop, time, numbers...], and before it what was printed since the last event.
  template <class... Numbers>
  void event(const char* kind, int loop, std::int64_t time, Numbers... numbers) {
    if (!is_ours()) return;
    const std::lock_guard lock(mutex_);
    if (!begin_event(kind, loop, time)) return;
    (number(static_cast<std::int64_t>(numbers)), ...);
    end_line();
  }
  /// One that ends with an array.
  void event_with_list(const char* kind, int loop, std::int64_t time, std::vector<std::int64_t> numbers,
                       const std::vector<std::int64_t>& list);
  /// What was written is in the file, should the program crash now. Throws std::system_error, once, if the file does not
  /// take it; from then on nothing is written.
  void flush();

 private:
  using Numbers = std::map<std::string, std::int64_t, std::less<>>;

  bool is_ours() const;
  [[noreturn]] void throw_error(int error) const;
  void flush_file();
  bool begin_event(const char* kind, int loop, std::int64_t time);
  void begin_line(const char* kind);
  void number(std::int64_t number);
  void string(std::string_view text);
  void end_line();
  void close_line();
  void write_line() noexcept;
  std::int64_t number_and_end_line(Numbers& numbers, std::string text);
  void write_output(int loop, std::int64_t time);

  const std::string path_;
  std::mutex mutex_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;  // null once the page is ended
  int error_ = 0;                                         // of the first write that failed
  std::unique_ptr<OutputCapture> output_;
  Numbers texts_, files_;
  std::string line_;
  std::size_t events_left_;
  std::int64_t bytes_left_ = 64'000'000;
  std::int64_t source_bytes_left_ = 4'000'000;
  int loops_ = 0;
  pid_t process_;  // that began it
};

}  // namespace asyncio::detail

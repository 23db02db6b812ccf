#include "watch_log.h"

#include "json_text.h"
#include "output_capture.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <system_error>
#include <utility>

namespace asyncio::detail {

// Defined in the build folder, by embed.cmake: page.html with all that belongs to it, in pieces.
extern const std::string_view kPlayer[];
extern const std::size_t kPlayerPieces;

namespace {

std::string program_name() {
#ifdef __GLIBC__
  return program_invocation_short_name;
#else
  return "a program";
#endif
}

std::string escape_attribute(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '\0') {
      escaped += "\xef\xbf\xbd";  // as HTML reads it
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// A relative path, as ccache makes them, begins where the compiler ran. That is most often where the program lies.
std::string read_source(const std::filesystem::path& path) {
  std::ifstream stream(path);
  if (!stream && path.is_relative()) {
    std::error_code ignored;
    stream.open(std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / path);
  }
  return stream ? std::string(std::istreambuf_iterator<char>(stream), {}) : std::string();
}

// A task's result may be a book.
void shorten(std::string& text) {
  constexpr std::size_t kMost = 200;
  if (text.size() <= kMost) return;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a letter of UTF-8
  text.replace(end, text.npos, "…");
}

}  // namespace

WatchLog::WatchLog(const std::string& path, const WatchOptions& options)
    : path_(path),
      file_(std::fopen(path.c_str(), "we"), std::fclose),
      events_left_(options.most_events),
      process_(getpid()) {
  if (!file_) throw_error(errno);
  for (std::size_t i = 0; i < kPlayerPieces; ++i) std::fwrite(kPlayer[i].data(), 1, kPlayer[i].size(), file_.get());
  const std::string title = escape_attribute(options.title.empty() ? program_name() : options.title);
  const std::string head = "<script type=\"application/json\" id=\"log\" data-program=\"" + title + "\">\n";
  std::fwrite(head.data(), 1, head.size(), file_.get());
  if (std::fflush(file_.get()) != 0) throw_error(errno);
  if (options.output) output_ = std::make_unique<OutputCapture>();
}

WatchLog::~WatchLog() {
  try {
    finish();
  } catch (const std::exception&) {  // nobody is there to hear of it
  }
  static_cast<void>(file_.release());  // in a forked child: its buffer is a copy of what the parent is going to write
  if (output_) output_->forget();
}

void WatchLog::finish() {
  if (!is_ours()) return;
  const std::lock_guard lock(mutex_);
  if (!file_) return;
  std::exception_ptr no_memory;
  try {
    write_output(0, 0);
  } catch (const std::bad_alloc&) {  // the page ends nevertheless
    no_memory = std::current_exception();
  }
  std::fputs("</script></body></html>\n", file_.get());
  output_.reset();
  flush_file();
  file_.reset();
  if (no_memory) std::rethrow_exception(no_memory);
}

int WatchLog::new_loop() {
  if (!is_ours()) return 0;
  const std::lock_guard lock(mutex_);
  return ++loops_;
}

void WatchLog::event_with_list(const char* kind, int loop, std::int64_t time, std::vector<std::int64_t> numbers,
                               const std::vector<std::int64_t>& list) {
  if (!is_ours()) return;
  const std::lock_guard lock(mutex_);
  if (!begin_event(kind, loop, time)) return;
  for (const std::int64_t one : numbers) number(one);
  line_ += ",[";
  const std::size_t begin = line_.size();
  for (const std::int64_t one : list) number(one);
  if (!list.empty()) line_.erase(begin, 1);  // the first comma
  line_ += ']';
  end_line();
}

// A forked child has a copy of this, perhaps with the mutex locked; but the file is its parent's.
bool WatchLog::is_ours() const { return getpid() == process_; }

void WatchLog::throw_error(int error) const {
  throw std::system_error(error, std::generic_category(), "watch: " + path_);
}

bool WatchLog::begin_event(const char* kind, int loop, std::int64_t time) {
  if (!file_) return false;
  write_output(loop, time);
  if (events_left_ == 0) return false;
  if (bytes_left_ <= 0) events_left_ = 1;
  if (--events_left_ == 0) kind = "full";
  begin_line(kind);
  number(loop);
  number(time);
  if (events_left_ > 0) return true;
  end_line();
  return false;
}

void WatchLog::write_output(int loop, std::int64_t time) {
  if (!output_) return;
  const std::string printed = output_->take();
  if (printed.empty() || events_left_ < 2 || bytes_left_ <= 0) return;
  --events_left_;
  begin_line("out");
  number(loop);
  number(time);
  string(printed);
  end_line();
}

std::int64_t WatchLog::text(std::string text) {
  shorten(text);
  if (!is_ours()) return 0;
  const std::lock_guard lock(mutex_);
  if (text.empty() || !file_ || events_left_ == 0) return 0;
  if (const auto known = texts_.find(text); known != texts_.end()) return known->second;
  begin_line("str");
  string(text);
  return number_and_end_line(texts_, std::move(text));
}

std::int64_t WatchLog::file(const char* path) {
  if (!is_ours()) return 0;
  const std::lock_guard lock(mutex_);
  if (*path == '\0' || !file_ || events_left_ == 0) return 0;
  if (const auto known = files_.find(std::string_view(path)); known != files_.end()) return known->second;

  std::string source = read_source(path);
  if (static_cast<std::int64_t>(source.size()) > source_bytes_left_) source.clear();
  begin_line("file");
  string(path);
  string(source);
  const std::int64_t number = number_and_end_line(files_, path);
  source_bytes_left_ -= static_cast<std::int64_t>(source.size());
  return number;
}

// The reader counts the lines. Therefore one that has a number is there, and one that is there has a number, though
// there may be no memory for either.
std::int64_t WatchLog::number_and_end_line(Numbers& numbers, std::string text) {
  close_line();
  const auto number = static_cast<std::int64_t>(numbers.size()) + 1;
  numbers.emplace(std::move(text), number);
  write_line();
  return number;
}

void WatchLog::flush() {
  if (!is_ours()) return;
  const std::lock_guard lock(mutex_);
  if (file_) flush_file();
}

void WatchLog::flush_file() {
  if (error_ == 0 && std::fflush(file_.get()) != 0) error_ = errno;
  if (error_ == 0) return;
  file_.reset();
  output_.reset();
  throw_error(error_);
}

// ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────────

void WatchLog::begin_line(const char* kind) { line_.assign("[\"").append(kind).append("\""); }

void WatchLog::number(std::int64_t number) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, std::end(digits), number);
  line_.append(",").append(digits, end);
}

void WatchLog::string(std::string_view text) {
  line_ += ',';
  append_json(line_, text);
}

void WatchLog::end_line() {
  close_line();
  write_line();
}

void WatchLog::close_line() { line_ += "]\n"; }

void WatchLog::write_line() noexcept {
  if (std::fwrite(line_.data(), 1, line_.size(), file_.get()) < line_.size() && error_ == 0) error_ = errno;
  bytes_left_ -= static_cast<std::int64_t>(line_.size());
}

}  // namespace asyncio::detail

// One request and its answer. libcurl delivers the head line by line, then the body in pieces, which go into a
// StreamReader. While nobody reads, the transfer is paused, and TCP makes the server wait.
// Mirrors: aiohttp's ClientRequest, ResponseHandler and client_reqrep.py. Read next: ../../../transfer.cpp
#pragma once

#include <asyncio/event.h>
#include <asyncio/http/detail/errors.h>
#include <asyncio/http/detail/multi.h>
#include <asyncio/http/errors.h>
#include <asyncio/http/headers.h>
#include <asyncio/stream_reader.h>
#include <asyncio/transports.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

struct curl_slist;

namespace asyncio::http::detail {

class BodyTransport;

/// The coroutine that waits for the head holds a reference; later, each ClientResponse does. Losing the last reference
/// ends the transfer, however far it is: that is how a cancel works.
///
/// Invariants: (1) easy_ is set until the transfer is over. (2) head_ is set once: when the head of the final answer is
/// complete (not 100 Continue, nor a redirect that libcurl follows), or with error_.
class Transfer final : public asyncio::detail::Pooled, public asyncio::detail::RefCounted<Transfer> {
 public:
  /// Sets the options; does not start. Throws InvalidURL, std::invalid_argument (the method is no token), ClientError.
  Transfer(Ref<Multi> multi, std::string method, const std::string& url, RequestOptions options);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void start() { multi_->add(*this); }
  /// Set once status and headers have arrived, or on an error.
  Event& head() noexcept { return head_; }
  void throw_if_failed() const {
    if (error_) std::rethrow_exception(error_);
  }

  int status() const noexcept { return static_cast<int>(status_); }
  const std::string& method() const noexcept { return method_; }
  const std::string& reason() const noexcept { return reason_; }
  const std::string& url() const noexcept { return url_; }
  const Headers& headers() const noexcept { return headers_; }
  const StreamReader& content() const noexcept { return content_; }
  /// The whole body, once read() has read it.
  std::unique_ptr<const std::string>& body() noexcept { return body_; }

  // ── for Multi ──
  void* easy() const noexcept { return easy_; }
  /// libcurl has finished the transfer; `code` is its CURLcode.
  void finish(int code);
  /// Ends the transfer with this error, unless it is over.
  void fail(std::exception_ptr error);

  // ── for the reader of the body ──
  bool paused() const noexcept { return paused_; }
  void pause_reading() noexcept { paused_ = true; }
  void resume_reading();

 private:
  friend RefCounted;
  static constexpr std::size_t kLongestHead = 300 * 1024;

  /// libcurl's list of header lines. libcurl reads it for as long as it may send a request.
  class HeaderList {
   public:
    HeaderList() = default;
    HeaderList(const HeaderList&) = delete;
    HeaderList& operator=(const HeaderList&) = delete;
    ~HeaderList();
    void add(const std::string& line);
    void swap(HeaderList& other) noexcept { std::swap(list_, other.list_); }
    curl_slist* get() const noexcept { return list_; }

   private:
    curl_slist* list_ = nullptr;
  };

  ~Transfer();
  // transfer_setup.cpp
  void set_url(const std::string& url);
  void set_up();
  void set_callbacks();
  void set_method_and_body();
  void set_headers();
  void set_limits();
  void set_security();
  // transfer.cpp
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept;
  void count_head(std::size_t size);
  ClientConnectionError bad_answer(const std::string& why) const;
  void header_line(std::string_view line);
  void status_line(std::string_view line);
  void field_line(std::string_view line);
  void end_of_head();
  bool asked_for_upgrade() const noexcept;
  bool is_redirect(long status) const noexcept;
  bool is_final_head(long status) const;
  void prepare_redirect(long status);
  bool leaves_origin() const;
  std::string effective_url() const;
  Progress progress() const;
  void head_arrived();
  void go_on();
  std::exception_ptr to_exception(int code) const;
  void end() noexcept;

  Ref<Multi> multi_;
  RequestOptions options_;  // libcurl reads the body from here
  std::string method_;
  std::string url_;       // without name and password
  void* easy_ = nullptr;  // CURL
  HeaderList header_list_;
  bool became_get_ = false;         // by a redirect
  bool left_origin_ = false;        // by a redirect; from then on, no credentials are sent
  long bytes_before_redirect_ = 0;  // bytes of requests sent when the last redirect's head was complete
  char error_text_[256] = "";       // CURL_ERROR_SIZE

  StreamReader content_;
  std::shared_ptr<BodyTransport> transport_;  // content_ pauses and resumes us through it
  Event head_;
  bool in_head_ = false;        // between a status line and the empty line
  bool head_complete_ = false;  // of a head that is not 1xx, the empty line has arrived
  Headers headers_;
  std::string reason_;
  std::size_t head_size_ = 0;  // bytes, including those of 100 Continue
  long status_ = 0;
  std::exception_ptr error_;   // set instead of a head
  std::exception_ptr thrown_;  // by a callback; must not pass through libcurl
  std::unique_ptr<const std::string> body_;
  bool paused_ = false;           // the reader's buffer is full
  bool held_by_libcurl_ = false;  // libcurl keeps bytes back until curl_easy_pause()
};

}  // namespace asyncio::http::detail

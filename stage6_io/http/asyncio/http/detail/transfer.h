// One request and its answer, as libcurl hands it over: the head line by line, and then the body, in pieces, into a
// StreamReader. When nobody reads, the transfer is paused, and TCP makes the server wait.
// Mirrors: aiohttp's ClientRequest, ResponseHandler and client_reqrep.py. Read next: ../../../transfer.cpp
#pragma once

#include <asyncio/event.h>
#include <asyncio/http/detail/multi.h>
#include <asyncio/http/headers.h>
#include <asyncio/stream_reader.h>
#include <asyncio/transports.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>

struct curl_slist;

namespace asyncio::http::detail {

class BodyTransport;

/// Counted: by the coroutine that waits for the head, and then by the handles of the response. The last one gone, it is
/// taken out of libcurl, wherever it is: that is how a cancel works.
///
/// Invariants: (1) easy_ is there until the transfer is over. (2) head_ is set once: when the head of the final answer is
/// complete (not one of 100 Continue, or of a redirect that libcurl follows), or with error_.
class Transfer final : public asyncio::detail::Pooled {
 public:
  /// Sets it up. Throws InvalidURL, std::invalid_argument (a method that is no token), ClientError.
  Transfer(Ref<Multi> multi, std::string method, const std::string& url, RequestOptions options);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void start() { multi_->add(*this); }
  /// Set when there is a status and headers, or an error.
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
  /// All of the body, once somebody has read it.
  std::unique_ptr<const std::string>& body() noexcept { return body_; }

  // ── for Multi ──
  void* easy() const noexcept { return easy_; }
  /// libcurl is done with it; `code` is its CURLcode.
  void finish(int code);
  /// Ends it with this error, unless it is over.
  void fail(std::exception_ptr error);

  // ── for the reader of the body ──
  bool paused() const noexcept { return paused_; }
  void pause_reading() noexcept { paused_ = true; }
  void resume_reading();

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }

 private:
  ~Transfer();
  // transfer_setup.cpp
  void set_url(const std::string& url);
  void set_up();
  void set_callbacks();
  void set_method_and_body();
  void set_headers();
  void set_limits();
  void set_security();
  void add_header(const std::string& line);
  // transfer.cpp
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept;
  void header_line(std::string_view line);
  bool is_final_head() const;
  void head_arrived();
  void go_on();
  std::exception_ptr to_exception(int code) const;
  void end() noexcept;

  Ref<Multi> multi_;
  RequestOptions options_;  // libcurl reads the body from here
  std::string method_;
  std::string url_;       // without name and password
  void* easy_ = nullptr;  // CURL
  curl_slist* header_list_ = nullptr;
  char error_text_[256] = "";  // CURL_ERROR_SIZE

  StreamReader content_;
  std::shared_ptr<BodyTransport> transport_;  // by which content_ speaks to us
  Event head_;
  Headers headers_;
  std::string reason_;
  long status_ = 0;
  std::exception_ptr error_;   // in place of a head
  std::exception_ptr thrown_;  // in a callback, through which it could not pass
  std::unique_ptr<const std::string> body_;
  std::uint32_t refs_ = 1;
  bool paused_ = false;           // the reader has enough for now
  bool held_by_libcurl_ = false;  // … and libcurl knows
};

}  // namespace asyncio::http::detail

#include "asyncio/http/detail/transfer.h"

#include "asyncio/http/errors.h"
#include "curl_support.h"

#include <asyncio/timeouts.h>

#include <new>
#include <stdexcept>
#include <utility>

namespace asyncio::http::detail {

// ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// As much of a transport as a StreamReader needs. A reader may outlive its transfer.
class BodyTransport final : public ReadTransport {
 public:
  explicit BodyTransport(Transfer& transfer) noexcept : transfer_(&transfer) {}
  void transfer_ended() noexcept { transfer_ = nullptr; }

  bool is_reading() const noexcept override { return transfer_ && !transfer_->paused(); }
  void pause_reading() override {
    if (transfer_) transfer_->pause_reading();
  }
  void resume_reading() override {
    if (transfer_) transfer_->resume_reading();
  }
  void close() override {
    if (transfer_) transfer_->fail(std::make_exception_ptr(ClientConnectionError("Connection closed")));
  }
  bool is_closing() const noexcept override { return transfer_ == nullptr; }
  void set_protocol(std::shared_ptr<BaseProtocol>) override {
    throw std::invalid_argument("the body of an HTTP response has no protocol");
  }
  std::shared_ptr<BaseProtocol> get_protocol() const override { return nullptr; }

 private:
  Transfer* transfer_;
};

Transfer::Transfer(Ref<Multi> multi, std::string method, const std::string& url, RequestOptions options)
    : multi_(std::move(multi)),
      options_(std::move(options)),
      method_(std::move(method)),
      content_(multi_->options().buffer_size),
      transport_(std::make_shared<BodyTransport>(*this)) {
  easy_ = curl_easy_init();
  if (!easy_) throw std::bad_alloc();
  try {
    set_url(url);
    set_up();
  } catch (...) {
    end();
    throw;
  }
  content_.state().set_transport(transport_);
}

Transfer::~Transfer() {
  if (!easy_) return;
  end();
  content_.set_exception(std::make_exception_ptr(ClientConnectionError("Connection closed")));
}

// ── what libcurl hands over ─────────────────────────────────────────────────────────────────────────────────────────

std::size_t Transfer::on_header(char* data, std::size_t, std::size_t size, void* self) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(self);
  try {
    std::string_view line(data, size);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    transfer.header_line(line);
    return size;
  } catch (...) {
    transfer.thrown_ = std::current_exception();
    return 0;  // anything but `size` ends the transfer
  }
}

std::size_t Transfer::on_body(char* data, std::size_t, std::size_t size, void* self) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(self);
  if (transfer.paused_) {
    transfer.held_by_libcurl_ = true;
    return CURL_WRITEFUNC_PAUSE;  // libcurl keeps these bytes, and takes no more from the socket
  }
  try {
    transfer.head_arrived();
    transfer.content_.feed_data(std::string_view(data, size));
    return size;
  } catch (...) {
    transfer.thrown_ = std::current_exception();
    return 0;
  }
}

// There may be several heads: 100 Continue, redirects; the last one counts. What comes behind it are trailers.
void Transfer::header_line(std::string_view line) {
  if (head_.is_set()) return;
  if (line.starts_with("HTTP/")) {
    headers_.clear();
    const std::size_t code = line.find(' ');
    const std::size_t reason = code == line.npos ? code : line.find(' ', code + 1);
    reason_ = reason == line.npos ? std::string() : std::string(line.substr(reason + 1));
  } else if (line.empty()) {
    if (is_final_head()) head_arrived();
  } else if (line.front() == ' ' || line.front() == '\t') {
    headers_.append_to_last(line.substr(std::min(line.find_first_not_of(" \t"), line.size())));
  } else {
    const std::size_t colon = std::min(line.find(':'), line.size());
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    headers_.add(line.substr(0, colon), value.substr(0, value.find_last_not_of(" \t") + 1));
  }
}

bool Transfer::is_final_head() const {
  const long status = get_info<long>(easy_, CURLINFO_RESPONSE_CODE);
  if (status < 200) return false;
  if (status == 401 || status == 407) return false;  // libcurl may know the answer; if not, the body begins
  const bool redirect = status >= 300 && status < 400 && headers_.contains("Location");
  return !(redirect && options_.redirects_allowed);
}

void Transfer::head_arrived() {
  if (head_.is_set()) return;
  status_ = get_info<long>(easy_, CURLINFO_RESPONSE_CODE);
  if (const char* url = get_info<const char*>(easy_, CURLINFO_EFFECTIVE_URL)) url_ = url;
  head_.set();
}

// ── back-pressure ───────────────────────────────────────────────────────────────────────────────────────────────────

// Not here and now, for libcurl would call on_body(), which feeds the reader in the middle of a read.
void Transfer::resume_reading() {
  paused_ = false;
  if (!std::exchange(held_by_libcurl_, false)) return;
  if (Loop* loop = multi_->open_loop()) {
    loop->call_soon([self = Ref<Transfer>(this)] { self->go_on(); });
  }
}

void Transfer::go_on() {
  if (!easy_) return;
  const CURLcode code = curl_easy_pause(easy_, CURLPAUSE_CONT);
  if (code != CURLE_OK && easy_) finish(code);
  multi_->look_for_finished();
}

// ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void Transfer::finish(int code) {
  const Ref<Transfer> self(this);
  if (code != CURLE_OK) return fail(to_exception(code));
  head_arrived();
  end();
  content_.feed_eof();
}

void Transfer::fail(std::exception_ptr error) {
  if (!easy_) return;
  end();
  if (head_.is_set()) {
    content_.set_exception(std::move(error));
  } else {
    error_ = std::move(error);
    head_.set();
  }
}

void Transfer::end() noexcept {
  multi_->remove(*this);
  transport_->transfer_ended();
  curl_easy_cleanup(std::exchange(easy_, nullptr));
  curl_slist_free_all(std::exchange(header_list_, nullptr));
}

std::exception_ptr Transfer::to_exception(int code) const {
  if (thrown_) return thrown_;
  const std::string what =
      method_ + " " + url_ + ": " + (*error_text_ ? error_text_ : curl_easy_strerror(static_cast<CURLcode>(code)));
  switch (code) {
    case CURLE_OUT_OF_MEMORY:
      return std::make_exception_ptr(std::bad_alloc());
    case CURLE_OPERATION_TIMEDOUT:
      return std::make_exception_ptr(TimeoutError(what));
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return std::make_exception_ptr(InvalidURL(what, code));
    case CURLE_TOO_MANY_REDIRECTS:
      return std::make_exception_ptr(TooManyRedirects(what, code));
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_NOT_BUILT_IN:
    case CURLE_WEIRD_SERVER_REPLY:
      return std::make_exception_ptr(ClientError(what, code));
    default:
      if (head_.is_set()) return std::make_exception_ptr(ClientPayloadError(what, code));
      return std::make_exception_ptr(ClientConnectionError(what, code));
  }
}

}  // namespace asyncio::http::detail

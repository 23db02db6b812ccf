#include "asyncio/http/detail/transfer.h"

#include "asyncio/http/errors.h"
#include "curl_support.h"

#include <new>
#include <stdexcept>
#include <utility>

namespace asyncio::http::detail {

// ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The part of a transport that a StreamReader needs. A reader may outlive its transfer.
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

// ── libcurl's callbacks ─────────────────────────────────────────────────────────────────────────────────────────────

std::size_t Transfer::on_header(char* data, std::size_t, std::size_t size, void* self) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(self);
  try {
    std::string_view line(data, size);
    transfer.count_head(size);
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

// libcurl limits each line and, only since 8.3, the whole head to this size.
void Transfer::count_head(std::size_t size) {
  head_size_ += size;
  if (head_size_ <= kLongestHead || head_.is_set()) return;
  throw ClientConnectionError(method_ + " " + url_ + ": the head of the answer is longer than " +
                              std::to_string(kLongestHead) + " bytes");
}

// Several heads may arrive (100 Continue, redirects); the last one counts. Lines after it are trailers, and ignored.
void Transfer::header_line(std::string_view line) {
  if (head_.is_set()) return;
  if (line.starts_with("HTTP/")) {
    headers_.clear();
    const bool follow = is_redirect(get_info<long>(easy_, CURLINFO_RESPONSE_CODE));
    set_option(easy_, CURLOPT_FOLLOWLOCATION, follow ? 1L : 0L);  // it would follow any 3xx
    const std::size_t code = line.find(' ');
    const std::size_t reason = code == line.npos ? code : line.find(' ', code + 1);
    reason_ = reason == line.npos ? std::string() : std::string(line.substr(reason + 1));
  } else if (line.empty()) {
    is_final_head() ? head_arrived() : prepare_redirect(get_info<long>(easy_, CURLINFO_RESPONSE_CODE));
  } else if (line.front() == ' ' || line.front() == '\t') {
    headers_.append_to_last(line.substr(std::min(line.find_first_not_of(" \t"), line.size())));
  } else {
    const std::size_t colon = std::min(line.find(':'), line.size());
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    headers_.add(line.substr(0, colon), value.substr(0, value.find_last_not_of(" \t") + 1));
  }
}

// [Fetch: redirect status]
bool Transfer::is_redirect(long status) const noexcept {
  return options_.redirects_allowed &&
         (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

bool Transfer::is_final_head() const {
  const long status = get_info<long>(easy_, CURLINFO_RESPONSE_CODE);
  if (status < 200) return false;
  // libcurl authenticates and tries again, if easy_setup() told it how. Otherwise the body begins.
  if ((status == 401 || status == 407) && options_.setup_easy) return false;
  return !is_redirect(status) || headers_.get("Location").empty();
}

// libcurl follows the redirect when this returns. [Fetch: HTTP-redirect fetch, steps 12 and 13]
void Transfer::prepare_redirect(long status) {
  if (!is_redirect(status)) return;
  bytes_before_redirect_ = get_info<long>(easy_, CURLINFO_REQUEST_SIZE);
  head_size_ = 0;
  if (became_get_) return;
  const bool post = method_ == "POST";
  const bool idempotent = method_ == "GET" || method_ == "HEAD";
  became_get_ = ((status == 301 || status == 302) && post) || (status == 303 && !idempotent);
  if (!became_get_) return;
  set_option<char*>(easy_, CURLOPT_CUSTOMREQUEST, nullptr);
  set_option(easy_, CURLOPT_POSTREDIR, 0L);
  set_headers();
}

void Transfer::head_arrived() {
  if (head_.is_set()) return;
  status_ = get_info<long>(easy_, CURLINFO_RESPONSE_CODE);
  if (const char* url = get_info<const char*>(easy_, CURLINFO_EFFECTIVE_URL)) url_ = url;
  head_.set();
}

// ── back-pressure ───────────────────────────────────────────────────────────────────────────────────────────────────

// In the next tick, because libcurl would call on_body() at once and feed the reader in the middle of a read.
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
}

Progress Transfer::progress() const {
  if (head_.is_set()) return Progress::head_arrived;
  return get_info<long>(easy_, CURLINFO_REQUEST_SIZE) > bytes_before_redirect_ ? Progress::sent : Progress::not_sent;
}

std::exception_ptr Transfer::to_exception(int code) const {
  if (thrown_) return thrown_;
  const char* const text = *error_text_ ? error_text_ : curl_easy_strerror(static_cast<CURLcode>(code));
  return exception_of(code, progress(), method_ + " " + url_ + ": " + text);
}

}  // namespace asyncio::http::detail

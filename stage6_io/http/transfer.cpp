#include "asyncio/http/detail/transfer.h"

#include "asyncio/http/detail/head.h"
#include "asyncio/http/errors.h"
#include "curl_support.h"
#include "url.h"

#include <algorithm>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

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
    if (transfer_) transfer_->fail(exception_with<ClientConnectionError>("Connection closed"));
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
      content_(multi_->options().buffer_size_),
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
  content_.set_exception(exception_with<ClientConnectionError>("Connection closed"));
}

// ── libcurl's callbacks ─────────────────────────────────────────────────────────────────────────────────────────────

std::size_t Transfer::on_header(char* data, std::size_t, std::size_t size, void* self) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(self);
  try {
    std::string_view line(data, size);
    transfer.count_head(size);
    for (const char end : {'\n', '\r'}) {
      if (line.ends_with(end)) line.remove_suffix(1);
    }
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
    if (!transfer.head_complete_) throw transfer.bad_answer("a body without a head");
    transfer.head_arrived();
    transfer.content_.feed_data(std::string_view(data, size));
    return size;
  } catch (...) {
    transfer.thrown_ = std::current_exception();
    return 0;
  }
}

ClientConnectionError Transfer::bad_answer(const std::string& why) const {
  return ClientConnectionError(method_ + " " + url_ + ": bad answer: " + why);
}

// libcurl limits each line and, only since 8.3, the whole head to this size.
void Transfer::count_head(std::size_t size) {
  head_size_ += size;
  if (head_size_ <= kLongestHead || head_.is_set()) return;
  throw ClientConnectionError(method_ + " " + url_ + ": the head of the answer is longer than " +
                              std::to_string(kLongestHead) + " bytes");
}

// Several heads may arrive (100 Continue, redirects); the last one counts. Lines between two heads, or after the last
// one, are trailers, and ignored.
void Transfer::header_line(std::string_view line) {
  if (head_.is_set()) return;
  if (!in_head_) {
    if (!head_complete_ || is_status_line(line)) status_line(line);
  } else if (line.empty()) {
    end_of_head();
  } else {
    field_line(line);
  }
}

void Transfer::status_line(std::string_view line) {
  in_head_ = true;
  head_complete_ = false;
  headers_.clear();
  const bool follow = is_redirect(get_info<long>(easy_, CURLINFO_RESPONSE_CODE));
  set_option(easy_, CURLOPT_FOLLOWLOCATION, follow ? 1L : 0L);  // it would follow any 3xx
  const std::size_t code = line.find(' ');
  const std::size_t reason = code == line.npos ? code : line.find(' ', code + 1);
  reason_ = reason == line.npos ? std::string() : std::string(line.substr(reason + 1));
  const std::string fault = fault_of_status_line(line);
  if (!fault.empty()) throw bad_answer(fault);
}

void Transfer::field_line(std::string_view line) {
  const std::string fault = fault_of_line(line);
  if (!fault.empty()) throw bad_answer(fault);
  if (line.front() == ' ' || line.front() == '\t') {
    // libcurl does not read the second line.
    if (headers_.size() > 0 && is_about_framing((headers_.end() - 1)->first)) {
      throw bad_answer("a " + (headers_.end() - 1)->first + " that is continued on the next line");
    }
    headers_.append_to_last(line.substr(std::min(line.find_first_not_of(" \t"), line.size())));
  } else {
    const std::size_t colon = line.find(':');
    headers_.add(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
}

void Transfer::end_of_head() {
  const long status = get_info<long>(easy_, CURLINFO_RESPONSE_CODE);
  in_head_ = false;
  const std::string fault = fault_of_framing(headers_);
  if (!fault.empty()) throw bad_answer(fault);
  // easy_setup() may have made libcurl ask for HTTP/2.
  if (status == 101 && !asked_for_upgrade() && !options_.setup_easy_) throw bad_answer("101 without a request for it");
  const bool final = is_final_head(status);
  head_complete_ = status >= 200 || final;
  final ? head_arrived() : prepare_redirect(status);
}

bool Transfer::asked_for_upgrade() const noexcept {
  return options_.headers_.contains("Upgrade") || multi_->options().headers_.contains("Upgrade");
}

// [Fetch: redirect status]
bool Transfer::is_redirect(long status) const noexcept {
  return options_.redirects_allowed_ &&
         (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

bool Transfer::is_final_head(long status) const {
  if (status < 200) return status == 101 && asked_for_upgrade();
  // libcurl authenticates and tries again, if easy_setup() told it how. Otherwise the body begins.
  if ((status == 401 || status == 407) && options_.setup_easy_) return false;
  return !is_redirect(status) || headers_.get("Location").empty();
}

// libcurl follows the redirect when this returns. [Fetch: HTTP-redirect fetch, steps 12 to 14]
void Transfer::prepare_redirect(long status) {
  if (!is_redirect(status)) return;
  bytes_before_redirect_ = get_info<long>(easy_, CURLINFO_REQUEST_SIZE);
  head_size_ = 0;
  const bool post = method_ == "POST";
  const bool idempotent = method_ == "GET" || method_ == "HEAD";
  const bool to_get = ((status == 301 || status == 302) && post) || (status == 303 && !idempotent);
  const bool leaves = leaves_origin();
  if (to_get && !became_get_) {
    set_option<char*>(easy_, CURLOPT_CUSTOMREQUEST, nullptr);
    set_option(easy_, CURLOPT_POSTREDIR, 0L);
  }
  if (leaves && !left_origin_) {
    set_option<char*>(easy_, CURLOPT_USERNAME, nullptr);
    set_option<char*>(easy_, CURLOPT_PASSWORD, nullptr);
  }
  if (to_get <= became_get_ && leaves <= left_origin_) return;
  became_get_ = became_get_ || to_get;
  left_origin_ = left_origin_ || leaves;
  set_headers();
}

// Once credentials are dropped they stay dropped, even if the next redirect leads back. libcurl would only compare the
// new host with the first one.
bool Transfer::leaves_origin() const {
  const std::vector<std::string> locations = headers_.getall("Location");
  for (const std::string& other : locations) {
    if (other != locations.front()) throw bad_answer("two Locations that differ");
  }
  const Url here(effective_url());
  std::optional<Url> there;
  try {
    there.emplace(here.joined(locations.front()));
  } catch (const InvalidURL& error) {
    if (hides_its_host(locations.front())) {
      throw InvalidURL(method_ + " " + url_ + ": redirected to what is " + error.what());
    }
    return true;  // libcurl is going to refuse it
  }
  return !same_origin(here, *there);
}

std::string Transfer::effective_url() const {
  const char* const url = get_info<const char*>(easy_, CURLINFO_EFFECTIVE_URL);
  return url ? url : url_;
}

void Transfer::head_arrived() {
  if (head_.is_set()) return;
  status_ = get_info<long>(easy_, CURLINFO_RESPONSE_CODE);
  try {
    Url url(effective_url());
    url.remove_credentials();  // a redirect may have brought some
    url_ = url.get(CURLUPART_URL);
  } catch (const InvalidURL&) {  // one that only libcurl understands: url_ stays the last one that we did
  }
  head_.set();
}

// ── back-pressure ───────────────────────────────────────────────────────────────────────────────────────────────────

// In the next tick, because libcurl would call on_body() at once and feed the reader in the middle of a read.
void Transfer::resume_reading() {
  Loop* const loop = multi_->open_loop();
  if (held_by_libcurl_ && loop) loop->call_soon([self = Ref<Transfer>(this)] { self->go_on(); });
  paused_ = false;  // now: without memory for the callback it may be tried again
  held_by_libcurl_ = false;
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
  try {
    if (code != CURLE_OK) return fail(to_exception(code));
    if (!head_complete_) return fail(std::make_exception_ptr(bad_answer("it ends within its head")));
    head_arrived();
  } catch (const std::bad_alloc&) {
    return fail(std::current_exception());
  }
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

#include "asyncio/http/detail/multi.h"

#include "asyncio/http/detail/errors.h"
#include "asyncio/http/detail/transfer.h"
#include "asyncio/http/errors.h"
#include "curl_support.h"

#include <asyncio/descriptors.h>
#include <asyncio/detail/scope_exit.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <sstream>
#include <stdexcept>

namespace asyncio::http::detail {

// ── the two callbacks of libcurl ────────────────────────────────────────────────────────────────────────────────────

// They never return an error: libcurl would then give up all its transfers, and keep half of a new one.

// libcurl wants a socket watched; with CURL_POLL_REMOVE, before it closes one, no longer watched.
int Multi::on_socket(void*, int fd, int what, void* self, void*) noexcept {
  Multi& multi = *static_cast<Multi*>(self);
  try {
    multi.watch(fd, what == CURL_POLL_REMOVE ? CURL_POLL_NONE : what);
  } catch (...) {
    multi.error_ = std::current_exception();
  }
  return 0;
}

// libcurl wants a call after timeout_ms, instead of the call that it asked for before; -1: none.
int Multi::on_timer(void*, long timeout_ms, void* self) noexcept {
  Multi& multi = *static_cast<Multi*>(self);
  try {
    multi.set_timer(timeout_ms);
  } catch (...) {
    multi.error_ = std::current_exception();
  }
  return 0;
}

void Multi::watch(int fd, int what) {
  Loop* const loop = open_loop();
  const int before = sockets_.contains(fd) ? sockets_[fd] : CURL_POLL_NONE;
  if (what == CURL_POLL_NONE) {
    sockets_.erase(fd);
  } else {
    sockets_[fd] = what;
  }
  if (!loop) return;
  const int gone = before & ~what, new_ones = what & ~before;
  if (gone & CURL_POLL_IN) remove_reader(*loop, fd);
  if (gone & CURL_POLL_OUT) remove_writer(*loop, fd);
  if (new_ones & CURL_POLL_IN) add_reader(*loop, fd, [this, fd] { act(fd, CURL_CSELECT_IN); });
  if (new_ones & CURL_POLL_OUT) add_writer(*loop, fd, [this, fd] { act(fd, CURL_CSELECT_OUT); });
}

void Multi::set_timer(long timeout_ms) {
  timer_.cancel();
  Loop* const loop = open_loop();
  if (timeout_ms < 0 || !loop) return;
  timer_ = loop->call_later(std::chrono::milliseconds(timeout_ms), [this] { act(CURL_SOCKET_TIMEOUT, 0); });
}

// ── calls into libcurl ──────────────────────────────────────────────────────────────────────────────────────────────

void Multi::act(int fd, int events) {
  const Ref<Multi> self(this);
  int running = 0;
  const CURLMcode code = curl_multi_socket_action(multi_, fd, events, &running);
  if (code != CURLM_OK && code != CURLM_BAD_SOCKET && !error_) {  // libcurl has just closed the socket: no error
    error_ = exception_with<ClientError>("libcurl: ", curl_multi_strerror(code));
  }
  look_for_finished();
}

void Multi::look_for_finished() {
  int left = 0;
  while (const CURLMsg* message = multi_ ? curl_multi_info_read(multi_, &left) : nullptr) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;  // read now: finish() frees the message
    Transfer& transfer = *get_info<Transfer*>(message->easy_handle, CURLINFO_PRIVATE);
    transfer.finish(code);
  }
  fail_all_after_error();
}

void Multi::add(Transfer& transfer) {
  if (closed_) throw std::runtime_error("Session is closed");
  transfers_.insert(&transfer);
  const CURLMcode code = curl_multi_add_handle(multi_, transfer.easy());
  if (code == CURLM_OK && !error_) return;
  const std::exception_ptr error = std::exchange(error_, nullptr);
  transfers_.erase(&transfer);
  if (code == CURLM_OK) curl_multi_remove_handle(multi_, transfer.easy());
  if (error && !error_) error_ = error;  // the others may wait for the same timer
  fail_all_after_error();
  if (error) std::rethrow_exception(error);
  if (code == CURLM_OUT_OF_MEMORY) throw std::bad_alloc();
  throw ClientError(std::string("curl_multi_add_handle: ") + curl_multi_strerror(code));
}

void Multi::remove(Transfer& transfer) noexcept {
  if (transfers_.erase(&transfer) == 0) return;
  curl_multi_remove_handle(multi_, transfer.easy());
  fail_all_after_error();
}

// ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

// The first session of a program does this.
void init_libcurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw ClientError(std::string("curl_global_init: ") + curl_easy_strerror(code), code);
}

}  // namespace

Multi::Multi(Loop& loop, const SessionOptions& options) : weak_loop_(&loop.weak_loop()), options_(options) {
  asyncio::detail::selector_of(loop);  // throws here, not in a callback of libcurl, if the loop has no descriptors
  asyncio::detail::ReaderState::check_limit(options_.buffer_size_);
  init_libcurl();
  multi_ = curl_multi_init();
  share_ = curl_share_init();
  jar_ = curl_easy_init();
  if (!multi_ || !share_ || !jar_) {
    free_handles();
    throw std::bad_alloc();
  }
  try {
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    set_option(jar_, CURLOPT_SHARE, share_);
    set_option(jar_, CURLOPT_COOKIEFILE, "");
    set_option(multi_, CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
    set_option(multi_, CURLMOPT_SOCKETDATA, this);
    set_option(multi_, CURLMOPT_TIMERFUNCTION, &Multi::on_timer);
    set_option(multi_, CURLMOPT_TIMERDATA, this);
    set_option(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options_.connections_at_most_));
    set_option(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(options_.connections_per_host_));
    if (options_.connections_at_most_ > 0) {  // keep all of them open when idle
      set_option(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.connections_at_most_));
    }
  } catch (...) {
    free_handles();
    throw;
  }
}

Multi::~Multi() { free_handles(); }

void Multi::free_handles() noexcept {
  // Closes the connections; meanwhile libcurl unregisters its sockets and its timer.
  if (multi_) curl_multi_cleanup(std::exchange(multi_, nullptr));
  timer_.cancel();
  if (jar_) curl_easy_cleanup(std::exchange(jar_, nullptr));
  if (share_) curl_share_cleanup(std::exchange(share_, nullptr));
}

Loop* Multi::open_loop() const noexcept {
  Loop* const loop = weak_loop_->loop();
  return loop && !loop->is_closed() ? loop : nullptr;
}

// Without memory for one, since there may be none. What a transfer removes from libcurl, it removes from here.
void Multi::fail_all(std::exception_ptr error) noexcept {
  const bool nested = std::exchange(failing_, true);
  while (!transfers_.empty()) Ref<Transfer>(*transfers_.begin())->fail(error);
  failing_ = nested;
}

// A socket or a timer that is not watched: whoever waits for it would wait for ever.
void Multi::fail_all_after_error() noexcept {
  if (failing_) return;  // they all end anyway
  while (error_) fail_all(std::exchange(error_, nullptr));
}

void Multi::close() {
  if (std::exchange(closed_, true)) return;
  fail_all(exception_with<ClientConnectionError>("Session is closed"));
  error_ = nullptr;
  free_handles();
}

// ── cookies ─────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

// Parses a line of a cookies.txt, tab-separated: domain, include subdomains, path, https only, expires, name, value.
Cookie parse_cookie(std::string line) {
  constexpr std::string_view kHttpOnly = "#HttpOnly_";
  if (line.starts_with(kHttpOnly)) line.erase(0, kHttpOnly.size());
  std::istringstream fields(line);
  Cookie cookie;
  std::string skipped;
  for (std::string* field : {&cookie.domain, &skipped, &cookie.path, &skipped, &skipped, &cookie.name, &cookie.value}) {
    std::getline(fields, *field, '\t');
  }
  return cookie;
}

}  // namespace

std::vector<Cookie> Multi::cookies() const {
  std::vector<Cookie> cookies;
  if (!jar_) return cookies;
  curl_slist* const lines = get_info<curl_slist*>(jar_, CURLINFO_COOKIELIST);
  const asyncio::detail::ScopeExit free_lines([lines] { curl_slist_free_all(lines); });
  for (const curl_slist* line = lines; line; line = line->next) cookies.push_back(parse_cookie(line->data));
  return cookies;
}

void Multi::clear_cookies() {
  if (jar_) set_option(jar_, CURLOPT_COOKIELIST, "ALL");
}

}  // namespace asyncio::http::detail

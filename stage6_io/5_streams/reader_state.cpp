#include "asyncio/detail/reader_state.h"

#include "asyncio/stream_reader.h"

#include <asyncio/detail/repr.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio::detail {

ReaderState::ReaderState(std::size_t limit) : limit_(limit) { check_limit(limit); }

void ReaderState::check_limit(std::size_t limit) {
  if (limit == 0) throw std::invalid_argument("Limit cannot be <= 0");
}

void ReaderState::feed_data(std::string_view data) {
  if (eof_) throw std::logic_error("feed_data after feed_eof");
  if (data.empty()) return;
  buffer_.append(data);
  wake_reader();
  if (transport_ && !paused_ && buffer_.size() > 2 * limit_) {
    paused_ = true;
    transport_->pause_reading();
  }
}

void ReaderState::feed_eof() {
  eof_ = true;
  wake_reader();
}

void ReaderState::set_exception(std::exception_ptr error) {
  exception_ = std::move(error);
  if (Wait* waiter = std::exchange(waiter_, nullptr)) waiter->fail(exception_);
}

void ReaderState::feed_destination(std::size_t size) {
  destination_ = {};
  received_ = size;
  wake_reader();
}

// [StreamReader.__repr__]
std::string ReaderState::repr() const {
  std::string text = "<StreamReader";
  if (!buffer_.empty()) text += " " + std::to_string(buffer_.size()) + " bytes";
  if (eof_) text += " eof";
  if (limit_ != StreamReader::kDefaultLimit) text += " limit=" + std::to_string(limit_);
  if (waiter_) text += " waiter=<Future pending>";
  if (exception_) text += " exception=" + asyncio::detail::on_one_line(asyncio::describe(exception_));
  if (transport_) text += " transport=" + transport_->repr();
  return text + ">";
}

void ReaderState::wake_reader() {
  if (Wait* waiter = std::exchange(waiter_, nullptr)) waiter->wake();
}

void ReaderState::resume() {
  transport_->resume_reading();
  paused_ = false;  // now: without memory for it, the next read tries again
}

void ReaderState::throw_already_waiting(const char* function) {
  throw std::runtime_error(std::string(function) +
                           "() called while another coroutine is already waiting for incoming data");
}

}  // namespace asyncio::detail

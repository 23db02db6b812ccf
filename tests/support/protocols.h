// Protocols that log their callbacks.
#pragma once

#include <asyncio/protocols.h>
#include <asyncio/sleep.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::testing {

template <class P>
std::shared_ptr<P> make() {
  return std::make_shared<P>();
}

/// Logs the name of each callback, what was received, and why the connection was lost.
class LogProtocol : public Protocol {
 public:
  void connection_made(std::shared_ptr<Transport> made) override {
    note("connection_made");
    transport = std::move(made);
    call(on_made);
  }
  void data_received(std::string_view data) override {
    received += data;
    call(on_data);
  }
  bool eof_received() override {
    note("eof_received");
    call(on_eof);
    return keep_open;
  }
  void connection_lost(std::exception_ptr why) override {
    note("connection_lost");
    error = std::move(why);
    call(on_lost);
  }
  void pause_writing() override {
    note("pause_writing");
    call(on_pause);
  }
  void resume_writing() override {
    note("resume_writing");
    call(on_resume);
  }

  void note(std::string what) { log.push_back(std::move(what)); }
  int count(const std::string& what) const { return static_cast<int>(std::count(log.begin(), log.end(), what)); }
  Coro<> until_received(std::size_t size) {
    while (received.size() < size) co_await sleep(std::chrono::microseconds(100));
  }
  Coro<> until_lost() {
    while (count("connection_lost") == 0) co_await sleep(std::chrono::microseconds(100));
  }

  std::shared_ptr<Transport> transport;
  std::vector<std::string> log;
  std::string received;
  std::exception_ptr error;
  bool keep_open = false;
  std::function<void()> on_made, on_data, on_eof, on_lost, on_pause, on_resume;

 private:
  static void call(const std::function<void()>& callback) {
    if (callback) callback();
  }
};

/// Offers a buffer of a fixed size.
class BufferProtocol : public BufferedProtocol {
 public:
  explicit BufferProtocol(std::size_t size) : buffer_(size, '\0') {}
  std::span<char> get_buffer(std::size_t) override { return buffer_; }
  void buffer_updated(std::size_t size) override {
    received.append(buffer_, 0, size);
    if (on_update) on_update();
  }
  bool eof_received() override {
    ++eofs;
    return false;
  }
  void connection_lost(std::exception_ptr why) override {
    ++lost;
    error = std::move(why);
  }

  std::string received;
  int eofs = 0;
  int lost = 0;
  std::exception_ptr error;
  std::function<void()> on_update;

 private:
  std::string buffer_;
};

}  // namespace asyncio::testing

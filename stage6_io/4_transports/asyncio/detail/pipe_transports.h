// The transports of a pipe's two ends. At the end of the stream the reading end calls eof_received() and then
// connection_lost(). The writing end watches itself for reading to learn that its reader has closed.
// Mirrors: Lib/asyncio/unix_events.py, _UnixReadPipeTransport, _UnixWritePipeTransport.
// Read next: ../../pipe_transports.cpp
#pragma once

#include <asyncio/detail/stream_transport.h>
#include <asyncio/file_descriptor.h>

#include <memory>
#include <string>
#include <string_view>

namespace asyncio::detail {

class ReadPipeTransport final : public StreamTransport {
 public:
  /// REQUIRES: a non-blocking pipe, socket or character device.
  ReadPipeTransport(Loop& loop, FileDescriptor pipe);

  void write_eof() override { throw_only_reads(); }
  bool can_write_eof() const noexcept override { return false; }

 private:
  [[noreturn]] static void throw_only_reads();
  const char* kind() const noexcept override { return "ReadPipeTransport"; }
  ssize_t read_some(char* buffer, std::size_t size) noexcept override;
  void write_pieces(std::span<const std::string_view>, std::size_t) override { throw_only_reads(); }
  ssize_t write_some(std::span<const std::string_view>) noexcept override { return 0; }
  void shutdown_write() noexcept override {}
  void on_eof() override;
  bool is_worth_a_report(int error) const noexcept override;
  bool survives_its_protocol() const noexcept override { return true; }
  std::string describe_call(bool) const override { return "read from " + repr(); }
  const char* warning_of_lost_writes() const noexcept override { return ""; }
};

class WritePipeTransport final : public StreamTransport {
 public:
  /// REQUIRES: a non-blocking pipe, socket or character device.
  WritePipeTransport(Loop& loop, FileDescriptor pipe);

  bool is_reading() const noexcept override { return false; }
  void pause_reading() override {}
  void resume_reading() override {}
  /// Keeps watching for the reader's end until the last byte is sent.
  void close() override;
  void write_eof() override { close(); }  // a pipe has no other direction that could stay open

 private:
  const char* kind() const noexcept override { return "WritePipeTransport"; }
  void start_reading() override;
  void on_readable() override;
  ssize_t read_some(char*, std::size_t) noexcept override { return 0; }
  void write_pieces(std::span<const std::string_view> pieces, std::size_t size) override;
  ssize_t write_some(std::span<const std::string_view> pieces) noexcept override;
  void fail(int error, bool reading) override;
  void shutdown_write() noexcept override {}
  void on_eof() override {}
  std::string describe_call(bool) const override { return "write to " + repr(); }
  const char* warning_of_lost_writes() const noexcept override {
    return "pipe closed by peer or os.write(pipe, data) raised exception.";
  }

  bool tells_of_its_reader_;  // a terminal never reports that its reader has closed
  unsigned lost_writes_ = 0;  // CPython's _conn_lost, which a pipe counts in its own way
};

}  // namespace asyncio::detail

// The errors of reading from a stream, besides those of the connection itself.
// Mirrors: Lib/asyncio/exceptions.py: IncompleteReadError, LimitOverrunError. Read next: stream_writer.h
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio {

/// The stream ended before all requested bytes had arrived.
class IncompleteReadError : public std::runtime_error {
 public:
  /// `expected`: the number of requested bytes; empty if the request was "until a separator".
  IncompleteReadError(std::string partial, std::optional<std::size_t> expected)
      : std::runtime_error(std::to_string(partial.size()) + " bytes read on a total of " +
                           (expected ? std::to_string(*expected) : "undefined") + " expected bytes"),
        partial_(std::move(partial)),
        expected_(expected) {}

  /// The bytes that did arrive. They are no longer in the reader.
  const std::string& partial() const noexcept { return partial_; }
  /// How many bytes were asked for; empty: all up to a separator.
  std::optional<std::size_t> expected() const noexcept { return expected_; }

 private:
  std::string partial_;
  std::optional<std::size_t> expected_;
};

/// No separator within the reader's limit. The bytes are still in the reader.
class LimitOverrunError : public std::runtime_error {
 public:
  /// `consumed` is how many bytes have been looked at in vain. They are still in the stream.
  LimitOverrunError(const std::string& message, std::size_t consumed)
      : std::runtime_error(message), consumed_(consumed) {}

  /// How many bytes to read to get past the chunk: up to the separator, or up to where one may begin.
  std::size_t consumed() const noexcept { return consumed_; }

 private:
  std::size_t consumed_;
};

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread; one object belongs to one thread at a time.
// Ticks: none.
// Errors: none: these are the errors.
// Units: expected() and consumed() count bytes.

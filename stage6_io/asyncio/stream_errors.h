// What reading from a stream can fail with, beside the errors of the connection itself.
// Mirrors: Lib/asyncio/exceptions.py: IncompleteReadError, LimitOverrunError. Read next: stream_reader.h
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio {

/// The stream ended before all that was asked for had come.
class IncompleteReadError : public std::runtime_error {
 public:
  /// `expected`: how many bytes were asked for; nothing if that was "until a separator".
  IncompleteReadError(std::string partial, std::optional<std::size_t> expected)
      : std::runtime_error(std::to_string(partial.size()) + " bytes read on a total of " +
                           (expected ? std::to_string(*expected) : "undefined") + " expected bytes"),
        partial_(std::move(partial)),
        expected_(expected) {}

  /// What had come; it is no longer in the reader.
  const std::string& partial() const noexcept { return partial_; }
  std::optional<std::size_t> expected() const noexcept { return expected_; }

 private:
  std::string partial_;
  std::optional<std::size_t> expected_;
};

/// The separator was not found within the reader's limit. What was read is still in the reader.
class LimitOverrunError : public std::runtime_error {
 public:
  LimitOverrunError(const std::string& message, std::size_t consumed)
      : std::runtime_error(message), consumed_(consumed) {}

  /// How many bytes to read to come past it: up to the separator, or to where one may begin.
  std::size_t consumed() const noexcept { return consumed_; }

 private:
  std::size_t consumed_;
};

}  // namespace asyncio

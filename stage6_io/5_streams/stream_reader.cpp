#include "asyncio/stream_reader.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace asyncio {

using detail::ByteBuffer;
using detail::MoreData;
using detail::ReaderState;

StreamReader::StreamReader(std::size_t limit) : state_(new ReaderState(limit), detail::adopt) {}

Coro<std::string> StreamReader::read(std::ptrdiff_t n) const { return read(*this, n); }
Coro<std::size_t> StreamReader::read_into(std::span<char> memory) const { return read_into(*this, memory); }
Coro<std::string> StreamReader::readexactly(std::ptrdiff_t n) const { return readexactly(*this, n); }
Coro<std::string> StreamReader::readline() const { return readline(*this); }
Coro<std::optional<std::string>> StreamReader::next_line() const { return next_line(*this); }
Coro<std::string> StreamReader::readuntil(std::string_view separator) const {
  return readuntil(std::vector<std::string>(1, std::string(separator)));
}
Coro<std::string> StreamReader::readuntil(std::vector<std::string> separators) const {
  return readuntil(*this, std::move(separators));
}

Coro<std::string> StreamReader::read(StreamReader self, std::ptrdiff_t n) {
  ReaderState& reader = *self.state_;
  reader.throw_if_failed();
  if (n == 0) co_return std::string();
  if (n < 0) {
    std::string all;
    for (;;) {
      const std::string block = co_await read(self, static_cast<std::ptrdiff_t>(reader.limit()));
      if (block.empty()) co_return all;
      all += block;
    }
  }
  while (reader.buffer().empty() && !reader.eof()) co_await MoreData(reader, "read");
  std::string data = reader.buffer().take(static_cast<std::size_t>(n));
  reader.maybe_resume();
  co_return data;
}

Coro<std::size_t> StreamReader::read_into(StreamReader self, std::span<char> memory) {
  ReaderState& reader = *self.state_;
  reader.throw_if_failed();
  if (memory.empty()) co_return 0;
  {
    ReaderState::Destination destination(reader, memory);
    while (reader.buffer().empty() && destination.received() == 0 && !reader.eof()) {
      co_await MoreData(reader, "read_into");
    }
    if (const std::size_t received = destination.take()) co_return received;
  }
  const std::string_view data = reader.buffer().view().substr(0, memory.size());
  const std::size_t size = data.copy(memory.data(), memory.size());
  reader.buffer().drop(size);
  reader.maybe_resume();
  co_return size;
}

Coro<std::string> StreamReader::readexactly(StreamReader self, std::ptrdiff_t n) {
  ReaderState& reader = *self.state_;
  if (n < 0) throw std::invalid_argument("readexactly size can not be less than zero");
  reader.throw_if_failed();
  const std::size_t size = static_cast<std::size_t>(n);
  while (reader.buffer().size() < size) {
    if (reader.eof()) throw IncompleteReadError(reader.buffer().take(size), size);
    co_await MoreData(reader, "readexactly");
  }
  std::string data = reader.buffer().take(size);
  reader.maybe_resume();
  co_return data;
}

Coro<std::string> StreamReader::readline(StreamReader self) {
  ByteBuffer& buffer = self.state_->buffer();
  try {
    std::string line = co_await self.readuntil("\n");
    co_return line;
  } catch (const IncompleteReadError& end) {
    co_return end.partial();
  } catch (const LimitOverrunError& too_long) {
    const bool found = buffer.view().substr(too_long.consumed()).starts_with('\n');
    buffer.drop(found ? too_long.consumed() + 1 : buffer.size());
    self.state_->maybe_resume();
    throw std::invalid_argument(too_long.what());
  }
}

Coro<std::optional<std::string>> StreamReader::next_line(StreamReader self) {
  std::string line = co_await readline(std::move(self));
  if (line.empty()) co_return std::nullopt;
  co_return std::optional<std::string>(std::move(line));
}

namespace {

/// The position of a separator.
struct Match {
  std::size_t begin;
  std::size_t end;
};

std::optional<Match> find_first_end(std::string_view data, const std::vector<std::string>& separators,
                                    std::size_t from) {
  std::optional<Match> first;
  for (const std::string& separator : separators) {
    const std::size_t begin = data.find(separator, from);
    if (begin == data.npos) continue;
    const std::size_t end = begin + separator.size();
    if (!first || end < first->end) first = Match{begin, end};
  }
  return first;
}

}  // namespace

Coro<std::string> StreamReader::readuntil(StreamReader self, std::vector<std::string> separators) {
  ReaderState& reader = *self.state_;
  ByteBuffer& buffer = reader.buffer();
  // Shortest first: of two that end at the same byte, the shorter counts.
  const auto shorter = [](const std::string& a, const std::string& b) { return a.size() < b.size(); };
  std::sort(separators.begin(), separators.end(), shorter);
  if (separators.empty()) throw std::invalid_argument("Separator should contain at least one element");
  if (separators.front().empty()) throw std::invalid_argument("Separator should be at least one-byte string");
  reader.throw_if_failed();

  const std::size_t longest = separators.back().size();
  std::size_t searched = 0;  // no separator begins before this
  std::optional<Match> match;
  for (;;) {
    if (buffer.size() >= searched + separators.front().size()) {
      match = find_first_end(buffer.view(), separators, searched);
      if (match) break;
      // The buffer may end with a separator that lacks its last byte.
      searched = buffer.size() + 1 > longest ? buffer.size() + 1 - longest : 0;
      if (searched > reader.limit()) {
        throw LimitOverrunError("Separator is not found, and chunk exceed the limit", searched);
      }
    }
    if (reader.eof()) throw IncompleteReadError(buffer.take(buffer.size()), std::nullopt);
    co_await MoreData(reader, "readuntil");
  }
  if (match->begin > reader.limit()) {
    throw LimitOverrunError("Separator is found, but chunk is longer than limit", match->begin);
  }
  std::string chunk = buffer.take(match->end);
  reader.maybe_resume();
  co_return chunk;
}

}  // namespace asyncio

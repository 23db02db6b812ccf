#include "asyncio/detail/repr.h"

#include <array>
#include <cstddef>
#include <utility>

namespace asyncio::detail {
namespace {

struct Letter {
  char32_t code;
  std::size_t size;  // in bytes; 0: the first byte begins no letter of UTF-8
};

// Shortest forms only, and no surrogates. [RFC 3629]
Letter first_letter(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {first, 0};
  char32_t code = first & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {first, 0};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {first, 0};
  return {code, size};
}

// Those of Python's that end a line or that nobody sees; it also escapes code points that nobody has assigned yet.
bool is_printable(char32_t code) {
  constexpr std::pair<char32_t, char32_t> kInvisible[] = {
      {0, 0x1f},        {0x7f, 0xa0},     {0xad, 0xad},     {0x600, 0x605},    {0x61c, 0x61c},   {0x1680, 0x1680},
      {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},  {0x3000, 0x3000}, {0xe000, 0xf8ff},
      {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe007f}};
  for (const auto& [first, last] : kInvisible) {
    if (code >= first && code <= last) return false;
  }
  return true;
}

void append_escape(std::string& text, char32_t code) {
  const auto [letter, digits] = code < 0x100     ? std::pair('x', 2)
                                : code < 0x10000 ? std::pair('u', 4)
                                                 : std::pair('U', 8);
  text += {'\\', letter};
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) text += "0123456789abcdef"[code >> shift & 0xf];
}

}  // namespace

std::string python_repr(std::string_view text) {
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  std::string repr(1, quote);
  while (!text.empty()) {
    const auto [code, size] = first_letter(text);
    if (size == 0) {
      append_escape(repr, 0xdc00 + code);
    } else if (code == '\n' || code == '\r' || code == '\t') {
      repr += {'\\', code == '\n' ? 'n' : code == '\r' ? 'r' : 't'};
    } else if (text.front() == '\\' || text.front() == quote) {
      repr += {'\\', text.front()};
    } else if (!is_printable(code)) {
      append_escape(repr, code);
    } else {
      repr += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return repr + quote;
}

std::string on_one_line(std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) {
    const auto [code, size] = first_letter(rest);
    if (size == 0 || !is_printable(code)) return python_repr(text);
    rest.remove_prefix(size);
  }
  return std::string(text);
}

}  // namespace asyncio::detail

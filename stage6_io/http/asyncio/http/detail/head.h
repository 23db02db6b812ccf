// What is wrong with the head of an answer. libcurl is tolerant: of two lengths it takes one, of "0x2" it takes 0.
// Mirrors: aiohttp's http_parser.py, HttpParser.parse_headers(). Read next: ../../../head.cpp
#pragma once

#include <asyncio/http/headers.h>

#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// "" if the fields say in exactly one way where the body ends, otherwise what is wrong: "two Content-Lengths that
/// differ". Whoever guessed could be made to take a part of one answer for another answer. [RFC 9112, 6.3]
std::string fault_of_framing(const Headers& fields);
/// The same for one line of fields, without its line end.
std::string fault_of_line(std::string_view line);
/// The same for the first line of a head.
std::string fault_of_status_line(std::string_view line);
/// "HTTP/1.1 200 OK"; but not the field "HTTP/x: y".
bool is_status_line(std::string_view line) noexcept;
/// Whether fault_of_framing() reads fields of this name.
bool is_about_framing(std::string_view name) noexcept;
/// Without the blanks and tabs around it.
std::string_view trimmed(std::string_view text) noexcept;

}  // namespace asyncio::http::detail

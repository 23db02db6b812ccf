// A user's text within ours: the name of a task, of a file, of a host. On one line, whatever it contains.
// Mirrors: Objects/unicodeobject.c: unicode_repr. Read next: ../../repr.cpp
#pragma once

#include <string>
#include <string_view>

namespace asyncio::detail {

/// As Python's repr() of a str: `'it'` → 'it', with its line breaks, quotes, controls and invisible characters escaped:
/// "it's", 'a\nb', '\u2028'. A byte that is not UTF-8 is '\udcff', as where Python decodes with surrogateescape.
std::string python_repr(std::string_view text);
/// For a row of a table: the text itself, or its python_repr() if that had to escape anything but quotes.
std::string on_one_line(std::string_view text);

}  // namespace asyncio::detail

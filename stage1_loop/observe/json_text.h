// A text in JSON, for the files that trace_to() and watch() write.
#pragma once

#include <string>
#include <string_view>

namespace asyncio::detail {

/// Appends `text` with its quotation marks. A byte that is no UTF-8 becomes U+FFFD, since a reader of JSON may refuse it;
/// '<' is escaped as well, lest a text end the <script> that it stands in.
void append_json(std::string& json, std::string_view text);

}  // namespace asyncio::detail

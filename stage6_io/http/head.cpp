#include "asyncio/http/detail/head.h"

#include <algorithm>
#include <vector>

namespace asyncio::http::detail {

std::string_view trimmed(std::string_view text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

namespace {

/// The elements of a list that may be spread over several fields: "a, b" is a and b.
std::vector<std::string> elements_of(const Headers& fields, std::string_view name) {
  std::vector<std::string> elements;
  for (const std::string& value : fields.getall(name)) {
    for (std::size_t at = 0, comma = 0; comma != value.npos; at = comma + 1) {
      comma = value.find(',', at);
      elements.emplace_back(trimmed(std::string_view(value).substr(at, comma - at)));
    }
  }
  return elements;
}

std::string fault_of_lengths(const std::vector<std::string>& lengths) {
  std::string first;
  for (const std::string& length : lengths) {
    if (length.empty() || length.find_first_not_of("0123456789") != length.npos) {
      return "a Content-Length that is not a number";
    }
    const std::string number = length.substr(std::min(length.find_first_not_of('0'), length.size() - 1));
    constexpr std::string_view kMost = "9223372036854775807";
    if (number.size() > kMost.size() || (number.size() == kMost.size() && number > kMost)) {
      return "a Content-Length that is too large";
    }
    if (first.empty()) first = number;
    if (number != first) return "two Content-Lengths that differ";
  }
  return "";
}

std::string fault_of_codings(const std::vector<std::string>& codings) {
  bool chunked = false;
  for (const std::string& coding : codings) {
    if (coding.empty()) continue;
    const bool is_chunked = same_name(coding, "chunked");
    if (chunked) return is_chunked ? "a Transfer-Encoding of chunked twice" : "a chunked that is not the last coding";
    chunked = is_chunked;
  }
  return "";
}

std::string fault_of_bytes(std::string_view line) {
  if (line.find('\r') != line.npos) return "a carriage return within a line";
  return line.find('\0') != line.npos ? "a NUL" : "";
}

}  // namespace

bool is_status_line(std::string_view line) noexcept {
  return line.size() > 5 && line.starts_with("HTTP/") && line[5] >= '0' && line[5] <= '9';
}

bool is_about_framing(std::string_view name) noexcept {
  return same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding");
}

std::string fault_of_framing(const Headers& fields) {
  if (fields.contains("Content-Length") && fields.contains("Transfer-Encoding")) {
    return "both Content-Length and Transfer-Encoding";
  }
  const std::string fault = fault_of_lengths(elements_of(fields, "Content-Length"));
  return fault.empty() ? fault_of_codings(elements_of(fields, "Transfer-Encoding")) : fault;
}

std::string fault_of_status_line(std::string_view line) {
  if (std::string fault = fault_of_bytes(line); !fault.empty()) return fault;
  if (!is_status_line(line)) return "";  // easy_setup() may allow "ICY 200 OK"
  const std::string_view code = trimmed(line.substr(std::min(line.find(' '), line.size())));
  const bool is_code =
      code.size() >= 3 && code[0] >= '1' && code.substr(0, 3).find_first_not_of("0123456789") == code.npos;
  return is_code && (code.size() == 3 || code[3] == ' ') ? "" : "a status that is not of three digits";
}

std::string fault_of_line(std::string_view line) {
  if (std::string fault = fault_of_bytes(line); !fault.empty()) return fault;
  if (line.starts_with(' ') || line.starts_with('\t')) return "";
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return "a line without a colon";
  const std::string_view name = line.substr(0, colon);
  if (name != trimmed(name) && is_about_framing(trimmed(name))) return "white space before the colon of a field";
  return "";
}

}  // namespace asyncio::http::detail

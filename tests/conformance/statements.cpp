#include "statements.h"

namespace asyncio::conformance {

std::string without_repr(std::string text) {
  const auto first = text.find('<'), last = text.rfind('>');
  if (first != text.npos && last != text.npos && last > first) text.replace(first, last - first + 1, "<>");
  return text;
}

std::string show_error(std::string_view name, std::string_view what) {
  return std::string(name) + "(" + without_repr(std::string(what)) + ")";
}

bool is_exception(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception&) {
    return true;
  } catch (...) {
    return false;
  }
}

bool swallows(Swallow swallow, const std::exception_ptr& error) {
  return swallow == Swallow::everything || (swallow == Swallow::exceptions && is_exception(error));
}

std::string with_result(const Statement& statement, const Result& result) {
  return result.text().empty() ? statement.word : statement.word + " " + result.text();
}

}  // namespace asyncio::conformance

#include "asyncio/exception_group.h"

#include <asyncio/error_context.h>

#include <stdexcept>

namespace asyncio {

ExceptionGroup::ExceptionGroup(std::string_view message, std::vector<std::exception_ptr> exceptions) {
  if (exceptions.empty()) throw std::invalid_argument("ExceptionGroup: there must be an exception in it");
  for (const std::exception_ptr& exception : exceptions) {
    if (!exception) throw std::invalid_argument("ExceptionGroup: an exception_ptr is null");
  }
  const std::size_t count = exceptions.size();
  std::string what = std::string(message) + " (" + std::to_string(count) + " sub-exception" + (count == 1 ? ")" : "s)");
  content_ = std::make_shared<const Content>(Content{std::string(message), std::move(what), std::move(exceptions)});
}

namespace {
void print(const ExceptionGroup& group, const std::string& indent, std::string& text) {
  text += group.what();
  for (const std::exception_ptr& exception : group.exceptions()) {
    text += "\n" + indent + "- ";
    try {
      std::rethrow_exception(exception);
    } catch (const ExceptionGroup& inner) {
      print(inner, indent + "  ", text);
    } catch (...) {
      text += describe(exception);
    }
  }
}
}  // namespace

std::string ExceptionGroup::to_string() const {
  std::string text;
  print(*this, "  ", text);
  return text;
}

}  // namespace asyncio

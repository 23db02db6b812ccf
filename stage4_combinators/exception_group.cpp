#include "asyncio/exception_group.h"

#include <asyncio/error_context.h>

#include <iterator>
#include <stdexcept>
#include <utility>

namespace asyncio {

ExceptionGroup::ExceptionGroup(std::string_view message, std::vector<std::exception_ptr> exceptions) {
  if (exceptions.empty()) throw std::invalid_argument("ExceptionGroup: there must be an exception in it");
  for (const std::exception_ptr& exception : exceptions) {
    if (!exception) throw std::invalid_argument("ExceptionGroup: an exception_ptr is null");
  }
  const std::size_t count = exceptions.size();
  std::string what = std::string(message) + " (" + std::to_string(count) + " sub-exception" + (count == 1 ? ")" : "s)");
  content_ = std::make_shared<Content>(message, std::move(what), std::move(exceptions));
}

ExceptionGroup::Content::~Content() {
  using Exceptions = std::vector<std::exception_ptr>;
  constexpr int kDeepest = 32;
  static constinit thread_local int depth = 0;
  static constinit thread_local Exceptions* later = nullptr;  // what deeper groups contained
  if (depth == kDeepest) {
    try {
      later->insert(later->end(), std::make_move_iterator(exceptions.begin()),
                    std::make_move_iterator(exceptions.end()));
      exceptions.clear();
    } catch (...) {  // no memory: destroys them recursively
    }
    return;
  }
  Exceptions deeper;
  const bool outermost = ++depth == 1;
  Exceptions* const before = std::exchange(later, outermost ? &deeper : later);
  exceptions.clear();
  while (outermost && !deeper.empty()) {
    const std::exception_ptr last = std::move(deeper.back());
    deeper.pop_back();
  }
  later = before;
  --depth;
}

namespace {
constexpr std::size_t kDeepest = 10;  // traceback.TracebackException's max_group_depth

void print(const ExceptionGroup& group, const std::string& indent, std::string& text) {
  if (indent.size() / 2 > kDeepest) {
    text += "... (max_group_depth is " + std::to_string(kDeepest) + ")";
    return;
  }
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

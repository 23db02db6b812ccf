#include "asyncio/error_context.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <typeinfo>

namespace asyncio {

std::string detail::demangle(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 ? text.get() : name;
}

void detail::report_without_memory(const char* what) noexcept {
  std::fprintf(stderr, "%s (and no memory to say more)\n", what);  // stderr has no buffer to be made
}

bool detail::current_exception_is_fatal() noexcept {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type && (*type == typeid(KeyboardInterrupt) || *type == typeid(SystemExit));
}

std::string describe(const std::exception_ptr& exception) {
  if (!exception) return "no exception";
  const auto type = [] {
    const std::type_info* info = abi::__cxa_current_exception_type();
    return info ? detail::demangle(info->name()) : std::string("unknown exception");
  };
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    return type() + ": " + error.what();
  } catch (...) {
    return type();
  }
}

std::string ErrorContext::detail(const std::string& key) const {
  const auto found = std::find_if(details.begin(), details.end(), [&](const auto& pair) { return pair.first == key; });
  return found == details.end() ? std::string() : found->second;
}

std::string ErrorContext::to_string() const {
  std::string text = message.empty() ? "Unhandled exception in event loop" : message;
  auto sorted = details;
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [key, value] : sorted) text += "\n" + key + ": " + value;
  if (exception) text += "\n" + describe(exception);
  return text;
}

}  // namespace asyncio

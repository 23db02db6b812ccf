// What by_hand cannot do and asyncio can: print a future. For the demos, so that both print the same lines.
#pragma once

#include <by_hand/future.h>

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <ostream>
#include <string>
#include <typeinfo>

namespace by_hand {

inline const char* state_of(const FutureState& future) {
  return !future.done() ? "pending" : future.cancelled() ? "cancelled" : "finished";
}

/// " result='text'", " exception=std::runtime_error: text", or nothing.
template <class T>
void print_end(std::ostream& out, const Future<T>& future) {
  if (!future.done() || future.cancelled()) return;
  try {
    if constexpr (std::is_void_v<T>) {
      future.result();
      out << " result=None";
    } else {
      const T& result = future.result();
      const char* quote = std::is_same_v<T, std::string> ? "'" : "";
      out << " result=" << quote << result << quote;
    }
  } catch (const std::exception& error) {
    const std::unique_ptr<char, void (*)(void*)> type(
        abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, nullptr), std::free);
    out << " exception=" << type.get() << ": " << error.what();
  }
}

}  // namespace by_hand

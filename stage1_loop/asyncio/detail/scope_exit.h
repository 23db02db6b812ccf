// Runs a function at the end of a scope, however that is left: what `finally` is in Python.
// Skip on a first reading. Read next: ../handle.h
#pragma once

#include <utility>

namespace asyncio::detail {

/// `const ScopeExit restore([&] { current = before; });`
template <class F>
class [[nodiscard("without a name it runs at once")]] ScopeExit {
 public:
  explicit ScopeExit(F function) noexcept : function_(std::move(function)) {}
  ~ScopeExit() { function_(); }
  ScopeExit(const ScopeExit&) = delete;
  ScopeExit& operator=(const ScopeExit&) = delete;

 private:
  F function_;
};

}  // namespace asyncio::detail

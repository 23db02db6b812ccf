// The exception of a call as text: EXPECT_EQ(thrown<std::runtime_error>([&] { loop.close(); }), "…").
#pragma once

#include <exception>
#include <string>

namespace asyncio::testing {

/// The what() of the E that `call` throws; a note if it throws nothing. Any other exception passes.
template <class E, class F>
std::string thrown(F&& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

/// The what() of a std::exception; "?" for any other, such as CancelledError.
inline std::string what_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "?";
  }
}

}  // namespace asyncio::testing

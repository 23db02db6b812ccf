// What a call throws, as text: EXPECT_EQ(thrown<std::runtime_error>([&] { loop.close(); }), "…").
#pragma once

#include <string>

namespace asyncio::testing {

/// The what() of the E that `call` throws; a remark if it throws nothing. Any other exception passes.
template <class E, class F>
std::string thrown(F&& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

}  // namespace asyncio::testing

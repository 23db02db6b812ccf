// What the profile in this folder finds: the test compares the name of the check behind each line.
#include <asyncio/asyncio.h>

#include <string>
#include <utility>

asyncio::Coro<std::size_t> length(const std::string& text) {  // cppcoreguidelines-avoid-reference-coroutine-parameters
  co_return text.size();
}

asyncio::Coro<> mistakes() {
  const std::string text = "kept";
  auto coro = length(text);
  co_await std::move(coro);
  co_await std::move(coro);  // bugprone-use-after-move
}

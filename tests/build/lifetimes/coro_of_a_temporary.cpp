// temporary whose address is used as value of local variable 'coro' will be destroyed at the end of the full-expression
#define ASYNCIO_CHECK_LIFETIMES
#include <asyncio/asyncio.h>

#include <string>

asyncio::Coro<> greet(const std::string& name);

asyncio::Coro<> a_coroutine() {
  auto coro = greet("world");
  co_await std::move(coro);
}

// temporary whose address is used as value of local variable 'task' will be destroyed at the end of the full-expression
#include <asyncio/asyncio.h>

#include <string>

asyncio::Coro<> greet(const std::string& name ASYNCIO_LIFETIMEBOUND);

asyncio::Coro<> a_coroutine() {
  auto task = asyncio::create_task(greet("world"));
  co_await task;
}

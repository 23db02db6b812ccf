// coroutines cannot be used with add_reader()
#include <asyncio/coro.h>
#include <asyncio/descriptors.h>

void use(asyncio::Loop& loop) {
  const auto work = []() -> asyncio::Coro<> { co_return; };
  asyncio::add_reader(loop, 0, work);
}

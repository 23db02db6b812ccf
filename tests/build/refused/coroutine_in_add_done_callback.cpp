// coroutines cannot be used with add_done_callback()
#include <asyncio/coro.h>
#include <asyncio/future.h>

void use(const asyncio::Future<>& future) {
  future.add_done_callback([](const auto&) -> asyncio::Coro<> { co_return; });
}

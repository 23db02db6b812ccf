// coroutines cannot be used with add_reader()
// g++ 12:   error: static assertion failed: coroutines cannot be used with add_reader() or add_writer(): call
//             create_task() in the callback
// clang 16: error: static assertion failed due to requirement '!returns_coro<const (lambda at
//             coroutine_in_add_reader.cpp) &>': coroutines cannot be used with add_reader() or add_writer(): call
//             create_task() in the callback
// clang 16: warning: ignoring return value of function declared with 'nodiscard' attribute: a coroutine runs only if
//             it is awaited, or made a task [-Wunused-result]
#include <asyncio/coro.h>
#include <asyncio/descriptors.h>

void use(asyncio::Loop& loop) {
  const auto work = []() -> asyncio::Coro<> { co_return; };
  asyncio::add_reader(loop, 0, work);
}

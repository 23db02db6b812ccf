// the handler of clients takes (StreamReader, StreamWriter), by value, and returns Coro<> or nothing
// in 30 lines, 1 error
// g++ 12:   error: static assertion failed: the handler of clients takes (StreamReader, StreamWriter), by value, and
//             returns Coro<> or nothing
// clang 16: error: static assertion failed: the handler of clients takes (StreamReader, StreamWriter), by value, and
//             returns Coro<> or nothing
#include <asyncio/asyncio.h>

using namespace asyncio;

Coro<int> handle(StreamReader, StreamWriter);

Coro<> a_coroutine() { const Server server = co_await start_server(handle, "127.0.0.1", 0); }

// the handler of clients takes (StreamReader, StreamWriter), by value, and returns Coro<> or nothing
// in 30 lines, 1 error
#include <asyncio/asyncio.h>

using namespace asyncio;

Coro<int> handle(StreamReader, StreamWriter);

Coro<> a_coroutine() { const Server server = co_await start_server(handle, "127.0.0.1", 0); }

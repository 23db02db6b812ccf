// What a user of the library writes first.
#include <asyncio/asyncio.h>

#include <chrono>
#include <cstdio>

asyncio::Coro<> main_coro() {
  co_await asyncio::sleep(std::chrono::milliseconds(1));
  std::puts("Hello from a coroutine");
}

int main() { asyncio::run(main_coro()); }

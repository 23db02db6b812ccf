// Needs no network: the error is enough to see that libcurl is there.
#include <asyncio/http/client_session.h>
#include <asyncio/run.h>

#include <cstdio>

asyncio::Coro<> fetch() {
  const asyncio::http::ClientSession session;
  try {
    co_await session.get("nonsense");
  } catch (const asyncio::http::InvalidURL& error) {
    std::puts(error.what());
  }
}

int main() { asyncio::run(fetch()); }

// Mistake: return instead of co_return.
// g++ 12:   error: could not convert '42' from 'int' to 'asyncio::Coro<int>'
// g++ 12:   error: a 'return' statement is not allowed in coroutine; did you mean 'co_return'?
// clang 16: error: no viable conversion from returned value of type 'int' to function return type 'asyncio::Coro<int>'
// clang 16: error: return statement not allowed in coroutine; did you mean 'co_return'?
#include <asyncio/coro.h>

asyncio::Coro<> work();

asyncio::Coro<int> answer() {
  co_await work();
  return 42;
}

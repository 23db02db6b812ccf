// this function returns no Coro: write -> Coro<> behind its parameters, and co_return at its end
// in 30 lines, 1 error
#include <asyncio/asyncio.h>

void a_function() {
  asyncio::create_task([] {});
}

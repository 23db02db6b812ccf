// temporary whose address is used as value of local variable 'context' will be destroyed at the end of the full
#include <asyncio/asyncio.h>

const asyncio::ContextVar<int> number("number");

void a_function() {
  const asyncio::OptionalContext context = asyncio::copy_context();
  asyncio::Loop::running().call_soon([] {}, context);
}

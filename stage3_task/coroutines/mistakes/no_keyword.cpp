// Mistake: a function that returns a Coro, and has none of the three words in its body. It is no coroutine.
// g++ 12:   warning: no return statement in function returning non-void [-Wreturn-type]
// clang 16: warning: non-void function does not return a value [-Wreturn-type]
#include <asyncio/coro.h>

asyncio::Coro<> do_nothing() {}

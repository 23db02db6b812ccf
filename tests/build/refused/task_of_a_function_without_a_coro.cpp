// this function returns no Coro: write -> Coro<> behind its parameters, and co_return at its end
// in 30 lines, 1 error
// g++ 12:   error: static assertion failed: this function returns no Coro: write -> Coro<> behind its parameters,
//             and co_return at its end
// clang 16: error: static assertion failed due to requirement 'runs<(lambda at
//             task_of_a_function_without_a_coro.cpp)> || !std::invocable<(lambda at
//             task_of_a_function_without_a_coro.cpp) &>': this function returns no Coro: write -> Coro<> behind its
//             parameters, and co_return at its end
#include <asyncio/asyncio.h>

void a_function() {
  asyncio::create_task([] {});
}

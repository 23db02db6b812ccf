// The library that the demo runs on, as `lib`: asyncio or, compiled with -DBY_HAND, the small asyncio of by_hand/.
#pragma once

#ifdef BY_HAND

#include "../stage3_task/demo_lib.h"
#include "demo_streams.h"

namespace by_hand {
using AnyTask = Future<>;
struct IoLoop : Loop {
  IoLoop() : Loop(std::make_unique<PollCore>()) {}
};
template <class T>
T run_io(Coro<T> main) {
  return run(std::move(main), std::make_unique<PollCore>());
}
struct KeyboardInterrupt {};  // nobody throws it: Ctrl-C ends the program
}  // namespace by_hand

#else

#include <asyncio/asyncio.h>

namespace lib = asyncio;
namespace asyncio {
using IoLoop = Loop;  // it takes a core for descriptors when it sees the first one
template <class T>
T run_io(Coro<T> main) {
  return run(std::move(main));
}
}  // namespace asyncio

#endif

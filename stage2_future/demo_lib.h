// The library that the demo runs on, as `lib`: asyncio or, compiled with -DBY_HAND, the small asyncio of by_hand/.
#pragma once

#ifdef BY_HAND

#include "demo_print.h"

namespace by_hand {
template <class T>
std::ostream& operator<<(std::ostream& out, const Future<T>& future) {
  out << "<Future " << state_of(*future.state);
  print_end(out, future);
  return out << '>';
}
}  // namespace by_hand

namespace lib = by_hand;

#else
#include <asyncio/future.h>
namespace lib = asyncio;
#endif

// The library that the demo runs on, as `lib`: asyncio or, compiled with -DBY_HAND, the small asyncio of by_hand/.
#pragma once

#include "../stage3_task/demo_lib.h"

#ifdef BY_HAND
#include <by_hand/combinators.h>
namespace by_hand {
using AnyTask = Future<>;
}
#else
#include <asyncio/as_completed.h>
#include <asyncio/gather.h>
#include <asyncio/task_group.h>
#include <asyncio/wait.h>
#include <asyncio/wait_for.h>
#endif

// The library that the demo runs on, as `lib`: asyncio or, compiled with -DBY_HAND, the small asyncio of by_hand/.
#pragma once

#ifdef BY_HAND

#include <by_hand/sync.h>
namespace lib = by_hand;

#else

#include <asyncio/condition.h>
#include <asyncio/event.h>
#include <asyncio/lock.h>
#include <asyncio/priority_queue.h>
#include <asyncio/run.h>
#include <asyncio/semaphore.h>
#include <asyncio/wait.h>
namespace lib = asyncio;

#endif

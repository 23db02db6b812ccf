// All of asyncio in one header: `#include <asyncio/asyncio.h>`.
// Mirrors: Lib/asyncio/__init__.py. To read the project, begin with stage 1's loop.h.
#pragma once

#include <asyncio/as_completed.h>
#include <asyncio/barrier.h>
#include <asyncio/condition.h>
#include <asyncio/descriptors.h>
#include <asyncio/event.h>
#include <asyncio/gather.h>
#include <asyncio/getaddrinfo.h>
#include <asyncio/lock.h>
#include <asyncio/poll_core.h>
#include <asyncio/queue.h>
#include <asyncio/run.h>
#include <asyncio/semaphore.h>
#include <asyncio/shield.h>
#include <asyncio/sleep.h>
#include <asyncio/sleep_core.h>
#include <asyncio/socket.h>
#include <asyncio/streams.h>
#include <asyncio/task_group.h>
#include <asyncio/timeouts.h>
#include <asyncio/virtual_core.h>
#include <asyncio/wait.h>
#include <asyncio/wait_for.h>

// A scenario without memory: allocation k fails, for each k.
#pragma once

#include <asyncio/core.h>
#include <asyncio/coro.h>

#include <memory>

namespace asyncio::testing {

using Scenario = Coro<> (*)();
using MakeCore = std::unique_ptr<Core> (*)();  // null: the loop chooses

/// Runs the scenario as a task, again and again, and in each run allocation k fails: alone, with two more, with all
/// that follow until the main task has ended or 50 ms are over, or with all that follow until the loop is destroyed.
/// In each case: no exception leaves the loop. The main task ends by itself, whatever its outcome, once there is memory
/// again. Every task can be cancelled, close() works, and no block, no descriptor and no child is left behind.
///
/// With ASYNCIO_NO_MEMORY=all in the environment, for each k; otherwise, on a core that waits in real time, for some.
void sweep(Scenario scenario, MakeCore make_core);
void sweep_virtual(Scenario scenario);
/// On the core that the loop chooses; on EpollCore with ASYNCIO_TEST_CORE=epoll in the environment.
void sweep_io(Scenario scenario);

/// The same for what is no coroutine, such as what makes its own loops. It may throw std::bad_alloc, and calls
/// NoMemory::restore() where it has done what may fail. No block, no descriptor and no child is left behind.
void sweep_program(void (*program)());

}  // namespace asyncio::testing

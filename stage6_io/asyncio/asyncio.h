// All of asyncio in one header: `#include <asyncio/asyncio.h>`.
// Mirrors: Lib/asyncio/__init__.py. The last header of all; to read the project, start with loop.h of stage 1.
// Read next: ../http/asyncio/http/client_session.h
#pragma once

// For ASYNCIO_CHECK_LIFETIMES, which needs this header: our functions may return a Coro without being coroutines.
#if defined(ASYNCIO_CHECK_LIFETIMES) && defined(__clang__)
#if __has_cpp_attribute(clang::coro_wrapper)
#pragma clang attribute push([[clang::coro_wrapper]], apply_to = function)
#pragma clang attribute push([[clang::coro_disable_lifetimebound]], apply_to = function)
#define ASYNCIO_POP_ATTRIBUTES
#endif
#endif

#include <asyncio/address.h>
#include <asyncio/as_completed.h>
#include <asyncio/async_generator.h>
#include <asyncio/barrier.h>
#include <asyncio/call_graph.h>
#include <asyncio/concurrent_future.h>
#include <asyncio/condition.h>
#include <asyncio/connections.h>
#include <asyncio/context.h>
#include <asyncio/core.h>
#include <asyncio/coro.h>
#include <asyncio/create_server.h>
#include <asyncio/datagrams.h>
#include <asyncio/descriptors.h>
#include <asyncio/epoll_core.h>
#include <asyncio/error_context.h>
#include <asyncio/event.h>
#include <asyncio/exception_group.h>
#include <asyncio/exceptions.h>
#include <asyncio/executor.h>
#include <asyncio/file_descriptor.h>
#include <asyncio/flow_control.h>
#include <asyncio/future.h>
#include <asyncio/gather.h>
#include <asyncio/getaddrinfo.h>
#include <asyncio/guard.h>
#include <asyncio/guest.h>
#include <asyncio/handle.h>
#include <asyncio/lifo_queue.h>
#include <asyncio/lock.h>
#include <asyncio/loop.h>
#include <asyncio/outcome.h>
#include <asyncio/pipes.h>
#include <asyncio/poll_core.h>
#include <asyncio/priority_queue.h>
#include <asyncio/process_options.h>
#include <asyncio/processes.h>
#include <asyncio/protocols.h>
#include <asyncio/queue.h>
#include <asyncio/ready_queue.h>
#include <asyncio/run.h>
#include <asyncio/selector_core.h>
#include <asyncio/semaphore.h>
#include <asyncio/sendfile.h>
#include <asyncio/server.h>
#include <asyncio/shield.h>
#include <asyncio/signals.h>
#include <asyncio/sleep.h>
#include <asyncio/sleep_core.h>
#include <asyncio/socket.h>
#include <asyncio/stream_errors.h>
#include <asyncio/stream_protocol.h>
#include <asyncio/stream_reader.h>
#include <asyncio/stream_writer.h>
#include <asyncio/streams.h>
#include <asyncio/subprocess_transport.h>
#include <asyncio/task.h>
#include <asyncio/task_factory.h>
#include <asyncio/task_group.h>
#include <asyncio/thread_pool.h>
#include <asyncio/threads.h>
#include <asyncio/threadsafe_handle.h>
#include <asyncio/time.h>
#include <asyncio/time_limit.h>
#include <asyncio/timeouts.h>
#include <asyncio/timers.h>
#include <asyncio/transport_sendfile.h>
#include <asyncio/transports.h>
#include <asyncio/version.h>
#include <asyncio/virtual_core.h>
#include <asyncio/wait.h>
#include <asyncio/wait_for.h>
#include <asyncio/waitable.h>
#include <asyncio/watchdog.h>
#include <asyncio/wrap_future.h>

#if defined(ASYNCIO_POP_ATTRIBUTES)
#undef ASYNCIO_POP_ATTRIBUTES
#pragma clang attribute pop
#pragma clang attribute pop
#endif

// For the whole header, unless a name says otherwise:
// Threads: as each of the headers says.
// Ticks: as each of the headers says.
// Errors: as each of the headers says.
// Units: as each of the headers says.

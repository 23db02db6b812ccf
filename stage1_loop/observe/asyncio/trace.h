// A timeline of a program's loops, for https://ui.perfetto.dev or chrome://tracing: one lane for each task.
// It belongs to asyncio::observe, a library of its own. Skip on a first reading.
// Mirrors: nothing in asyncio. Read next: watch.h
#pragma once

#include <cstddef>
#include <string>

namespace asyncio {

/// What trace_to() records, and how much of it.
struct TraceOptions {
  /// The trace ends there, and says so. A viewer needs several times as much memory.
  std::size_t most_bytes = 256'000'000;
};

/// Writes what all loops do that are made from now on, and the one that runs in this thread, from its next tick on, until
/// stop_tracing() or the end of the program. It is Chrome's trace format, an array of JSON:
///
/// - A slice for each step of a task, in the task's lane; when it ends, its arguments tell what the task waits for, and
///   from which lines. In the lane "loop" a slice for each tick, and inside of it for the wait and for each callback.
/// - An arrow from what scheduled a step or a callback to that: who woke whom.
/// - Counters after each tick: callbacks ready, timers, tasks, and by how many milliseconds the last timer was late.
///
/// The times are those of the loop's core: virtual in virtual time. Each event is a nanosecond after the one before, at
/// least, so that their order is visible.
///
/// Each line is in the file as soon as it is written: after a crash, the trace has all that led to it. (Only the closing
/// bracket is missing then, which the viewers do not need.) It keeps in memory only what lives: tasks, and callbacks
/// that wait. A trace under way ends. Throws std::system_error if the file cannot be written; should the disk be full
/// later, the loop's exception handler is told, and the trace ends with the last line that is whole.
///
/// A program that links asyncio::observe needs not call this: ASYNCIO_TRACE=run.json in its environment does the same.
///
/// Thread safety: from any thread, but not from two at once.
void trace_to(const std::string& path, const TraceOptions& options = {});

/// Ends the trace.
void stop_tracing();

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread, but not two at once.
// Ticks: a loop that runs already is traced from its next tick on.
// Errors: std::system_error if the file cannot be opened. std::invalid_argument for a path with a NUL. A later failure
//   to write, as on a full disk, is not reported.
// Units: most_bytes is in bytes. The file has microseconds, with nanoseconds behind the point.

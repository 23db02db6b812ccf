// A page that plays what the loops of a program did: one HTML file, which needs no network.
// It belongs to asyncio::observe, a library of its own. Skip on a first reading.
// Mirrors: nothing in asyncio. Read next: recorder.h
#pragma once

#include <cstddef>
#include <string>

namespace asyncio {

/// What watch() records, and how much of it.
struct WatchOptions {
  /// What the page is called; by default, as the program.
  std::string title = {};
  /// The log ends after so many events, or 64 MB, and the page says so. A browser needs some 120 bytes for each.
  std::size_t most_events = 200'000;
  /// Also shows what is printed, on std::cout or stdout. It goes through a file and reaches the real output a little
  /// later, so this is for demonstrations.
  bool output = false;
};

/// Writes a page of all loops that are made from now on, and of the one that runs in this thread from its next tick on.
/// It ends with stop_watching(), the next watch(), or the program. The file is complete up to the last
/// callback that began, even if the program crashes in it. The program needs memory for the texts only, whatever the
/// length of the run. Throws std::system_error if the file cannot be written. Should the disk be full later, the loop's
/// exception handler is told, and the page ends there.
///
/// A program that links asyncio::observe needs not call this: ASYNCIO_WATCH=out.html in its environment does the same,
/// and ASYNCIO_WATCH_OUTPUT=1 sets `output`.
///
/// Thread safety: from any thread, but not from two at once.
void watch(const std::string& path, const WatchOptions& options = {});

/// Ends the page. Throws std::system_error if the file cannot take its end.
void stop_watching();

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread, but not two at once.
// Ticks: a loop that runs already is recorded from its next tick on.
// Errors: std::system_error if the file cannot be opened, or if standard output cannot be redirected.
//   std::invalid_argument for a path with a NUL. A later failure to write is not reported.
// Units: most_events counts events.

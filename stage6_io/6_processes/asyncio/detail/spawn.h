// spawn(): starts a program with posix_spawn and handles everything that can go wrong. Read next: ../../spawn.cpp
#pragma once

#include <asyncio/file_descriptor.h>
#include <asyncio/process_options.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace asyncio::detail {

/// The parent's ends of the requested pipes: [0] to write to, [1] and [2] to read from.
struct ParentEnds {
  FileDescriptor ends[3];
};

/// Starts argv[0], and searches PATH if it contains no '/'. Of the parent's descriptors, the child gets its three
/// streams and options.pass_fds; no signal is blocked, and SIGPIPE has its default action. Throws std::system_error
/// that names the program (or the missing folder or descriptor), std::invalid_argument for a '\0' in any string, and
/// for a name in the environment that is empty or contains '='. Leaks no descriptor.
pid_t spawn(const std::vector<std::string>& argv, const ProcessOptions& options, ParentEnds& ends);

}  // namespace asyncio::detail

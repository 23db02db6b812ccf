// Starting a program: posix_spawn with everything that can go wrong. Read next: ../../spawn.cpp
#pragma once

#include <asyncio/file_descriptor.h>
#include <asyncio/process_options.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace asyncio::detail {

/// Our ends of the pipes that were asked for: [0] to write to, [1] and [2] to read from.
struct ParentEnds {
  FileDescriptor ends[3];
};

/// Starts argv[0], looked for in PATH if there is no '/' in it. The child has nothing open of ours but its three
/// streams and options.pass_fds, no signal blocked, and SIGPIPE as the system has it. Throws std::system_error that names
/// the program (or the folder, or the descriptor, if that is what is missing), std::invalid_argument for a '\0' in an
/// argument; no descriptor leaks.
pid_t spawn(const std::vector<std::string>& argv, const ProcessOptions& options, ParentEnds& ends);

}  // namespace asyncio::detail

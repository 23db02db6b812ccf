// How trace_to() and watch() reach the loops of a program.
#pragma once

#include <asyncio/observer.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace asyncio::detail {

/// observe_new_loops(make), and an observer for the loop that runs here, if one does. Both or, if it throws, neither. The
/// result is for stop_observing_new_loops().
std::uint64_t observe_this_and_new_loops(std::function<std::shared_ptr<Observer>(Loop&)> make);

}  // namespace asyncio::detail

// Runs a benchmark's coroutine in virtual time: what is measured is the library, and not the clock.
#pragma once

#include <asyncio/run.h>
#include <asyncio/virtual_core.h>

#include <memory>

namespace measure {

template <class Body>
void in_virtual_time(Body body) {
  asyncio::run(body, std::make_unique<asyncio::VirtualCore>());
}

}  // namespace measure

// Which version this is. CHANGELOG.md says what a version means.
// Mirrors: nothing in CPython, where asyncio has the version of Python. Read next: loop_service.h
#pragma once

#include <string_view>

/// Of the headers, for `#if ASYNCIO_VERSION >= 10000`: 10000 is 1.0.0, and 10203 is 1.2.3.
#define ASYNCIO_VERSION_MAJOR 1
/// Of the headers.
#define ASYNCIO_VERSION_MINOR 0
/// Of the headers.
#define ASYNCIO_VERSION_PATCH 0
/// Of the headers: 10000 is 1.0.0, and 10203 is 1.2.3.
#define ASYNCIO_VERSION (ASYNCIO_VERSION_MAJOR * 10000 + ASYNCIO_VERSION_MINOR * 100 + ASYNCIO_VERSION_PATCH)

namespace asyncio {

/// "1.0.0": of the library that is linked. It must be that of the headers: their inline functions know its objects.
std::string_view version() noexcept;

}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: any thread.
// Ticks: none.
// Errors: none.
// Units: ASYNCIO_VERSION is major * 10000 + minor * 100 + patch.

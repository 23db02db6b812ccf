#include "asyncio/version.h"

namespace asyncio {

#define ASYNCIO_TEXT_OF(number) #number
#define ASYNCIO_VERSION_TEXT(major, minor, patch) \
  ASYNCIO_TEXT_OF(major) "." ASYNCIO_TEXT_OF(minor) "." ASYNCIO_TEXT_OF(patch)

std::string_view version() noexcept {
  return ASYNCIO_VERSION_TEXT(ASYNCIO_VERSION_MAJOR, ASYNCIO_VERSION_MINOR, ASYNCIO_VERSION_PATCH);
}

}  // namespace asyncio

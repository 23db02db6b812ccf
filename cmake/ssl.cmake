# asyncio::ssl (stage6_io/ssl), if OpenSSL 3 is there.
set(ssl ${ASYNCIO_BUILD_SSL})
if(ssl STREQUAL "AUTO" AND (NOT PROJECT_IS_TOP_LEVEL OR ASYNCIO_STAGE6_DIR))
  set(ssl OFF)  # another project asks for it, and a stage 6 that is not ours may lack what it stands on
endif()

if(ssl)
  find_package(OpenSSL 3 QUIET COMPONENTS SSL)
  if(OPENSSL_FOUND)
    add_subdirectory(stage6_io/ssl)
  elseif(ssl STREQUAL "AUTO")
    message(STATUS "OpenSSL 3 (Debian: libssl-dev) is not installed: no asyncio::ssl.")
  else()
    message(FATAL_ERROR "ASYNCIO_BUILD_SSL=ON needs OpenSSL 3 (Debian: libssl-dev).")
  endif()
endif()

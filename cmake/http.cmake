# asyncio::http (stage6_io/http), if libcurl is installed.
set(http ${ASYNCIO_BUILD_HTTP})
if(http STREQUAL "AUTO" AND (NOT PROJECT_IS_TOP_LEVEL OR ASYNCIO_STAGE6_DIR))
  set(http OFF)  # other projects ask for it explicitly; a reader's stage 6 may lack what it needs
endif()

if(http)
  find_package(CURL QUIET)
  if(CURL_FOUND)
    add_subdirectory(stage6_io/http)
  elseif(http STREQUAL "AUTO")
    message(STATUS "libcurl (Debian: libcurl4-openssl-dev) is not installed: no asyncio::http.")
  else()
    message(FATAL_ERROR "ASYNCIO_BUILD_HTTP=ON needs libcurl (Debian: libcurl4-openssl-dev).")
  endif()
endif()

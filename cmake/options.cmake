# The options of the configuration, and their checks.

set(ASYNCIO_UP_TO_STAGE 6 CACHE STRING "Build only the stages 1 to this one")
set_property(CACHE ASYNCIO_UP_TO_STAGE PROPERTY STRINGS 1 2 3 4 5 6)
if(NOT ASYNCIO_UP_TO_STAGE MATCHES "^[1-6]$")
  message(FATAL_ERROR "ASYNCIO_UP_TO_STAGE must be a number from 1 to 6, not '${ASYNCIO_UP_TO_STAGE}'.")
endif()

foreach(number RANGE 1 6)
  set(variable ASYNCIO_STAGE${number}_DIR)
  if("${${variable}}" MATCHES "^~")  # the shell does not expand the ~ in -DX=~/mine
    file(REAL_PATH "${${variable}}" folder EXPAND_TILDE)
    set(${variable} "${folder}" CACHE PATH "" FORCE)
  endif()
  set(${variable} "" CACHE PATH "A folder to build in place of our stage ${number}")
endforeach()

option(ASYNCIO_BUILD_DEMOS "Build stageN_demo" ${PROJECT_IS_TOP_LEVEL})
option(ASYNCIO_BUILD_TESTS "Build stageN_tests (needs GoogleTest)" ${PROJECT_IS_TOP_LEVEL})
option(ASYNCIO_BUILD_BENCHMARKS "Build stageN_bench (needs Google Benchmark)" ${PROJECT_IS_TOP_LEVEL})
set(examples ${PROJECT_IS_TOP_LEVEL})
if(ASYNCIO_UP_TO_STAGE LESS 6 OR
   NOT "${ASYNCIO_STAGE1_DIR}${ASYNCIO_STAGE2_DIR}${ASYNCIO_STAGE3_DIR}${ASYNCIO_STAGE4_DIR}${ASYNCIO_STAGE5_DIR}${ASYNCIO_STAGE6_DIR}" STREQUAL "")
  set(examples OFF)  # a reader's stage may lack what they need
endif()
option(ASYNCIO_BUILD_EXAMPLES "Build the programs of examples/ (needs all six stages)" ${examples})
set(ASYNCIO_BUILD_HTTP AUTO CACHE STRING
  "Build asyncio::http: ON, OFF, or AUTO: if libcurl is there, and this is no subproject")
set_property(CACHE ASYNCIO_BUILD_HTTP PROPERTY STRINGS AUTO ON OFF)
set(ASYNCIO_BUILD_SSL AUTO CACHE STRING
  "Build asyncio::ssl: ON, OFF, or AUTO: if OpenSSL 3 is there, and this is no subproject")
set_property(CACHE ASYNCIO_BUILD_SSL PROPERTY STRINGS AUTO ON OFF)
option(ASYNCIO_INSTALL "Install the headers, the libraries and the CMake package" ${PROJECT_IS_TOP_LEVEL})
option(ASYNCIO_WERROR "Turn the warnings in our own code into errors" OFF)
set(ASYNCIO_TESTS_WITH "" CACHE STRING "Build only the test files that match this regular expression, e.g. Thread")
set(ASYNCIO_SANITIZE "" CACHE STRING "Sanitizers for everything built here: 'address,undefined' or 'thread'")

if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12) OR
   (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16))
  message(FATAL_ERROR "The compiler must be g++ 12 or clang++ 16, or newer; "
    "${CMAKE_CXX_COMPILER} is ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}.")
endif()

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})  # build/release/stage3_demo
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, RelWithDebInfo or MinSizeRel" FORCE)
  endif()
endif()

if(NOT PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND NOT CMAKE_CXX_FLAGS MATCHES "-O")
  message(NOTICE "asyncio_stages: CMAKE_BUILD_TYPE is not set, so nothing is optimised. "
    "For a program that is to be used: -DCMAKE_BUILD_TYPE=Release, or RelWithDebInfo.")
endif()

if(ASYNCIO_SANITIZE)
  set(sanitize -fsanitize=${ASYNCIO_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)

  include(CheckCXXSourceCompiles)
  list(JOIN sanitize " " CMAKE_REQUIRED_FLAGS)
  check_cxx_source_compiles("int main() {}" ASYNCIO_SANITIZER_LINKS)
  unset(CMAKE_REQUIRED_FLAGS)
  if(NOT ASYNCIO_SANITIZER_LINKS)
    unset(ASYNCIO_SANITIZER_LINKS CACHE)
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} cannot build with -fsanitize=${ASYNCIO_SANITIZE}: "
      "its runtime is missing (Debian: libclang-rt-16-dev for clang++-16), or the name is wrong.")
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND ASYNCIO_SANITIZE MATCHES "address")
    message(WARNING "Under AddressSanitizer g++ does not turn symmetric transfer into tail calls: "
      "long chains of awaits overflow the stack. Prefer clang++ (preset asan).")
  endif()

  add_compile_options(${sanitize})
  add_link_options(${sanitize})
endif()

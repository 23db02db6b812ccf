# asyncio_stage(NUMBER n NAME name [DEPENDS lower stages...]) builds one stage out of its folder:
#
#   asyncio_<name>  (asyncio::<name>, stageN)   static library of *.cpp, with the public headers asyncio/**.h
#   stageN_demo                                 demo*.cpp
#   stageN_bench                                bench*.cpp, with Google Benchmark (asyncio_compare has them all)
#
# A stage is a layer. Its include root is its own folder, the roots of the lower stages come with DEPENDS, the
# repository's root is on no include path, and DEPENDS on the same or a higher stage ends the configuration.
# With ASYNCIO_STAGEn_DIR the folder is the reader's own; a demo or benchmark that it lacks is taken from ours.
include_guard(GLOBAL)

set(ASYNCIO_STAGE_NAMES loop future task combinators sync io)  # stage 1 first

function(asyncio_stage)
  cmake_parse_arguments(PARSE_ARGV 0 stage "" "NUMBER;NAME" "DEPENDS")
  asyncio_check_layering("${stage_NUMBER}" "${stage_NAME}" "${stage_DEPENDS}")

  set(number ${stage_NUMBER})
  set(library asyncio_${stage_NAME})
  asyncio_stage_folders(${number} folder our_folder)
  list(TRANSFORM stage_DEPENDS PREPEND asyncio::)

  # The library.
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/(demo|bench)[^/]*$")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${folder}/asyncio/*.h)
  if(NOT headers)
    message(FATAL_ERROR "Stage ${number} has no headers: ${folder}/asyncio/*.h")
  endif()
  if(NOT sources)  # a stage of templates only is a library all the same
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/headers_only.cpp)
    file(CONFIGURE OUTPUT ${sources} CONTENT "// Stage ${number} consists of headers.\n")
  endif()

  add_library(${library} STATIC ${sources})
  add_library(asyncio::${stage_NAME} ALIAS ${library})
  target_sources(${library} PUBLIC FILE_SET HEADERS BASE_DIRS ${folder} FILES ${headers})
  target_link_libraries(${library} PUBLIC ${stage_DEPENDS})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${stage_NAME})
  asyncio_our_code(${library})
  set_property(GLOBAL APPEND PROPERTY ASYNCIO_LIBRARIES ${library})
  if(PROJECT_IS_TOP_LEVEL)
    add_custom_target(stage${number})
    add_dependencies(stage${number} ${library})
  endif()

  # The demo and the benchmark.
  if(ASYNCIO_BUILD_DEMOS)
    asyncio_stage_program(stage${number}_demo ${library} demo "${folder};${our_folder}")
  endif()
  if(ASYNCIO_BUILD_BENCHMARKS AND TARGET benchmark::benchmark)
    asyncio_stage_benchmarks(${number} ${library} "${folder};${our_folder}")
  endif()
endfunction()

# Ends the configuration if the stage is not one of ours, or if it depends on anything but lower stages.
function(asyncio_check_layering number name depends)
  list(FIND ASYNCIO_STAGE_NAMES "${name}" index)
  math(EXPR own_number "${index} + 1")
  if(index EQUAL -1 OR NOT own_number EQUAL number)
    message(FATAL_ERROR "asyncio_stage: there is no stage ${number} called '${name}'.")
  endif()
  foreach(lower IN LISTS depends)
    list(FIND ASYNCIO_STAGE_NAMES "${lower}" index)
    math(EXPR lower_number "${index} + 1")
    if(index EQUAL -1)
      message(FATAL_ERROR "asyncio_stage: '${lower}', which '${name}' depends on, is not a stage.")
    elseif(NOT lower_number LESS number)
      message(FATAL_ERROR "asyncio_stage: stage ${number} (${name}) cannot depend on "
        "stage ${lower_number} (${lower}), only on lower stages.")
    endif()
  endforeach()
endfunction()

function(asyncio_stage_name number name)
  math(EXPR index "${number} - 1")
  list(GET ASYNCIO_STAGE_NAMES ${index} found)
  set(${name} ${found} PARENT_SCOPE)
endfunction()

# The folder a stage is built from, and the one in this repository; they differ with ASYNCIO_STAGEn_DIR.
function(asyncio_stage_folders number folder our_folder)
  asyncio_stage_name(${number} name)
  set(ours ${asyncio_stages_SOURCE_DIR}/stage${number}_${name})
  set(${our_folder} ${ours} PARENT_SCOPE)
  set(${folder} ${ours} PARENT_SCOPE)
  if(ASYNCIO_STAGE${number}_DIR)
    set(${folder} ${ASYNCIO_STAGE${number}_DIR} PARENT_SCOPE)
  endif()
endfunction()

# Adds a stage's folder; one in its place that has no CMakeLists.txt is built by the call in ours.
function(asyncio_add_stage_folder number)
  asyncio_stage_folders(${number} folder our_folder)
  if(NOT IS_DIRECTORY "${folder}")
    message(FATAL_ERROR "ASYNCIO_STAGE${number}_DIR: there is no folder ${folder}")
  endif()
  cmake_path(GET our_folder FILENAME binary_folder)
  if(EXISTS ${folder}/CMakeLists.txt)
    add_subdirectory(${folder} ${binary_folder})
  else()
    add_subdirectory(${our_folder} ${binary_folder})
  endif()
endfunction()

# The <prefix>*.cpp in the first of the folders that has any.
function(asyncio_stage_sources prefix folders sources)
  foreach(folder IN LISTS folders)
    file(GLOB found CONFIGURE_DEPENDS ${folder}/${prefix}*.cpp)
    if(found)
      break()
    endif()
  endforeach()
  set(${sources} ${found} PARENT_SCOPE)
endfunction()

# An executable of them; none, and there is no executable.
function(asyncio_stage_program target library prefix folders)
  asyncio_stage_sources(${prefix} "${folders}" sources)
  if(sources)
    add_executable(${target} ${sources})
    target_link_libraries(${target} PRIVATE ${library})
    asyncio_our_code(${target})
  endif()
endfunction()

# Compiled once, linked twice: into stageN_bench, and with all the other stages' into asyncio_compare.
function(asyncio_stage_benchmarks number library folders)
  asyncio_stage_sources(bench "${folders}" sources)
  if(sources)
    set(target stage${number}_bench)
    add_library(${target}_objects OBJECT ${sources})
    target_link_libraries(${target}_objects PUBLIC ${library} asyncio_measure)
    asyncio_our_code(${target}_objects)
    set_property(GLOBAL APPEND PROPERTY ASYNCIO_BENCHMARKS ${target}_objects)

    add_executable(${target})
    target_link_libraries(${target} PRIVATE ${target}_objects benchmark::benchmark_main)
  endif()
endfunction()

# How our own code is compiled, which is nobody else's business.
function(asyncio_our_code target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic $<$<BOOL:${ASYNCIO_WERROR}>:-Werror>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)  # g++ 12 cries wolf at "text" + std::string (GCC bug 105329)
  endif()
endfunction()

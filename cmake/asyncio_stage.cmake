# asyncio_stage(NUMBER n NAME name [DEPENDS lower stages...] [RARE files...]) builds one stage out of its folder:
#
#   asyncio_<name>  (asyncio::<name>, stageN)   static library of *.cpp, with the public headers asyncio/**.h
#   stageN_demo                                 demo*.cpp
#   stageN_demo_watched                         the same, with asyncio::observe: for ./stages watch
#   stageN_bench                                bench*.cpp, with Google Benchmark (asyncio_compare has them all)
#   stageN_by_hand                              the small asyncio of stages 1 to N: by_hand/*.h, nothing to compile
#   stageN_demo_by_hand                         the same demo*.cpp on that, with -DBY_HAND
#
# asyncio_room(STAGE n NUMBER m NAME name [DEPENDS lower rooms and stages...]), before asyncio_stage(), builds a part of
# a stage out of the folder m_<name>, which has the shape of a stage: an object library asyncio_<stage>_<name>, whose
# objects and headers become part of the stage's one library. Its headers are installed beside those of the stage.
#
# RARE names the files of which no operation depends on the speed: they are optimised for size, because every program has
# them. (It makes hello, world a quarter smaller.)
#
# A stage is a layer, and so is a room. Its include root is its own folder, the roots of the lower layers come with
# DEPENDS, the repository's root is on no include path, and DEPENDS on the same or a higher layer ends the configuration.
# With ASYNCIO_STAGEn_DIR the folder is the reader's own; a missing demo or benchmark is taken from ours.
include_guard(GLOBAL)

set(ASYNCIO_STAGE_NAMES loop future task combinators sync io)  # stage 1 first
set(ASYNCIO_STAGE6_ROOMS core threads sockets transports streams processes)  # room 1 first

function(asyncio_stage)
  cmake_parse_arguments(PARSE_ARGV 0 stage "" "NUMBER;NAME" "DEPENDS;RARE")
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
  get_property(rooms GLOBAL PROPERTY ASYNCIO_ROOMS_BUILT_${number})
  foreach(room IN LISTS rooms)
    list(APPEND sources $<TARGET_OBJECTS:${room}>)
  endforeach()
  if(NOT sources)  # a stage that has only templates is still a library
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/headers_only.cpp)
    file(CONFIGURE OUTPUT ${sources} CONTENT "// Stage ${number} consists of headers.\n")
  endif()

  foreach(file IN LISTS stage_RARE)
    set_source_files_properties(${folder}/${file} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release,RelWithDebInfo>:-Os>")
  endforeach()
  add_library(${library} STATIC ${sources})
  add_library(asyncio::${stage_NAME} ALIAS ${library})
  target_sources(${library} PUBLIC FILE_SET HEADERS BASE_DIRS ${folder} FILES ${headers})
  if(rooms)
    get_property(room_folders GLOBAL PROPERTY ASYNCIO_ROOM_FOLDERS_${number})
    get_property(room_headers GLOBAL PROPERTY ASYNCIO_ROOM_HEADERS_${number})
    target_sources(${library} PUBLIC FILE_SET rooms TYPE HEADERS BASE_DIRS ${room_folders} FILES ${room_headers})
    set_target_properties(${library} PROPERTIES INTERFACE_HEADER_SETS_TO_VERIFY HEADERS)  # each room verifies its own
  endif()
  target_link_libraries(${library} PUBLIC ${stage_DEPENDS})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${stage_NAME})
  asyncio_our_code(${library})
  set_property(GLOBAL APPEND PROPERTY ASYNCIO_LIBRARIES ${library})
  if(PROJECT_IS_TOP_LEVEL)
    add_custom_target(stage${number})
    add_dependencies(stage${number} ${library})
  endif()

  # The demo and the benchmark.
  asyncio_stage_by_hand(${number} ${our_folder} "${stage_DEPENDS}")
  if(ASYNCIO_BUILD_DEMOS)
    asyncio_stage_demo(${number} ${library} "${folder};${our_folder}")
    asyncio_stage_demo_by_hand(${number} ${our_folder})
  endif()
  if(ASYNCIO_BUILD_BENCHMARKS AND TARGET benchmark::benchmark)
    asyncio_stage_benchmarks(${number} ${library} "${folder};${our_folder}")
  endif()
endfunction()

function(asyncio_room)
  cmake_parse_arguments(PARSE_ARGV 0 room "" "STAGE;NUMBER;NAME" "DEPENDS")
  asyncio_check_room("${room_STAGE}" "${room_NUMBER}" "${room_NAME}" "${room_DEPENDS}")

  asyncio_stage_name(${room_STAGE} stage_name)
  asyncio_stage_folders(${room_STAGE} folder our_folder)
  set(folder ${folder}/${room_NUMBER}_${room_NAME})
  set(library asyncio_${stage_name}_${room_NAME})
  if(NOT IS_DIRECTORY ${folder})
    message(FATAL_ERROR "Room ${room_STAGE}.${room_NUMBER} (${room_NAME}) has no folder: ${folder}")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${folder}/asyncio/*.h)

  add_library(${library} OBJECT ${sources})
  target_sources(${library} PUBLIC FILE_SET HEADERS BASE_DIRS ${folder} FILES ${headers})
  foreach(lower IN LISTS room_DEPENDS)
    if(lower IN_LIST ASYNCIO_STAGE_NAMES)
      target_link_libraries(${library} PUBLIC asyncio::${lower})
    else()
      target_link_libraries(${library} PUBLIC asyncio_${stage_name}_${lower})
    endif()
  endforeach()
  asyncio_our_code(${library})
  set_property(GLOBAL APPEND PROPERTY ASYNCIO_ROOMS_BUILT_${room_STAGE} ${library})
  set_property(GLOBAL APPEND PROPERTY ASYNCIO_ROOM_FOLDERS_${room_STAGE} ${folder})
  set_property(GLOBAL APPEND PROPERTY ASYNCIO_ROOM_HEADERS_${room_STAGE} ${headers})
endfunction()

# Ends the configuration if the room is not one of ours, or if it depends on anything but lower rooms and lower stages.
function(asyncio_check_room stage number name depends)
  set(rooms ${ASYNCIO_STAGE${stage}_ROOMS})
  list(FIND rooms "${name}" index)
  math(EXPR own_number "${index} + 1")
  if(index EQUAL -1 OR NOT own_number EQUAL number)
    message(FATAL_ERROR "asyncio_room: stage ${stage} has no room ${number} called '${name}'.")
  endif()
  foreach(lower IN LISTS depends)
    list(FIND rooms "${lower}" room_index)
    list(FIND ASYNCIO_STAGE_NAMES "${lower}" stage_index)
    math(EXPR lower_room "${room_index} + 1")
    math(EXPR lower_stage "${stage_index} + 1")
    if(lower_room EQUAL 0 AND lower_stage EQUAL 0)
      message(FATAL_ERROR "asyncio_room: '${lower}', which '${name}' depends on, is neither a room nor a stage.")
    elseif(lower_room EQUAL 0 AND NOT lower_stage LESS stage)
      message(FATAL_ERROR "asyncio_room: room ${stage}.${number} (${name}) cannot depend on "
        "stage ${lower_stage} (${lower}), only on lower stages.")
    elseif(NOT lower_room LESS number)
      message(FATAL_ERROR "asyncio_room: room ${stage}.${number} (${name}) cannot depend on "
        "room ${stage}.${lower_room} (${lower}), only on lower rooms.")
    endif()
  endforeach()
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

# Adds a stage's folder. A reader's folder without a CMakeLists.txt is built by the calls in ours.
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

# The small asyncio. Its include root is the stage's folder, too, and it sees what is below in the same way.
function(asyncio_stage_by_hand number folder depends)
  set(target stage${number}_by_hand)
  file(GLOB headers CONFIGURE_DEPENDS ${folder}/by_hand/*.h)
  add_library(${target} INTERFACE)
  target_sources(${target} INTERFACE FILE_SET HEADERS BASE_DIRS ${folder} FILES ${headers})
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_link_libraries(${target} INTERFACE Threads::Threads)
  foreach(lower IN LISTS depends)
    string(REPLACE asyncio:: "" lower ${lower})
    list(FIND ASYNCIO_STAGE_NAMES ${lower} index)
    math(EXPR lower_number "${index} + 1")
    target_link_libraries(${target} INTERFACE stage${lower_number}_by_hand)
  endforeach()
  if(number GREATER_EQUAL 3)  # as for asyncio_task
    target_compile_options(${target} INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-foptimize-sibling-calls>)
  endif()
endfunction()

function(asyncio_stage_demo_by_hand number folder)
  if(NOT EXISTS ${folder}/demo_lib.h)
    return()
  endif()
  set(target stage${number}_demo_by_hand)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/demo*.cpp)
  add_executable(${target} ${sources})
  target_compile_definitions(${target} PRIVATE BY_HAND)
  target_link_libraries(${target} PRIVATE stage${number}_by_hand)
  asyncio_our_code(${target})
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

# Compiled once, linked twice: as everybody gets it, and with asyncio::observe.
function(asyncio_stage_demo number library folders)
  asyncio_stage_sources(demo "${folders}" sources)
  if(sources)
    set(target stage${number}_demo)
    add_library(${target}_objects OBJECT ${sources})
    target_link_libraries(${target}_objects PUBLIC ${library})
    asyncio_our_code(${target}_objects)

    add_executable(${target})
    target_link_libraries(${target} PRIVATE ${target}_objects)
    add_executable(${target}_watched)
    target_link_libraries(${target}_watched PRIVATE ${target}_objects asyncio_observe)
  endif()
endfunction()

# Compiled once, linked twice: into stageN_bench, and together with all other stages into asyncio_compare.
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

# How our own code is compiled. Other projects get none of these options but C++20.
function(asyncio_our_code target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic $<$<BOOL:${ASYNCIO_WERROR}>:-Werror>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)  # g++ 12 warns wrongly about "text" + std::string (GCC bug 105329)
  endif()
endfunction()

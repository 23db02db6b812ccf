# Puts a reader's folder in the place of stage 1: headers and sources only. The demo is ours, on the reader's stage.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(REMOVE_RECURSE ${SCRATCH})
file(COPY ${SOURCE}/../../stage1_loop/ DESTINATION ${SCRATCH}/mine
  PATTERN CMakeLists.txt EXCLUDE
  PATTERN demo*.cpp EXCLUDE
  PATTERN bench*.cpp EXCLUDE)
run(${CONFIGURE} -S ${SOURCE}/../.. -B ${SCRATCH}/build
  -DASYNCIO_BUILD_TESTS=OFF -DASYNCIO_UP_TO_STAGE=1 -DASYNCIO_STAGE1_DIR=${SCRATCH}/mine)
run(${CMAKE_COMMAND} --build ${SCRATCH}/build --parallel 2 --target stage1_demo)

file(READ ${SCRATCH}/build/compile_commands.json commands)
string(FIND "${commands}" "-I${SCRATCH}/mine" mine)
# by_hand is ours in any case, and what measures it sees both.
string(REGEX REPLACE "[^\n]*(_by_hand|by_hand_bench|asyncio_compare)[^\n]*" "" commands "${commands}")
string(REGEX MATCH "-I[^ ]*/stage1_loop " ours "${commands}")
if(mine EQUAL -1 OR ours)
  message(FATAL_ERROR "stage1_demo is not compiled with ${SCRATCH}/mine alone:\n${commands}")
endif()

# Rooms of a reader's stage 6 are built in the place of ours.
file(COPY ${SOURCE}/../../stage6_io/ DESTINATION ${SCRATCH}/mine6
  PATTERN CMakeLists.txt EXCLUDE
  PATTERN http EXCLUDE)
run(${CONFIGURE} -S ${SOURCE}/../.. -B ${SCRATCH}/build6 -DASYNCIO_BUILD_TESTS=OFF -DASYNCIO_STAGE6_DIR=${SCRATCH}/mine6)

file(READ ${SCRATCH}/build6/compile_commands.json commands)
string(FIND "${commands}" "-I${SCRATCH}/mine6/1_core" mine)
string(REGEX REPLACE "[^\n]*(_by_hand|by_hand_bench|asyncio_compare)[^\n]*" "" commands "${commands}")
string(REGEX MATCH "-I[^ ]*/stage6_io" ours "${commands}")
if(mine EQUAL -1 OR ours)
  message(FATAL_ERROR "The rooms of stage 6 are not compiled with ${SCRATCH}/mine6 alone.")
endif()

# A name that the reader's stage lacks silences the one test file that needs it, and no other; tests of internals are left
# out. So does ./stages test 1 --stage-dir.
foreach(file IN ITEMS asyncio/loop.h loop.cpp)
  file(READ ${SCRATCH}/mine/${file} text)
  string(REPLACE "set_shuffle_seed" "another_name" text "${text}")
  file(WRITE ${SCRATCH}/mine/${file} "${text}")
endforeach()
run(${CONFIGURE} -S ${SOURCE}/../.. -B ${SCRATCH}/tests
  -DASYNCIO_BUILD_TESTS=ON -DASYNCIO_UP_TO_STAGE=1 -DASYNCIO_STAGE1_DIR=${SCRATCH}/mine)
run(${CMAKE_COMMAND} --build ${SCRATCH}/tests --parallel 2 --target stage1_busy_clock_test)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${SCRATCH}/tests --parallel 2 --target stage1_debug_test
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0 OR NOT output MATCHES "set_shuffle_seed")
  message(FATAL_ERROR "stage1_debug_test should not compile without set_shuffle_seed:\n${output}")
endif()
execute_process(COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${SCRATCH}/tests -R "(debug|busy_clock|internals)_test"
  OUTPUT_VARIABLE output ERROR_VARIABLE output)
foreach(line IN ITEMS "stage1.busy_clock_test compiles [.]+ +Passed" "stage1.debug_test compiles [.]+[*][*][*]Not Run")
  if(NOT output MATCHES "${line}")
    message(FATAL_ERROR "ctest does not say '${line}':\n${output}")
  endif()
endforeach()
if(output MATCHES "internals")
  message(FATAL_ERROR "Tests of internals are not left out:\n${output}")
endif()

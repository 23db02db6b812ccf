# Puts a reader's folder in the place of stage 1: headers and sources only. The demo is ours, on the reader's stage.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(REMOVE_RECURSE ${SCRATCH})
file(COPY ${SOURCE}/../../stage1_loop/ DESTINATION ${SCRATCH}/mine
  PATTERN CMakeLists.txt EXCLUDE
  PATTERN demo*.cpp EXCLUDE
  PATTERN bench*.cpp EXCLUDE)
run(${CONFIGURE} -S ${SOURCE}/../.. -B ${SCRATCH}/build
  -DASYNCIO_BUILD_TESTS=OFF -DASYNCIO_UP_TO_STAGE=1 -DASYNCIO_STAGE1_DIR=${SCRATCH}/mine)
run(${CMAKE_COMMAND} --build ${SCRATCH}/build --target stage1_demo)

file(READ ${SCRATCH}/build/compile_commands.json commands)
string(FIND "${commands}" "-I${SCRATCH}/mine" mine)
string(REGEX MATCH "-I[^ ]*/stage1_loop" ours "${commands}")
if(mine EQUAL -1 OR ours)
  message(FATAL_ERROR "stage1_demo is not compiled with ${SCRATCH}/mine alone:\n${commands}")
endif()

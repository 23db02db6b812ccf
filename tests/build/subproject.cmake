# Configures, builds and runs a project that takes this one in by add_subdirectory.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(REMOVE_RECURSE ${SCRATCH})
run(${CONFIGURE} -S ${SOURCE}/subproject -B ${SCRATCH})
run(${CMAKE_COMMAND} --build ${SCRATCH} --parallel 2)
run(${SCRATCH}/consumer)
must_be("${output}" "Hello from a coroutine\n")

# Without a build type, it says that nothing is optimised; with one, it says nothing of that.
set(without ${CONFIGURE})
list(FILTER without EXCLUDE REGEX "CMAKE_BUILD_TYPE|CMAKE_CXX_FLAGS")
foreach(type IN ITEMS "" Release)
  execute_process(COMMAND ${without} -DCMAKE_BUILD_TYPE=${type} -S ${SOURCE}/subproject -B ${SCRATCH}/type_${type}
    OUTPUT_VARIABLE output ERROR_VARIABLE error COMMAND_ERROR_IS_FATAL ANY)
  string(FIND "${output}${error}" "nothing is optimised" at)
  if((type STREQUAL "" AND at EQUAL -1) OR (type STREQUAL "Release" AND NOT at EQUAL -1))
    message(FATAL_ERROR "With the build type '${type}' this was printed:\n${output}${error}")
  endif()
endforeach()

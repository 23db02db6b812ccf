# Configures, builds and runs a project that takes this one in by add_subdirectory.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(REMOVE_RECURSE ${SCRATCH})
run(${CONFIGURE} -S ${SOURCE}/subproject -B ${SCRATCH})
run(${CMAKE_COMMAND} --build ${SCRATCH})
run(${SCRATCH}/consumer)
must_be("${output}" "Hello from a coroutine\n")

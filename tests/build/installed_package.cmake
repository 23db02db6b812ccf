# Installs the library from the build tree, then configures, builds and runs consumer/ against the installed package.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(REMOVE_RECURSE ${SCRATCH})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${SCRATCH}/installed)
run(${CONFIGURE} -S ${SOURCE}/consumer -B ${SCRATCH}/build -DCMAKE_PREFIX_PATH=${SCRATCH}/installed)
run(${CMAKE_COMMAND} --build ${SCRATCH}/build --parallel 2)
run(${SCRATCH}/build/consumer)
must_be("${output}" "Hello from a coroutine\n")

# With asyncio::gdb the program has the scripts for gdb in it.
if(EXISTS ${SCRATCH}/build/consumer_with_gdb)
  file(STRINGS ${SCRATCH}/build/consumer_with_gdb found REGEX "asyncio-gdb\\.py")
  if(NOT found)
    message(FATAL_ERROR "There is no script for gdb in consumer_with_gdb.")
  endif()
endif()

# The component http, if it was built: asked for, it is there; and not asked for, it is not, nor is libcurl looked for.
if(HTTP)
  run(${CONFIGURE} -S ${SOURCE}/http_consumer -B ${SCRATCH}/http_build -DCMAKE_PREFIX_PATH=${SCRATCH}/installed)
  run(${CMAKE_COMMAND} --build ${SCRATCH}/http_build --parallel 2)
  run(${SCRATCH}/http_build/http_consumer)
  must_be("${output}" "not a URL: nonsense (Bad scheme)\n")
endif()

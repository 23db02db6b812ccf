# What the program at the top of the README prints must be what the README says, and what the Python program beside it
# prints, if there is a python3 to ask.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(READ ${README} readme)
if(NOT readme MATCHES "Both print `([^`]*)`, `([^`]*)`, `([^`]*)`")
  message(FATAL_ERROR "The README does not say what its program prints.")
endif()
set(promise "${CMAKE_MATCH_1}\n${CMAKE_MATCH_2}\n${CMAKE_MATCH_3}\n")

run(${PROGRAM})
must_be("${output}" "${promise}")

find_program(python python3)
if(python)
  run(${python} ${PYTHON_PROGRAM})
  must_be("${output}" "${promise}")
endif()

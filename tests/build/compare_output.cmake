# cmake -DPROGRAM=... -DEXPECTED=file -DSCRATCH=folder -P compare_output.cmake
# Runs the program and compares what it prints on stdout with the file, if there is one. Measured times, printed as
# "==========3.00923", may be longer than in the file, in whole seconds, and not shorter: on a busy machine a program waits
# for its turn. (What runs at the same time shows in the order of the lines. That nothing takes too long is a matter of the
# tests in virtual time.) "demo.cpp:12" is compared as "demo.cpp:N", for the compilers differ in which line they take a
# function to begin. With -DBY_HAND=ON nothing is expected from the first heading "--- asyncio only: …" on; and in stage 6
# the tasks have other numbers, for the small asyncio makes no task when a server looks up its host.

set(time_stopped "==========([0-9]+)(\\.[0-9]+)?")
set(source_line "(demo[a-z_]*\\.(cpp|h)):[0-9]+")

execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE actual RESULT_VARIABLE result TIMEOUT 110)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ended with '${result}' after printing:\n${actual}")
endif()
if(NOT EXISTS "${EXPECTED}")
  return()
endif()

file(READ "${EXPECTED}" expected)
if(BY_HAND)
  string(REGEX REPLACE "-+ asyncio only: .*" "" expected "${expected}")
endif()
foreach(output IN ITEMS expected actual)
  string(REGEX MATCHALL "${time_stopped}" ${output}_times "${${output}}")
  list(TRANSFORM ${output}_times REPLACE "${time_stopped}" "\\1")
  string(REGEX REPLACE "${time_stopped}" "==========time" ${output} "${${output}}")
  string(REGEX REPLACE "${source_line}" "\\1:N" ${output} "${${output}}")
  if(BY_HAND AND EXPECTED MATCHES "stage6")
    string(REGEX REPLACE "Task-[0-9]+" "Task-N" ${output} "${${output}}")
  endif()
  file(WRITE "${SCRATCH}/${output}.txt" "${${output}}")
endforeach()

foreach(at_least took IN ZIP_LISTS expected_times actual_times)
  if(took LESS at_least)
    message(FATAL_ERROR "${PROGRAM} prints ==========${took}, and ${EXPECTED} says ==========${at_least}")
  endif()
endforeach()
if(NOT actual STREQUAL expected)
  execute_process(COMMAND diff -u expected.txt actual.txt WORKING_DIRECTORY "${SCRATCH}" OUTPUT_VARIABLE difference)
  message(FATAL_ERROR "${PROGRAM} does not print what ${EXPECTED} says:\n${difference}")
endif()

# cmake -DMESSAGE="..." -P must_fail.cmake -- command arguments...
# Passes if the command fails and says the message; how it breaks its lines does not matter.

set(command "")
set(position 0)
while(NOT CMAKE_ARGV${position} STREQUAL "--")
  math(EXPR position "${position} + 1")
endwhile()
math(EXPR first "${position} + 1")
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(position RANGE ${first} ${last})
  list(APPEND command "${CMAKE_ARGV${position}}")
endforeach()

execute_process(COMMAND ${command} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
string(REGEX REPLACE "[ \n]+" " " one_line "${output}")
string(FIND "${one_line}" "${MESSAGE}" position)
if(result EQUAL 0)
  message(FATAL_ERROR "This should have failed: ${command}\n${output}")
elseif(position EQUAL -1)
  message(FATAL_ERROR "This failed without saying '${MESSAGE}': ${command}\n${output}")
endif()

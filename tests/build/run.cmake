# run(command arguments...) runs a command that must succeed, and leaves what it printed on stdout in `output`.
macro(run)
  execute_process(COMMAND ${ARGV} OUTPUT_VARIABLE output ECHO_OUTPUT_VARIABLE COMMAND_ERROR_IS_FATAL ANY)
endmacro()

function(must_be actual expected)
  if(NOT actual STREQUAL expected)
    message(FATAL_ERROR "This was printed:\n${actual}\nand not this:\n${expected}")
  endif()
endfunction()

# compare_output.cmake passes equal outputs, and times that are longer, and nothing else.

function(compare actual expected verdict)
  file(WRITE ${SCRATCH}/actual "${actual}")
  file(WRITE ${SCRATCH}/expected "${expected}")
  execute_process(
    COMMAND ${CMAKE_COMMAND} "-DPROGRAM=cat;${SCRATCH}/actual" -DEXPECTED=${SCRATCH}/expected -DSCRATCH=${SCRATCH} ${ARGN}
      -P ${CMAKE_CURRENT_LIST_DIR}/compare_output.cmake
    RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
  if((result EQUAL 0 AND verdict STREQUAL "differ") OR (NOT result EQUAL 0 AND verdict STREQUAL "same"))
    message(FATAL_ERROR "Expected '${verdict}' of\n${actual}\nand\n${expected}")
  endif()
endfunction()

compare("hello [1; 2]\n" "hello [1; 2]\n" same)
compare("hello\n" "world\n" differ)
compare("hello\n" "hello\nworld\n" differ)
compare("==========3.00923\n" "==========3.1\n" same)
compare("==========3.00923\n" "==========3\n" same)
compare("==========3.00923\n" "==========2.99\n" same)
compare("==========2.99923\n" "==========3.00\n" differ)
compare("==========3.1\n==========1.9\n" "==========3.0\n==========2.0\n" differ)
compare("==========3.1\n" "==========3.0\n==========2.0\n" differ)
compare("==========3.1\n==========2.0\n" "==========3.0\n" differ)
compare("==========\n" "==========3.0\n" differ)
compare("==========10.1\n" "==========9.9\n" same)
compare("it took 3.1\n" "it took 3.2\n" differ)
compare("hello\n" "hello\n--- asyncio only: errors\nworld\n" differ)
compare("hello\n" "hello\n--- asyncio only: errors\nworld\n" same -DBY_HAND=ON)
compare("world\n" "hello\n--- asyncio only: errors\nworld\n" differ -DBY_HAND=ON)

# A program that fails after printing the right thing has failed.
file(WRITE ${SCRATCH}/expected "")
execute_process(
  COMMAND ${CMAKE_COMMAND} -DPROGRAM=false -DEXPECTED=${SCRATCH}/expected -DSCRATCH=${SCRATCH}
    -P ${CMAKE_CURRENT_LIST_DIR}/compare_output.cmake
  RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
if(result EQUAL 0)
  message(FATAL_ERROR "A failing program passed.")
endif()

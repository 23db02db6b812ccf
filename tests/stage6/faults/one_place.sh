#!/bin/sh
# Every system call of stage 6 goes through syscalls.cpp, or a test could not make it fail. Usage: LIBRARY CALL...
library=$1
shift
command -v nm > /dev/null || { echo "no nm here"; exit 77; }
elsewhere=$(for call in "$@"; do nm -A "$library" 2> /dev/null | grep " U $call\$"; done | grep -v ':syscalls\.cpp\.o:')
if [ -n "$elsewhere" ]; then
  echo "called outside of syscalls.cpp:"
  echo "$elsewhere"
  exit 1
fi
nm -A "$library" 2> /dev/null | grep -q ':syscalls\.cpp\.o:.* U recv$' || { echo "nm shows no call at all"; exit 1; }

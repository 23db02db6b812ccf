#!/bin/sh
# Every system call of stage 6 goes through syscalls.cpp, and the linker can lead each of them another way; or a test
# could not make it fail. Usage: LIBRARY CALL...
library=$1
shift
command -v nm > /dev/null || { echo "no nm here"; exit 77; }
calls=" $* "
harmless=" pthread_sigmask sigaddset sigemptyset sigismember sigpending sigwait memcpy memset "  # not one of them fails
nm -A "$library" 2> /dev/null | sed -n 's/.*:\([^:]*\.cpp\)\.o: *U \([a-z][a-z0-9_]*\)$/\1 \2/p' | {
  failed=0 found=0
  while read -r file call; do
    case "$file $calls" in
      "syscalls.cpp "*" $call "*) found=1 ;;
      "syscalls.cpp "*)
        case "$harmless" in
          *" $call "*) ;;
          *) echo "$call() is called in syscalls.cpp, and no test can make it fail"; failed=1 ;;
        esac ;;
      *" $call "*) echo "$call() is called in $file, outside of syscalls.cpp"; failed=1 ;;
    esac
  done
  [ $found = 1 ] || { echo "nm shows no call at all"; failed=1; }
  exit $failed
}

#!/usr/bin/env bash
# Runs the tests under valgrind, by hand, as it takes minutes: tests/valgrind.sh BUILD_FOLDER [PROGRAM...]
# Left out is what valgrind cannot do:
without=(
  'Pool.*'                                           # counts malloc()'s blocks, and valgrind has a malloc() of its own
  'Subprocess.AProgramThatIsNotThereIsAnErrorThatNamesIt'  # vfork() is a fork() here: posix_spawn() hears of no error
  'Subprocess.TwoHundredAtOnce'                      # takes longer than a test may: there is no pidfd, but 200 threads
  'Server.OutOfDescriptorsItReportsAndTriesAgain'    # the limit of descriptors is not the kernel's
  'AddressFuzz.BadAddressesAreExceptionsAndLeakNothing'    # of an address of one byte it looks at more
)
set -uo pipefail
cd "$1" && shift
(($#)) || set -- stage[1-6]_tests stage6_fault_tests stage[1-5]_tests_on_poll stage6_ssl_tests stage6_ssl_fault_tests

failed=0
for program in "$@"; do
  core=
  [[ $program == *_on_poll ]] && core=poll
  echo "$program"
  ASYNCIO_TEST_CORE=$core valgrind -q --error-exitcode=9 --leak-check=full --child-silent-after-fork=yes \
    "./$program" --gtest_brief=1 --gtest_filter="-$(IFS=:; echo "${without[*]}")" 2>&1 |
    grep -v 'syscall: 434\|write your own handler\|README_MISSING\|consider this a bug\|valgrind.org/support' || failed=1
done
exit $failed

#!/usr/bin/env bash
# documented_faults_test.sh ROOT SCRATCH: documented_test.sh finds what is wrong, in a copy of the headers. Exit code 77:
# Doxygen is missing.
set -euo pipefail
root=$1 scratch=$2
for tool in doxygen python3; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed (Debian: $tool)"; exit 77; }
done
rm -rf "$scratch"
mkdir -p "$scratch/copy"
(cd "$root" && find stage* book tests/conformance/API.md -name '*.h' -o -path 'book/*' -o -name API.md) |
  tar -C "$root" -cf - --no-recursion -T - | tar -C "$scratch/copy" -xf -
cd "$scratch/copy"

# check EXPECTED: the test fails, and says so.
check() {
  local output
  if output=$(PYTHONDONTWRITEBYTECODE=1 python3 book/reference.py . "$scratch/doxygen/xml"); then
    echo "not found: $1"
    exit 1
  fi
  grep -qF -- "$1" <<<"$output" || { printf 'in place of: %s\n%s\n' "$1" "$output"; exit 1; }
}
# with FILE SED EXPECTED: the same in a copy that is changed, and then as before.
with() {
  cp -- "$1" "$scratch/before"
  sed -i -E "$2" "$1"
  ! cmp -s "$1" "$scratch/before" || { echo "nothing changes: $1: $2"; exit 1; }
  check "$3"
  cp -- "$scratch/before" "$1"
}

book/doxygen.sh "$scratch/doxygen"
PYTHONDONTWRITEBYTECODE=1 python3 book/reference.py . "$scratch/doxygen/xml" # the copy itself has no fault
ends='does not end with what holds for all of it: Threads, Ticks, Errors, Units'
with stage5_sync/asyncio/lock.h '/^\/\/ Units: /d' "stage5_sync/asyncio/lock.h: $ends"
with stage5_sync/asyncio/lock.h '$a int behind_the_rules;' "stage5_sync/asyncio/lock.h: $ends"
with stage5_sync/asyncio/lock.h 's/^(\/\/ Threads: .*)\.$/\1/' 'stage5_sync/asyncio/lock.h: Threads: is no sentence'
with stage3_task/asyncio/sleep.h 's/^(\/\/ Units: ).*/\1none./' 'Units: none; but there is template <AnyDuration D>'
with stage5_sync/asyncio/semaphore.h 's/^(\/\/ Units: ).*/\1none./' 'Units: none; but there is explicit Semaphore(std::ptrdiff_t value'
with stage4_combinators/asyncio/shield.h 's/^(\/\/ Ticks: ).*/\1none./' 'Ticks: none; but there is'
with stage4_combinators/asyncio/exception_group.h 's/^(\/\/ Errors: ).*/\1none./' 'Errors: none; but there is ExceptionGroup('
with tests/conformance/API.md 's/`Queue<int>::get`/`Queue<int>::fetch`/' 'which is not in the reference'
sed -i -E '/\/\/\/ Whether somebody holds it. \[Lock.locked\]/d' stage5_sync/asyncio/lock.h
book/doxygen.sh "$scratch/doxygen"
check 'not documented: stage5_sync/asyncio/lock.h:'

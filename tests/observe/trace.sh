#!/usr/bin/env bash
# trace.sh PROGRAM: what ASYNCIO_TRACE writes, read by a JSON parser: to the end, to a crash, and when the disk is full.
set -euo pipefail
program=$1
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
if ! command -v python3 >/dev/null; then
  echo 'There is no python3 to read the trace (Debian: python3).'
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd -- "$folder"
fail() {
  echo "$1"
  exit 1
}

ASYNCIO_TRACE=whole.json "$program"
python3 "$here/trace_test.py" whole.json whole

ulimit -c 0
for how in crash kill; do
  if (ASYNCIO_TRACE=$how.json exec "$program" $how) 2>/dev/null; then fail "The program was to $how."; fi
  python3 "$here/trace_test.py" $how.json crash
done

if localedef -i de_DE -f UTF-8 ./de_DE.UTF-8 2>/dev/null; then export LOCPATH=$folder; fi
ASYNCIO_TRACE=names.json "$program" names
python3 "$here/trace_test.py" names.json names

ASYNCIO_TRACE=fork.json "$program" fork
python3 "$here/trace_test.py" fork.json fork

ASYNCIO_TRACE=threads.json "$program" threads
python3 "$here/trace_test.py" threads.json threads

# A program runs on if its trace cannot be written; somebody is told, once.
for path in /nowhere/run.json /dev/full; do
  ASYNCIO_TRACE=$path "$program" 2>said
  grep -q "^ASYNCIO_TRACE: trace_to: $path: " said || fail "$path: $(cat said)"
done
(
  trap '' XFSZ # a disk with room for 4 KiB
  ulimit -f 4
  ASYNCIO_TRACE=full.json "$program" 2>said
)
[[ $(grep -c 'Exception in an observer of the loop; it was removed' said) == 1 ]] || fail "full.json: $(cat said)"
grep -q 'trace_to: full.json: ' said || fail "full.json: $(cat said)"
python3 "$here/trace_test.py" full.json cut

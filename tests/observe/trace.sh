#!/usr/bin/env bash
# trace.sh PROGRAM: what ASYNCIO_TRACE writes, read by a JSON parser; once to the end, and once to a crash.
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
ASYNCIO_TRACE=whole.json "$program"
python3 "$here/trace_test.py" whole.json whole
ulimit -c 0
if (ASYNCIO_TRACE=crash.json exec "$program" crash) 2>/dev/null; then
  echo 'The program was to crash.'
  exit 1
fi
python3 "$here/trace_test.py" crash.json crash

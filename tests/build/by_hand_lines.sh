#!/usr/bin/env bash
# by_hand_lines.sh ROOT MOST: the small asyncio has MOST lines at most, comments and all, so that it is read in an hour.
set -euo pipefail
cd -- "$1"
files=(stage[1-6]_*/by_hand/*.h)
((${#files[@]} >= 6)) || { echo "failed: there are only ${#files[@]} headers: ${files[*]}" >&2 && exit 1; }
wc -l "${files[@]}"
lines=$(cat "${files[@]}" | wc -l)
((lines <= $2)) || { echo "failed: by_hand has $lines lines, and $2 is the most" >&2 && exit 1; }

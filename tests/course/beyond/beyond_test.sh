#!/usr/bin/env bash
# beyond_test.sh REAL BY_HAND LESSON: each case of the two programs passes in REAL and does not in BY_HAND (it may fail,
# crash or hang there), and stands in LESSON, as `case`; and the lesson names no other.
set -euo pipefail
real=$1 by_hand=$2 lesson=$3
ulimit -s 8192 2>/dev/null || true  # without a limit, a deep recursion takes all of the memory
failed=0
complain() {
  echo "$1"
  failed=1
}

cases=$("$real")
[[ -n $cases && $cases == "$("$by_hand")" ]] || complain 'the two programs differ in their cases, or have none'
for name in $cases; do
  "$real" "$name" >/dev/null 2>&1 || complain "$name: does not hold on the real stage"
  if "$by_hand" "$name" >/dev/null 2>&1; then complain "$name: holds on by_hand as well"; fi
  grep -q "^| \`$name\` |" "$lesson" || complain "$name: is not in the table of $lesson"
done
while read -r name; do
  grep -qx -- "$name" <<<"$cases" || complain "$lesson lists $name, which is no case"
done < <(sed -n 's/^| `\([a-z_0-9]*_[a-z_0-9]*_[a-z_0-9]*\)` |.*/\1/p' "$lesson")
exit $failed

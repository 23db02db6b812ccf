#!/usr/bin/env bash
# own_file_test.sh LIBRARY ROOM…: the members of a class are implemented in the file of the header's name. Each function
# Class::member that X.cpp.o defines belongs to a class that asyncio/X.h or asyncio/detail/X.h beside X.cpp declares.
set -euo pipefail
library=$1
shift
command -v nm >/dev/null || { echo 'no nm here'; exit 77; }
failed=0 checked=0
while read -r object class; do
  name=${object%.cpp.o}
  for room in "$@"; do
    [[ -f $room/$name.cpp ]] || continue
    checked=$((checked + 1))
    { cat "$room/asyncio/$name.h" "$room/asyncio/detail/$name.h" 2>/dev/null || true; } | grep -qE "(class|struct) $class\b" ||
      { echo "$room/$name.cpp implements members of $class, which no $name.h declares" >&2; failed=1; }
  done
done < <(nm -A --defined-only "$library" | sed -nE 's/.*:([a-z_]+\.cpp\.o):[0-9a-f]+ T (.*)/\1 \2/p' | c++filt |
  sed -nE 's/^([^ ]+) asyncio::(detail::)?([A-Z][A-Za-z]*)::.*/\1 \3/p' | sort -u)
((checked > 0)) || { echo 'nm shows no member' >&2; failed=1; }
exit $failed

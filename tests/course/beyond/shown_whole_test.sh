#!/usr/bin/env bash
# shown_whole_test.sh STAGE: every line of STAGE/by_hand/*.h stands in STAGE/README.md, but for the comment at the head of a
# file, the includes and the namespace.
set -euo pipefail
folder=$1
awk '
  function folded(line) { gsub(/^[ \t]+|[ \t]+$/, "", line); return line }
  FILENAME ~ /README.md$/ { shown[folded($0)] = 1; next }
  FNR == 1 { head = 1 }
  head && /^\/\// { next }
  { head = 0; ++count }
  /^#/ || /^(namespace by_hand \{|\}  \/\/ namespace by_hand)$/ || folded($0) == "" { next }
  !(folded($0) in shown) { print FILENAME ":" FNR ": is not shown in the lesson: " $0; bad = 1 }
  END { exit bad || count == 0 }
' "$folder/README.md" "$folder"/by_hand/*.h

#!/usr/bin/env bash
# quotes_test.sh ROOT: what our texts quote is what stands in the sources. A block that opens with a file's name,
#   ```cpp loop.cpp          or          ```text ../tests/stage1/demo.expected
# must be found in that file (relative to the text), line by line; indentation, measured times and line numbers of
# a demo do not count, and a line "…" stands for any lines between.
set -euo pipefail
shopt -s nullglob
root=$1
failed=0

for text in "$root"/README.md "$root"/stage*/*.md "$root"/stage*/[0-9]_*/*.md "$root"/stage6_io/ssl/*.md; do
  awk -v folder="$(dirname "$text")" -v text="${text#"$root"/}" '
    function folded(line) {
      gsub(/^[ \t]+|[ \t]+$/, "", line)
      sub(/==========[0-9]+\.[0-9]+/, "==========N", line)
      gsub(/demo[a-z_]*\.(cpp|h):[0-9]+/, "demo:N", line)
      return line
    }
    function find_quote(    path, line, n, source, start, i, j, found, begin) {
      path = folder "/" file
      n = 0
      while ((getline line < path) > 0) source[++n] = folded(line)
      close(path)
      if (n == 0) { print text ": quotes " file ", which is not there"; bad = 1; return }
      begin = 1
      for (i = 1; i <= count; i = start) {          # a run of lines between two "…"
        while (i <= count && quote[i] == "…") ++i
        for (start = i; start <= count && quote[start] != "…"; ++start) {}
        if (start == i) break
        found = 0
        for (j = begin; j + start - i - 1 <= n && !found; ++j) {
          found = 1
          for (line = i; line < start; ++line) if (source[j + line - i] != quote[line]) { found = 0; break }
          if (found) begin = j + start - i
        }
        if (!found) { print text ": not in " file ": " quote[i] " (and the lines after it)"; bad = 1; return }
      }
      ++quotes
    }
    /^[ \t]*```/ {
      if (inside) { if (file != "") find_quote(); inside = 0 }
      else { inside = 1; file = NF > 1 ? $2 : ""; count = 0 }
      next
    }
    inside { quote[++count] = folded($0) }
    END {
      if (quotes == 0 && text != "README.md") { print text ": quotes nothing"; bad = 1 }
      exit bad
    }' "$text" || failed=1
done
exit $failed

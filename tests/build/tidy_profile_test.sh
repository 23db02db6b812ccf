#!/usr/bin/env bash
# tidy_profile_test.sh FOLDER OPTIONS…: with the .clang-tidy of FOLDER, clang-tidy says of its mistakes.cpp what stands
# there behind the lines, and nothing else.
set -euo pipefail
folder=$1
shift
tidy=$(command -v clang-tidy-16 || command -v clang-tidy) || { echo 'Skipped: there is no clang-tidy.'; exit 77; }
expected=$(grep -nE '// (bugprone|cppcoreguidelines)-' "$folder/mistakes.cpp" | sed -E 's|^([0-9]+):.*// (.*)|\1 \2|')
found=$("$tidy" --quiet --config-file="$folder/.clang-tidy" "$folder/mistakes.cpp" -- -std=c++20 "$@" 2>/dev/null |
  sed -nE 's/.*mistakes\.cpp:([0-9]+):[0-9]+: warning: .*\[(.*)\]$/\1 \2/p') || true
[[ $found == "$expected" ]] || { printf 'It finds\n%s\nand not\n%s\n' "$found" "$expected"; exit 1; }

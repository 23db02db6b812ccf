#!/usr/bin/env bash
# ./stages learn [N] [DIR]: lays out the skeleton of the course, stages 1 to N, in DIR. It overwrites nothing.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
source tests/course/lib.sh

last=${1:-6} folder=$2 # `stages` has checked them
kept=() written=0

# put FILE: stdin goes to FILE in the folder, unless it is there.
put() {
  if [[ -e $folder/$1 ]]; then
    kept+=("$1")
    cat >/dev/null
  else
    cat >"$folder/$1"
    written=$((written + 1))
  fi
}

mkdir -p "$folder/by_hand" "$folder/.course"
echo '*' >"$folder/.course/.gitignore"
for ((stage = 1; stage <= last; stage++)); do
  for header in $(headers_of "$stage"); do
    put "by_hand/${header##*/}" < <(blank all "$header")
  done
done
put by_hand/not_implemented.h <"$course/skeleton/not_implemented.h"
for file in README.md AGENTS.md compile_flags.txt; do
  put "$file" <"$course/skeleton/$file"
done

if ((written)); then echo "stages: $folder has the skeleton of stages 1 to $last ($written new files)"; fi
if ((${#kept[@]})); then echo "stages: kept as they are: ${kept[*]}"; fi
check="./stages check"
if [[ $folder != my_asyncio ]]; then check+=" $folder"; fi
echo "stages: $check says what to write first"

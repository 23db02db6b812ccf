#!/usr/bin/env bash
# compilers_test.sh ROOT SCRATCH: all of asyncio in one file compiles without a warning under compilers, libraries and
# language versions in which no other test runs: clang 19, clang 16 with libc++, C++23. Nothing is linked or run.
# Then the programs of lifetimes/: clang 19 says the first line of each, and nothing else. Skipped where one is missing.
set -euo pipefail
root=$1 scratch=$2
here=$root/tests/build
rm -rf "$scratch"
mkdir -p "$scratch"
"$root/stages" amalgamate "$scratch/asyncio.hpp" >/dev/null
sed -i "/#pragma GCC system_header/d" "$scratch/asyncio.hpp"  # which keeps warnings from the users of the one file
printf '#define ASYNCIO_IMPLEMENTATION\n#include "asyncio.hpp"\n' >"$scratch/all.cpp"

skipped=0
compiles() {  # compiles NAME COMPILER OPTIONS…
  command -v "$2" >/dev/null || { echo "skipped: $1, there is no $2"; skipped=77; return; }
  "${@:2}" -fsyntax-only -Wall -Wextra -Wpedantic -Werror "$scratch/all.cpp" || { echo "FAILED: $1"; exit 1; }
}
has_libcxx() { echo '#include <version>' | clang++-16 -stdlib=libc++ -x c++ -fsyntax-only - 2>/dev/null; }

compiles 'clang 19' clang++-19 -std=c++20
compiles 'clang 19, C++23' clang++-19 -std=c++23
if has_libcxx; then
  compiles 'clang 16 and libc++' clang++-16 -std=c++20 -stdlib=libc++
else
  echo 'skipped: clang 16 and libc++, one of them is missing'
  skipped=77
fi
# (That a coroutine's frame has members of an unnamed namespace would matter in a header, which this is not.)
compiles 'C++23' g++ -std=c++23 -Wno-subobject-linkage

command -v clang++-19 >/dev/null || exit "$skipped"
roots=()
for folder in "$root"/stage1_loop "$root"/stage2_future "$root"/stage3_task "$root"/stage4_combinators "$root"/stage5_sync \
  "$root"/stage6_io/[1-6]_* "$root"/stage6_io; do roots+=("-I$folder"); done
for file in "$here"/lifetimes/*.cpp; do
  expected=$(sed -n '1s|^// ||p' "$file")
  LC_ALL=C clang++-19 -std=c++20 -fsyntax-only -Wall -Wextra "${roots[@]}" "$file" 2>"$scratch/said" || true
  said=$(sed -nE 's/.*: (warning|error): (.*)/\2/p' "$scratch/said")
  [[ ${said:-nothing} == "$expected"* && $said != *$'\n'* ]] || { printf '%s: clang 19 says\n%s\n' "$file" "${said:-nothing}"; exit 1; }
done
exit "$skipped"

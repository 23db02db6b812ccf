#!/usr/bin/env bash
# amalgamate_test.sh ROOT SCRATCH PROGRAM COMPILER...: `./stages amalgamate` writes one header, with which the program at
# the top of the README compiles, without a warning, and runs; and with which a second file of a program links. It is no
# larger than the README says. What stands at its head does what it says: the program, and the line that compiles it.
set -euo pipefail
root=$1 scratch=$2 program=$3
compile=("${@:4}" -std=c++20 -O0 -Wall -Wextra -Wpedantic -Werror -pthread -foptimize-sibling-calls)

rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"
"$root/stages" amalgamate "$scratch/asyncio.hpp"
limit=$(grep -A1 'stages amalgamate` writes' "$root/README.md" | grep -oE '[0-9]+ kB' | grep -oE '[0-9]+')
(($(wc -c <asyncio.hpp) <= limit * 1000)) || { echo "It is larger than the $limit kB that the README allows."; exit 1; }

{
  echo '#define ASYNCIO_IMPLEMENTATION'
  sed 's,<asyncio/asyncio.h>,"asyncio.hpp",' "$program"
} >app.cpp
cat >other.cpp <<'END'
#include "asyncio.hpp"
asyncio::Coro<int> other() { co_return static_cast<int>(asyncio::version().size()); }
END
"${compile[@]}" -c other.cpp -o other.o
"${compile[@]}" -c app.cpp -o app.o
"${compile[@]}" app.o other.o -o app
[[ $(./app) == $'hello\nworld\n10' ]] || { echo "The program prints something else: $(./app)"; exit 1; }

# A program in which no file has the implementation, or two have it: the linker names the macro.
names_the_macro() {
  if "${compile[@]}" "$@" -o wrong 2>messages; then echo 'That should not link.'; exit 1; fi
  grep -q one_file_must_define_ASYNCIO_IMPLEMENTATION messages || { head -5 messages; exit 1; }
}
printf '#include "asyncio.hpp"\nint main() {}\n' >main.cpp
names_the_macro main.cpp
cp app.o again.o
names_the_macro app.o again.o

sed -nE '/^#pragma once/q; s|^//     ||p' asyncio.hpp >head
grep -v '^g++ ' head >app.cpp
line=$(grep '^g++ ' head)
if [[ ${compile[0]##*/} != *clang* ]]; then
  [[ $(bash -c "$line") == hello ]] || { echo "The line at the head does not do what it says: $line"; exit 1; }
fi

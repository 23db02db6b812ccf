#!/usr/bin/env bash
# readme_cmake_test.sh README BUILD SCRATCH PROGRAM: the README's three CMakeLists.txt, as they stand there. The one with
# find_package builds the program at its top against what `cmake --install` gives, by the line below the first, and the program
# runs. The others are configured only, as build.subproject builds all that: with a link to the repository, and from git.
set -euo pipefail
readme=$1 build=$2 scratch=$3 program=$4
root=$(cd -- "$(dirname -- "$readme")" && pwd)
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"

command -v make >/dev/null || export CMAKE_GENERATOR=Ninja  # a README is for those who have one of them

# block N: the N-th ```cmake of the README.
block() { awk -v n="$1" '/^```/ { inside = /^```cmake/ && ++count == n; next } inside' "$readme"; }
[[ -n $(block 3) && -z $(block 4) ]] || { echo 'There are not three blocks of CMake in the README.'; exit 1; }
line=$(grep -m1 -A1 '^```sh' <(awk '/^```cmake/ { seen = 1 } seen' "$readme") | tail -1)

mkdir installed found below fetched
block 1 >below/CMakeLists.txt
cp "$program" below/app.cpp

# instead N FOLDER: FOLDER/CMakeLists.txt with the N-th block in place of add_subdirectory.
instead() {
  block "$1" >"$2/instead"
  sed -e "/^add_subdirectory/ { r $2/instead" -e 'd }' below/CMakeLists.txt >"$2/CMakeLists.txt"
  cp "$program" "$2/app.cpp"
}
cmake --install "$build" --prefix "$scratch/installed" >installed/log
instead 2 found
(cd found && CMAKE_PREFIX_PATH=$scratch/installed bash -c "$line") >found/log 2>&1 || { cat found/log; exit 1; }
[[ $(tail -3 found/log) == $'hello\nworld\n10' ]] || { cat found/log; exit 1; }

configure() { cmake -S "$1" -B "$1/build" -DCMAKE_BUILD_TYPE=Release >"$1/log" 2>&1 || { cat "$1/log"; exit 1; }; }
ln -s "$root" below/asyncio_stages
configure below
if commit=$(git -C "$root" rev-parse --verify --quiet HEAD 2>/dev/null); then
  instead 3 fetched
  sed -i "s|ADDRESS|file://$root|; s|COMMIT|$commit|" fetched/CMakeLists.txt
  configure fetched
fi

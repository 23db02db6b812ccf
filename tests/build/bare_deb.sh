#!/usr/bin/env bash
# bare_deb.sh 12|13: packs build/package as the README says, installs the .deb in a bare Debian of that version (see
# bare_debian.sh) with g++, CMake and pkg-config from there, and builds the README's program against it, by pkg-config
# and by find_package. By hand; needs what bare_debian.sh needs. Its output of Debian 12 stands in tests/README.md.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
exec "$here/tests/build/bare_debian.sh" "$1" '
set -e
apt-get -q update >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends g++ cmake make pkg-config >/dev/null
options="-DASYNCIO_BUILD_TESTS=OFF -DASYNCIO_BUILD_BENCHMARKS=OFF -DASYNCIO_BUILD_DEMOS=OFF -DASYNCIO_BUILD_EXAMPLES=OFF"
cmake -S . -B build/package $options >/dev/null
cmake --build build/package --parallel 2 >/dev/null
(cd build/package && cpack -G DEB)
apt-get -q install -y --no-install-recommends ./build/package/libasyncio-stages-dev_*.deb
mkdir -p /tmp/app && cd /tmp/app
awk "/^\`\`\`cpp/ { inside = 1; next } /^\`\`\`/ { if (inside) exit } inside" /src/README.md > app.cpp
g++ -std=c++20 -O2 app.cpp $(pkg-config --cflags --libs asyncio_stages) -o app
./app
printf "%s\n" "cmake_minimum_required(VERSION 3.25)" "project(app CXX)" "add_executable(app app.cpp)" \
  "find_package(asyncio_stages REQUIRED)" "target_link_libraries(app asyncio::asyncio)" > CMakeLists.txt
cmake -S . -B by_cmake >/dev/null && cmake --build by_cmake >/dev/null && by_cmake/app
apt-get -q purge -y libasyncio-stages-dev >/dev/null && test ! -e /usr/include/asyncio'

#!/usr/bin/env bash
# deb_test.sh BUILD SCRATCH: `cpack -G DEB` packs what `cmake --install` gives: headers, libraries, the CMake package and
# asyncio_stages.pc, under /usr, with the project's version. tests/build/bare_deb.sh installs it in a Debian 12.
set -euo pipefail
build=$1 scratch=$2
command -v dpkg-deb >/dev/null || { echo 'Skipped: there is no dpkg-deb.'; exit 77; }
rm -rf "$scratch"
mkdir -p "$scratch"
cpack -G DEB --config "$build/CPackConfig.cmake" -B "$scratch" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
package=$(find "$scratch" -maxdepth 1 -name '*.deb')
dpkg-deb --contents "$package" >"$scratch/contents"
for file in /usr/include/asyncio/asyncio.h /libasyncio_io.a /pkgconfig/asyncio_stages.pc /asyncio_stagesConfig.cmake; do
  grep -qF "$file" "$scratch/contents" || { echo "not in the package: $file"; exit 1; }
done
! grep -vE ' \./(usr/.*)?$' "$scratch/contents" || { echo 'something is outside of /usr'; exit 1; }
version=$(grep -oP 'PACKAGE_VERSION "\K[0-9.]+' "$build/asyncio_stagesConfigVersion.cmake" | head -1)
[[ $(dpkg-deb --field "$package" Version) == "$version" ]]

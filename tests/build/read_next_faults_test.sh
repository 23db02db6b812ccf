#!/usr/bin/env bash
# read_next_faults_test.sh SCRATCH: read_next_test.sh accepts a small chain, and refuses one that is broken.
set -euo pipefail
test=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/read_next_test.sh
rm -rf -- "$1"
mkdir -p -- "$1"
cd -- "$1"

# headers ONE TWO THREE: what three headers of one stage name.
headers() {
  mkdir -p stage1/asyncio
  echo 'Read next: [the first](stage1/asyncio/one.h), or none' >README.md
  printf '// One. Mirrors: nothing. Read next: %s\n#pragma once\n// Read next: nowhere.h\n' "$1" >stage1/asyncio/one.h
  printf '// Two. Mirrors: nothing. Read\n// next: %s.\n' "$2" >stage1/asyncio/two.h
  printf '// Three. Mirrors: nothing. %s\n' "$3" >stage1/asyncio/three.h
}

# refused MESSAGE
refused() {
  if bash "$test" . >output 2>&1; then echo "accepted, and should not be: $1"; exit 1; fi
  grep -qF "$1" output || { echo "not said: $1"; cat output; exit 1; }
}

headers two.h '../asyncio/three.h' 'The end.'
bash "$test" . | grep -qx 'README.md to stage1/asyncio/three.h: 3 public headers'
headers two.h thre.h 'The end.'
refused 'stage1/asyncio/two.h names thre.h, which is not there'
headers two.h one.h 'Read next: two.h'
refused 'stage1/asyncio/two.h names stage1/asyncio/one.h, which has been read: a circle'
refused 'no one on the chain from README.md, which ends at stage1/asyncio/two.h, names stage1/asyncio/three.h'
headers two.h three.h 'The end.'
mkdir stage1/asyncio/detail
echo '// Read next: four.h' >stage1/asyncio/detail/four.h
refused 'stage1/asyncio/detail/four.h names stage1/asyncio/detail/four.h, which has been read: a circle'
echo '// Read next: ../five.h' >stage1/asyncio/detail/four.h
refused 'stage1/asyncio/detail/four.h names ../five.h, which is not there'
rm -r stage1/asyncio/detail
echo '#pragma once' >stage1/asyncio/three.h
refused 'stage1/asyncio/three.h does not open with what it is'
echo '// Mirrors: nothing.' >stage1/asyncio/three.h
refused 'stage1/asyncio/three.h does not open with what it is'
echo '// Three.' >stage1/asyncio/three.h
refused 'stage1/asyncio/three.h does not say what it mirrors'

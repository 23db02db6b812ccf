#!/usr/bin/env bash
# doxygen.sh FOLDER: writes FOLDER/xml, what Doxygen finds in the public headers. A warning is an error.
set -euo pipefail
folder=$(realpath -m -- "$1")
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
rm -rf "$folder"
mkdir -p "$folder"
mapfile -t headers < <(find stage* -path '*/asyncio/*.h' ! -path '*/detail/*' | LC_ALL=C sort)
headers+=(stage5_sync/asyncio/detail/queue_base.h) # the queues' public functions
{
  cat book/Doxyfile
  echo "INPUT = ${headers[*]}"
  echo "OUTPUT_DIRECTORY = $folder"
} | doxygen -

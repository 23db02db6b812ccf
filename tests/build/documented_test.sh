#!/usr/bin/env bash
# documented_test.sh ROOT SCRATCH: every public name of the headers has a doc comment, and Doxygen has no complaint. Every
# public header ends with its rules (Threads, Ticks, Errors, Units), and none of them says "none." against a declaration. Every
# C++ name of API.md is in the reference. Exit code 77: Doxygen is missing.
set -euo pipefail
root=$1 scratch=$2
for tool in doxygen python3; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed (Debian: $tool)"; exit 77; }
done
"$root/book/doxygen.sh" "$scratch/doxygen"
PYTHONDONTWRITEBYTECODE=1 python3 "$root/book/reference.py" "$root" "$scratch/doxygen/xml"

#!/usr/bin/env bash
# libFuzzer on the TLS layer, from both sides, with ASan and UBSan.
#   run.sh [SECONDS]        builds it and runs it so long. Inputs, and what it finds, stay in build/asan/fuzz-ssl.
#   run.sh short [PROGRAM]  what CTest runs: some thousand inputs, the same each time
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../../.."
skip() {
  echo "skipped: $1"
  exit 77
}
# By itself libFuzzer ends with 77 after a fault, which CTest takes for "skipped".
options=(-error_exitcode=1 -timeout_exitcode=1 -max_len=1000 -len_control=0 -timeout=60 -rss_limit_mb=4000 -print_final_stats=1)

if [[ ${1:-} == short ]]; then
  [[ -n ${2:-} ]] || skip 'libFuzzer needs a build with clang++ and AddressSanitizer (cmake --preset asan)'
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  "$2" "${options[@]}" -runs=1500 -seed=1 -artifact_prefix="$scratch/" -verbosity=0
  exit
fi
command -v clang++-16 >/dev/null || command -v clang++ >/dev/null || skip 'there is no clang++'
cmake --preset asan >/dev/null
cmake --build --preset asan --target stage6_ssl_fuzz --parallel "$(nproc)"
program=$(find build/asan -type f -name stage6_ssl_fuzz -perm -u+x | head -n 1)
program=$PWD/$program
mkdir -p build/asan/fuzz-ssl/inputs
cd build/asan/fuzz-ssl
nice "$program" "${options[@]}" -max_total_time="${1:-600}" inputs

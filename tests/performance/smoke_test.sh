#!/usr/bin/env bash
# smoke_test.sh BUILD SCRATCH: the comparisons run, print their rows, and write JSON and SVG. What they measure in
# so short a time means nothing, and nothing is compared.
set -euo pipefail
build=$1
peers=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/peers.py
mkdir -p "$2"
cd -- "$2"

fail() {
  echo "failed: $1" >&2
  exit 1
}

# run NAME ROWS ARGUMENTS...: the table must have so many rows at least.
run() {
  local name=$1 rows=$2
  shift 2
  "$build/asyncio_compare" "$@" --benchmark_min_time=0 --benchmark_repetitions=1 --benchmark_out="$name.json" --svg="$name.svg" \
    --commit='<commit> & "more"' >"$name.txt"
  grep -qF '<commit> & "more"' "$name.txt" || fail "$name: no commit"
  (($(grep -cE '^  [0-9a-z]' "$name.txt") >= rows)) || fail "$name: fewer than $rows rows: $(<"$name.txt")"
  if ! command -v python3 >/dev/null; then return; fi
  python3 - "$name" <<'PYTHON'
import json, sys, xml.etree.ElementTree
name = sys.argv[1]
runs = json.load(open(name + ".json"))["benchmarks"]
assert runs and all("per_item" in run or "bytes" in run for run in runs), name
names = {run["run_name"] for run in runs}
small = {run for run in names if run.startswith("by_hand/")}
if name == "stages":
    assert len(small) > 40, small
    assert {run.removeprefix("by_hand/") for run in small} <= names, sorted(small)
drawing = xml.etree.ElementTree.parse(name + ".svg").getroot()
texts = ["".join(text.itertext()) for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
assert any('<commit> & "more"' in text for text in texts), texts
assert name != "stages" or "by hand" in texts, "by_hand is not in the chart"
assert len(list(drawing.iter("{http://www.w3.org/2000/svg}circle"))) > 7, "points are missing"
PYTHON
}

run stages 75
grep -q '^Others' stages.txt && fail "rows.cpp does not name: $(sed '1,/^Others/d' stages.txt)"
grep -qF '?' stages.txt && fail "rows.cpp divides by what there is not: $(grep -F '?' stages.txt)"
run growth 9 growth --benchmark_filter='^growth/[^/]*/10$'

# Of several repetitions, how sure the median is; and what the row that does nothing of ours says of the machine.
"$build/asyncio_compare" --benchmark_filter='^(machine/|stage1/call_soon_burst)' --benchmark_min_time=0 \
  --benchmark_repetitions=5 >noise.txt
grep -qE '^  1 call_soon and run, 1,000 at once .*±[0-9]+%' noise.txt || fail "no confidence interval: $(<noise.txt)"
grep -qE "^The machine's noise: .* took [0-9.]+ ns, ±[0-9.]+ %" noise.txt || fail "no noise: $(<noise.txt)"

if ! command -v python3 >/dev/null || [[ ! -x $build/echo_load ]]; then exit; fi
python3 "$peers" "$build" --out=. --rounds=1 --seconds=0.001 --echo=2+3 \
  --programs="asyncio,bare epoll" >peers.txt
grep -qE '^  call_soon and run, one a tick +[0-9]' peers.txt || fail "peers: no row of ours: $(<peers.txt)"
grep -qE '^  asyncio +[0-9,]+ +[0-9.]+ +[0-9,]+' peers.txt || fail "peers: no echo: $(<peers.txt)"
python3 -c 'import json; assert json.load(open("peers.json"))["echo"]["2 busy, 3 idle"]["asyncio"]'

# wrk against our HTTP demo server: thousands of connections one after the other, 50 at once, and no error.
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need wrk
if [[ ! -x $programs/stage6_demo ]]; then
  echo "skipped: the demos are not built"
  exit 77
fi
start demo "$programs/stage6_demo" serve
wait_until grep -q Serving "$scratch/demo.out"
base=$(grep -o 'http://127.0.0.1:[0-9]*' "$scratch/demo.out")
wrk --threads 1 --connections 50 --duration 2s --timeout 20s "$base/get?a=1" >"$scratch/wrk.out" || fail "wrk"
grep -q 'Socket errors' "$scratch/wrk.out" && fail "there were errors"
grep -q 'Non-2xx' "$scratch/wrk.out" && fail "there were other answers than 200"
requests=$(sed -n 's/ *\([0-9]*\) requests in .*/\1/p' "$scratch/wrk.out")
((requests > 50)) || fail "only $requests requests"
echo "wrk and our server understand each other: $requests requests in two seconds"

# asyncio::http against Python's own http.server. Usage: python_server.sh path/to/stage6_http_demo
set -euo pipefail
demo=$1
if ! command -v python3 >/dev/null; then
  echo "skipped: there is no python3"
  exit 77
fi
scratch=$(mktemp -d)
mkdir "$scratch/files"
head -c 5000000 /dev/urandom >"$scratch/files/big"
echo '{"args": {"a": "42"}}' >"$scratch/files/get"
python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$scratch/files" >"$scratch/server" 2>"$scratch/log" &
server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$scratch"' EXIT
export no_proxy=127.0.0.1  # whatever the environment says of others
for _ in $(seq 600); do
  grep -q 'port ' "$scratch/server" && break
  sleep 0.1
done
base="http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$scratch/server")"

fail() {
  echo "FAILED: $1"
  cat "$scratch/log"
  exit 1
}
"$demo" "$base/big" >"$scratch/out" || fail "a file of five megabytes"
head -n 1 "$scratch/out" | grep -q '^200 OK' || fail "no status"
tail -c 5000000 "$scratch/out" | cmp - "$scratch/files/big" || fail "another file came"
"$demo" "$base/nowhere" >"$scratch/out" || fail "a page that is not there"
head -n 1 "$scratch/out" | grep -q '^404 File not found' || fail "no 404"
"$demo" "$base/get?a={}" >"$scratch/out" || fail "the notes' programs"
[[ $(grep -c '^fetch([0-9]*) = 42$' "$scratch/out") == 12 ]] || fail "not twelve fetches"

kill $server
wait $server 2>/dev/null || true
if "$demo" "$base/get" >"$scratch/out" 2>&1; then fail "no error without a server"; fi
grep -q 'Failed to connect' "$scratch/out" || fail "the error does not say what is wrong"
echo "asyncio::http and http.server understand each other"

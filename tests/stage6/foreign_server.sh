# Our client, against a server that is not ours: httpbin, where Python has it, or else Python's http.server.
# Usage: foreign_server.sh path/to/stage6_demo
set -euo pipefail
demo=$1
if ! command -v python3 >/dev/null; then
  echo "skipped: there is no python3"
  exit 77
fi

scratch=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill $server 2>/dev/null || true; rm -rf "$scratch"' EXIT

python=python3
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import httpbin' 2>/dev/null; then python=$candidate; fi
done
if "$python" -c 'import httpbin' 2>/dev/null; then
  kind=httpbin
  "$python" -u - >"$scratch/server" 2>"$scratch/log" <<'PYTHON' &
from httpbin import app
from werkzeug.serving import make_server
server = make_server('127.0.0.1', 0, app, threaded=True)
print('port', server.server_port)
server.serve_forever()
PYTHON
else
  kind=http.server # which sends the file "get", whatever is behind the question mark
  mkdir "$scratch/files"
  echo '{"args": {"a": "42"}}' >"$scratch/files/get"
  "$python" -u -m http.server 0 --bind 127.0.0.1 --directory "$scratch/files" >"$scratch/server" 2>"$scratch/log" &
fi
server=$!
for _ in $(seq 600); do  # a minute: on a busy machine
  grep -q 'port [0-9]' "$scratch/server" && break
  sleep 0.1
done
port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$scratch/server")

fail() {
  echo "FAILED ($kind): $1"
  cat "$scratch/out" "$scratch/log"
  exit 1
}
"$demo" "http://127.0.0.1:$port/get?a={}" >"$scratch/out" || fail "the demo ended with an error"
grep -qx 'Status: 200' "$scratch/out" || fail "no status"
[[ $(grep -c '^fetch(' "$scratch/out") == 12 ]] || fail "not twelve fetches"
[[ $(grep -c '^consuming ' "$scratch/out") == 7 ]] || fail "not seven consumed"
[[ $(grep -c '^URL: http://127.0.0.1/get?a=[012], Length: ' "$scratch/out") == 3 ]] || fail "not three lengths"
for number in $(seq 0 11); do
  result=$number
  if [[ $kind == http.server ]]; then result=42; fi
  grep -qx "fetch($number) = $result" "$scratch/out" || fail "fetch($number) is wrong"
done

# Nobody there: one line that says so, and an exit code.
kill $server
wait $server 2>/dev/null || true
server=
if "$demo" "http://127.0.0.1:$port/get?a={}" >"$scratch/out" 2>&1; then fail "no error without a server"; fi
grep -q 'Connection refused' "$scratch/out" || fail "the error does not say what is wrong"
echo "our client and $kind understand each other"

# Our server, asked by a client that is not ours: curl. Usage: curl.sh path/to/stage6_demo
set -euo pipefail
demo=$1
if ! command -v curl >/dev/null; then
  echo "skipped: there is no curl"
  exit 77
fi

scratch=$(mktemp -d)
"$demo" serve >"$scratch/server" &
server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$scratch"' EXIT
for _ in $(seq 600); do  # a minute: on a busy machine
  grep -q Serving "$scratch/server" && break
  sleep 0.1
done
base=$(grep -o 'http://127.0.0.1:[0-9]*' "$scratch/server")

fail() {
  echo "FAILED: $1"
  cat "$scratch"/*
  exit 1
}
get() { curl --silent --show-error --max-time 20 --noproxy '*' "$@"; }

get "$base/get?a=7&b=x" >"$scratch/json"
grep -q '"a": "7"' "$scratch/json" || fail "args.a is not 7"
grep -q '"b": "x"' "$scratch/json" || fail "args.b is not x"
grep -q '"origin": "127.0.0.1"' "$scratch/json" || fail "the origin is missing"
grep -qF "\"url\": \"$base/get?a=7&b=x\"" "$scratch/json" || fail "the url is not the one asked for"
grep -q '"user-agent": "curl/' "$scratch/json" || fail "the headers are missing"

[[ $(get "$base/") == *"It works"* ]] || fail "the page is missing"
[[ $(get -o /dev/null -w '%{http_code}' "$base/nowhere") == 404 ]] || fail "a page that is not there is no 404"
[[ $(get -o /dev/null -w '%{http_code}' -d x=1 "$base/get") == 405 ]] || fail "POST is no 405"

# Twenty at once; and one that hangs up in the middle of its request.
exec 3<>"/dev/tcp/127.0.0.1/${base##*:}" && printf 'GET /get' >&3 && exec 3>&-
clients=()
for number in $(seq 20); do
  get "$base/get?a=$number" >"$scratch/answer$number" &
  clients+=($!)
done
for client in "${clients[@]}"; do wait "$client" || fail "one of twenty clients failed"; done
for number in $(seq 20); do
  grep -q "\"a\": \"$number\"" "$scratch/answer$number" || fail "client $number got another's answer"
done
echo "curl and our server understand each other"

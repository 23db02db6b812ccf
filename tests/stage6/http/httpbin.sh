# asyncio::http against a server that is not ours: httpbin. Usage: httpbin.sh path/to/stage6_http_demo
set -euo pipefail
demo=$1
python=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import httpbin, werkzeug' 2>/dev/null; then python=$candidate; fi
done
if [[ -z $python ]]; then
  echo "skipped: there is no httpbin (Debian: python3-httpbin)"
  exit 77
fi

scratch=$(mktemp -d)
certificate=()
if command -v openssl >/dev/null && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$scratch/key" -out "$scratch/certificate" 2>/dev/null; then
  certificate=("$scratch/certificate" "$scratch/key")
fi
"$python" -W ignore "$(dirname -- "${BASH_SOURCE[0]}")/httpbin_server.py" "${certificate[@]}" >"$scratch/server" 2>"$scratch/log" &
server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$scratch"' EXIT
for _ in $(seq 600); do
  grep -q '^ready' "$scratch/server" && break
  kill -0 $server 2>/dev/null || { cat "$scratch/log"; exit 1; }
  sleep 0.1
done
export no_proxy=127.0.0.1  # whatever the environment says of others
export HTTPBIN_URL="http://127.0.0.1:$(sed -n 's/^port //p' "$scratch/server")"
if ((${#certificate[@]})); then
  export HTTPBIN_TLS_URL="https://127.0.0.1:$(sed -n 's/^tls port //p' "$scratch/server")"
  export HTTPBIN_CERTIFICATE=$scratch/certificate
fi

"$(dirname -- "$demo")/stage6_httpbin_tests" || { tail -n 40 "$scratch/log"; exit 1; }

# The notes' programs, line by line the same as with our own server; but for their order, and the lengths.
"$demo" "$HTTPBIN_URL/get?a={}" >"$scratch/out"
[[ $(grep -c '^fetch(' "$scratch/out") == 12 ]] || { cat "$scratch/out"; exit 1; }
for number in $(seq 0 11); do
  grep -qx "fetch($number) = $number" "$scratch/out" || { echo "fetch($number) is wrong"; exit 1; }
done
diff <(grep -E '^(producing|consuming)' "$scratch/out") \
  <(grep -E '^(producing|consuming)' "$(dirname -- "${BASH_SOURCE[0]}")/demo.expected")
[[ $(grep -c '^URL: http://127.0.0.1/get?a=[012], Length: ' "$scratch/out") == 3 ]]
"$demo" "$HTTPBIN_URL/base64/aGVsbG8sIHdvcmxk" >"$scratch/out"
grep -q '^200 OK  http://127.0.0.1' "$scratch/out"
grep -q 'hello, world' "$scratch/out"

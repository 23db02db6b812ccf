# Tests our https servers with foreign programs, curl and openssl; and the chat of two programs.
# Usage: peers.sh path/to/stage6_ssl_demo, which stands beside stage6_ssl_https_server
set -euo pipefail
demo=$1
for tool in curl openssl; do
  if ! command -v $tool >/dev/null; then
    echo "skipped: there is no $tool"
    exit 77
  fi
done

scratch=$(mktemp -d)
"$demo" serve 0 "$scratch/cert.pem" >"$scratch/server" &
servers=($!)
trap 'kill "${servers[@]}" 2>/dev/null || true; rm -rf "$scratch"' EXIT
for _ in $(seq 600); do
  grep -q Serving "$scratch/server" && break
  sleep 0.1
done
port=$(sed -n 's/.*localhost:\([0-9]*\).*/\1/p' "$scratch/server")

fail() {
  echo "FAILED: $1"
  exit 1
}
get() { curl --silent --show-error --max-time 20 --noproxy '*' --resolve "localhost:$port:127.0.0.1" "$@"; }
ask() { # ask OPTIONS...: s_client's report, after the page
  printf 'GET / HTTP/1.1\r\n\r\n' |
    timeout 20 openssl s_client -connect "127.0.0.1:$port" -CAfile "$scratch/cert.pem" -servername localhost \
      -verify_hostname localhost -ign_eof "$@" 2>&1
}

[[ $(get --cacert "$scratch/cert.pem" "https://localhost:$port/") == *'It works'* ]] || fail 'curl gets no page'
if get "https://localhost:$port/" >/dev/null 2>&1; then fail 'curl trusts a certificate that nobody signed'; fi

for version in tls1_2 tls1_3; do
  report=$(ask -$version) || true
  [[ $report == *'It works'* ]] || fail "openssl gets no page with $version"
  [[ $report == *'Verify return code: 0 (ok)'* ]] || fail "openssl does not verify with $version"
done
report=$(ask -tls1_1 -cipher ALL:@SECLEVEL=0) || true
[[ $report != *'It works'* ]] || fail 'TLS 1.1 is accepted'

# "R" asks for a new handshake in the middle of a connection of TLS 1.2.
: >"$scratch/report"
says() { grep -q "$1" "$scratch/report"; }
{
  for _ in $(seq 200); do if says 'Verify return code'; then break; else sleep 0.1; fi; done
  echo R
  for _ in $(seq 200); do if says 'no renegotiation'; then break; else sleep 0.1; fi; done
} | timeout 60 openssl s_client -connect "127.0.0.1:$port" -CAfile "$scratch/cert.pem" -tls1_2 >"$scratch/report" 2>&1 || true
report=$(<"$scratch/report")
[[ $report == *RENEGOTIATING* && $report == *'no renegotiation'* ]] || fail 'renegotiation is not refused'

# A TLS 1.2 session is resumed, and the server survives nonsense.
ask -tls1_2 -sess_out "$scratch/session" >/dev/null || true
report=$(ask -tls1_2 -sess_in "$scratch/session") || true
[[ $report == *'Reused, TLSv1.2'* ]] || fail 'the session is not resumed'
printf 'nonsense that is no hello\r\n\r\n' >"/dev/tcp/127.0.0.1/$port" || true
[[ $(get --cacert "$scratch/cert.pem" "https://localhost:$port/") == *'It works'* ]] || fail 'the server did not survive nonsense'

# The server of ten lines, as the lesson starts it.
mkdir "$scratch/ten"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout "$scratch/ten/key.pem" -out "$scratch/ten/cert.pem" 2>/dev/null
for _ in $(seq 20); do # until it finds a port that nobody has
  port=$((20000 + RANDOM % 12000))
  (cd "$scratch/ten" && exec "$(dirname "$demo")/stage6_ssl_https_server" $port) 2>/dev/null &
  ten=$!
  servers+=($ten)
  for _ in $(seq 50); do
    kill -0 $ten 2>/dev/null || break
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break 2; fi
    sleep 0.1
  done
done
[[ $(get --cacert "$scratch/ten/cert.pem" "https://localhost:$port/") == 'It works, and nobody listens in.' ]] ||
  fail 'curl gets no page from the server of ten lines'

# Two programs chat.
"$demo" listen 0 "$scratch/chat.pem" >"$scratch/listening" &
servers+=($!)
for _ in $(seq 600); do
  grep -q Listening "$scratch/listening" && break
  sleep 0.1
done
port=$(sed -n 's/.*localhost:\([0-9]*\).*/\1/p' "$scratch/listening")
said=$(printf 'hello\nis this private?\n' | timeout 20 "$demo" talk "$port" "$scratch/chat.pem")
[[ $said == $'you said hello\nyou said is this private?' ]] || fail "the chat's client says: $said"
for _ in $(seq 600); do
  grep -q 'hears the end' "$scratch/listening" && break
  sleep 0.1
done
heard=$(tail -n +2 "$scratch/listening")
[[ $heard == $'the server hears: hello\nthe server hears: is this private?\nthe server hears the end' ]] ||
  fail "the chat's server says: $heard"
if timeout 20 "$demo" talk "$port" "$scratch/cert.pem" </dev/null >/dev/null 2>&1; then fail 'it trusts another certificate'; fi

# `serve --tls` prints a URL.
"$demo" serve --tls >"$scratch/with_tls" &
servers+=($!)
for _ in $(seq 600); do
  grep -q 'https://localhost:[0-9]' "$scratch/with_tls" && break
  sleep 0.1
done
grep -q 'https://localhost:[0-9]' "$scratch/with_tls" || fail '`serve --tls` prints no URL'
echo 'curl, openssl and our servers understand each other'

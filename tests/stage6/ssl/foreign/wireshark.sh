# tshark decrypts what it has captured on the loopback, by our log of the secrets. Skipped where it may not capture.
source "$(dirname -- "${BASH_SOURCE[0]}")/../../foreign/common.sh"
need tshark curl

demo=$programs/stage6_ssl_demo
if [[ ! -x $demo ]]; then
  echo 'skipped: the demos are not built'
  exit 77
fi

SSLKEYLOGFILE=$scratch/keys start server "$demo" serve 0 "$scratch/cert.pem"
wait_until grep -q Serving "$scratch/server.out"
port=$(sed -n 's/.*localhost:\([0-9]*\).*/\1/p' "$scratch/server.out")

start tshark tshark -i lo -f "tcp port $port" -w "$scratch/capture"
tshark=${started[-1]}
for _ in $(seq 100); do
  if ! kill -0 "$tshark" 2>/dev/null; then
    echo "skipped: tshark cannot capture here: $(tail -n 1 "$scratch/tshark.err")"
    exit 77
  fi
  grep -q 'Capture started' "$scratch/tshark.err" && break
  sleep 0.1
done
page=$(curl --silent --max-time 20 --noproxy '*' --cacert "$scratch/cert.pem" "https://localhost:$port/")
[[ $page == *'It works'* ]] || fail 'curl gets no page'
sleep 1 # what was captured reaches the file
kill -INT "$tshark"
wait "$tshark" || true

# read_with OPTIONS...: the page's stream of bytes, as far as tshark can read it
read_with() { tshark -r "$scratch/capture" -d "tcp.port==$port,tls" "$@" -q -z follow,tls,ascii,0 2>"$scratch/read.err"; }
[[ $(read_with -o "tls.keylog_file:$scratch/keys") == *'It works, and nobody listens in.'* ]] || fail 'tshark does not decrypt'
[[ $(read_with) != *'It works'* ]] || fail 'tshark needs no secrets'
echo 'tshark reads our page with the log of the secrets, and not without'

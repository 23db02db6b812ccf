# Chromium fetches a page from the demo's https server, with the server's key as the only one that it may trust.
source "$(dirname -- "${BASH_SOURCE[0]}")/../../foreign/common.sh"
need chromium openssl

demo=$programs/stage6_ssl_demo
if [[ ! -x $demo ]]; then
  echo 'skipped: the demos are not built'
  exit 77
fi

start server "$demo" serve 0 "$scratch/cert.pem"
wait_until grep -q Serving "$scratch/server.out"
port=$(sed -n 's/.*localhost:\([0-9]*\).*/\1/p' "$scratch/server.out")
key=$(openssl x509 -in "$scratch/cert.pem" -noout -pubkey | openssl pkey -pubin -outform der |
  openssl dgst -sha256 -binary | openssl base64)

# browse OPTIONS...: the page as chromium understands it.
browse() {
  timeout 100 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$scratch/profile" \
    --proxy-server=direct:// --dump-dom "$@" "https://localhost:$port/" 2>"$scratch/chromium.err"
}
page=$(browse --ignore-certificate-errors-spki-list="$key") || fail 'chromium fails'
[[ $page == *'It works, and nobody listens in.'* ]] || fail "chromium shows another page: $page"
page=$(browse) || true
[[ $page != *'It works'* ]] || fail 'chromium trusts a certificate that nobody signed'
echo 'chromium reads our page over https'

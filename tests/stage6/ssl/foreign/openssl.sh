# The openssl program's server and our client: versions, ALPN, resumption, client certificates. ../peers.sh has the other way.
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

# serve NAME OPTIONS...: an openssl server that sends each line back in reverse.
serve() {
  local name=$1
  shift
  start "$name" openssl s_server -accept 0 -cert "$scratch/certificates/valid.pem" -key "$scratch/certificates/valid.key" -rev "$@"
  wait_until grep -q '^ACCEPT .*:[0-9]' "$scratch/$name.out"
  port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$scratch/$name.out")
}
ask=("$peer" ask how=lines ca="$root")

serve tls12 -tls1_2 -alpn lines
says 'TLSv1.2 new lines' 'TLS 1.2 and ALPN' "${ask[@]}" port="$port" alpn=lines times=2
grep -qx 'TLSv1.2 resumed lines' "$scratch/said.out" || fail 'a session of TLS 1.2 is not resumed'
serve tls13 -tls1_3 -alpn lines
says 'TLSv1.3 new lines' 'TLS 1.3 and ALPN' "${ask[@]}" port="$port" alpn=lines times=2
grep -qx 'TLSv1.3 resumed lines' "$scratch/said.out" || fail 'a session of TLS 1.3 is not resumed'
fails 'Hostname mismatch' 'a wrong name' "${ask[@]}" port="$port" name=example.org
serve old -tls1_1 -cipher ALL:@SECLEVEL=0
fails 'version' 'TLS 1.1' "${ask[@]}" port="$port"
for version in tls1_2 tls1_3; do
  serve "asking_$version" -$version -Verify 1 -verify_return_error -CAfile "$root"
  says 'new' "a client's certificate with $version" "${ask[@]}" port="$port" "${client[@]}"
  fails 'alert' "a client's unknown root with $version" "${ask[@]}" port="$port" "${refused[@]}"
  fails 'alert' "no certificate with $version" "${ask[@]}" port="$port"
done
echo 'openssl s_server and our client understand each other'

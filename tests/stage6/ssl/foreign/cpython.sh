# CPython's asyncio and ours over TLS: each the client of the other's echo server, by streams and by protocols, with TLS 1.2 and
# 1.3, ALPN, client certificates, and refused certificates.
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need python3
if ! python3 -c 'import sys, ssl; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo 'skipped: there is no python3 of 3.11 or later with ssl'
  exit 77
fi
python=(python3 -u "$here/peer.py")

for how in streams protocol; do
  start "ours_$how" "$peer" serve how=$how "${server[@]}" alpn=echo
  start "theirs_$how" "${python[@]}" serve how=$how "${server[@]}" alpn=echo
  start "ours_asking_$how" "$peer" serve how=$how "${server[@]}" ca="$root"
  start "theirs_asking_$how" "${python[@]}" serve how=$how "${server[@]}" ca="$root"
done
for how in streams protocol; do
  for of in ours theirs; do
    ask=("$peer" ask how=$how)
    who="our client, CPython's server, $how"
    if [[ $of == ours ]]; then
      ask=("${python[@]}" ask how=$how)
      who="CPython's client, our server, $how"
    fi
    port=$(port_of "${of}_$how") asking=$(port_of "${of}_asking_$how")
    says 'TLSv1.3 new echo' "$who" "${ask[@]}" port="$port" ca="$root" alpn=echo times=2
    says 'TLSv1.2 new' "$who, 1.2" "${ask[@]}" port="$port" ca="$root" max=1.2
    fails 'certificate verify failed' "$who, wrong name" "${ask[@]}" port="$port" ca="$root" name=example.org
    fails 'unable to get local issuer' "$who, unknown root" "${ask[@]}" port="$port" ca="$scratch/certificates/other_root.pem"
    says 'TLSv1.3' "$who, a client's certificate" "${ask[@]}" port="$asking" ca="$root" "${client[@]}"
    says 'TLSv1.2' "$who, a client's certificate, 1.2" "${ask[@]}" port="$asking" ca="$root" "${client[@]}" max=1.2
    # CPython's server closes without an alert; and with TLS 1.3 a reset may overtake ours, as the client writes already.
    # If it has not written yet, it hears only of the end.
    refusal='alert|reset|broken pipe|closed|lost|0 bytes read'
    fails "$refusal" "$who, no certificate" "${ask[@]}" port="$asking" ca="$root"
    fails "$refusal" "$who, no certificate, 1.2" "${ask[@]}" port="$asking" ca="$root" max=1.2
    fails "$refusal" "$who, a client's unknown root" "${ask[@]}" port="$asking" ca="$root" "${refused[@]}"
  done
done
echo "CPython's TLS and ours understand each other"

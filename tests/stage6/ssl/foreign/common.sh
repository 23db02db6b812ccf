# What the scripts of this folder share, beside ../../foreign/common.sh: $peer, and $scratch with the certificates in it.
source "$(dirname -- "${BASH_SOURCE[0]}")/../../foreign/common.sh"
here=$(dirname -- "${BASH_SOURCE[0]}")
peer=$programs/stage6_ssl_peer
need openssl
mkdir "$scratch/certificates"
bash "$here/../certificates/make.sh" "$scratch/certificates" || fail 'no certificates'
root=$scratch/certificates/root.pem
server=(cert="$scratch/certificates/valid.pem" key="$scratch/certificates/valid.key")
client=(cert="$scratch/certificates/client.pem" key="$scratch/certificates/client.key")
refused=(cert="$scratch/certificates/client_unknown_root.pem" key="$scratch/certificates/client_unknown_root.key")

# says TEXT WHAT COMMAND...: the command succeeds, and prints the text.
says() {
  local text=$1 what=$2
  shift 2
  "$@" >"$scratch/said.out" 2>"$scratch/said.err" || fail "$what: it fails"
  grep -qF -- "$text" "$scratch/said.out" || fail "$what: no '$text'"
}

# fails PATTERN WHAT COMMAND...: the command fails, and says why.
fails() {
  local text=$1 what=$2
  shift 2
  if "$@" >"$scratch/said.out" 2>"$scratch/said.err"; then fail "$what: it succeeds"; fi
  grep -qiE -- "$text" "$scratch/said.err" "$scratch/said.out" || fail "$what: no '$text'"
}

#!/usr/bin/env bash
# make.sh FOLDER: the certificates of the table in `expected`, made by the openssl program: FOLDER/NAME.pem (with its chain) and
# FOLDER/NAME.key, and the roots. Their dates are fixed; their keys are new each time.
set -euo pipefail
cd -- "$1"

cat >ca.cnf <<'END'
[ca]
default_ca = ours
[ours]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
END
: >index.txt

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null ||
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }

ids=$'subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid:always'
authority=$'basicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign'
leaf=$'basicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature\nextendedKeyUsage = serverAuth'
names='subjectAltName = DNS:localhost,DNS:here.example.org,IP:127.0.0.1,IP:::1'
client=${leaf/serverAuth/clientAuth}

# issue NAME ISSUER EXTENSIONS [OPTIONS OF `openssl ca`]: with NAME.key, if that is there, or a new key.
issue() {
  local name=$1 by=$2 extensions=$3
  shift 3
  [[ -e $name.key ]] || key "$name"
  openssl req -new -config ca.cnf -key "$name.key" -subj "/CN=${common_name:-$name}" -out request.pem
  printf '%s\n' "$extensions" >extensions.cnf
  if [[ $by == "$name" ]]; then set -- -selfsign "$@"; else set -- -cert "$by.pem" "$@"; fi
  openssl ca -batch -notext -config ca.cnf -keyfile "$by.key" -in request.pem -out "$name.pem" -extfile extensions.cnf \
    -startdate 20200101000000Z -enddate 20990101000000Z "$@" 2>/dev/null
}
and_chain() { cat "$2.pem" >>"$1.pem"; }

issue root root "subjectKeyIdentifier = hash"$'\n'"$authority"
issue other_root other_root "subjectKeyIdentifier = hash"$'\n'"$authority"

issue valid root "$ids"$'\n'"$leaf"$'\n'"$names"
issue expired root "$ids"$'\n'"$leaf"$'\n'"$names" -enddate 20210101000000Z
issue not_yet_valid root "$ids"$'\n'"$leaf"$'\n'"$names" -startdate 20900101000000Z
issue wildcard root "$ids"$'\n'"$leaf"$'\n''subjectAltName = DNS:*.example.org'
issue partial_wildcard root "$ids"$'\n'"$leaf"$'\n''subjectAltName = DNS:w*.example.org'
common_name=localhost issue only_common_name root "$ids"$'\n'"$leaf"
issue self_signed self_signed "subjectKeyIdentifier = hash"$'\n'"$leaf"$'\n'"$names"
issue unknown_root other_root "$ids"$'\n'"$leaf"$'\n'"$names"

issue intermediate root "$ids"$'\n'"$authority"
issue incomplete_chain intermediate "$ids"$'\n'"$leaf"$'\n'"$names"
issue with_chain intermediate "$ids"$'\n'"$leaf"$'\n'"$names"
and_chain with_chain intermediate
issue old_intermediate root "$ids"$'\n'"$authority" -enddate 20210101000000Z
issue chain_expired old_intermediate "$ids"$'\n'"$leaf"$'\n'"$names"
and_chain chain_expired old_intermediate
issue no_authority root "$ids"$'\n'"$leaf"$'\n'"$names"
issue signed_by_leaf no_authority "$ids"$'\n'"$leaf"$'\n'"$names"
and_chain signed_by_leaf no_authority
issue short_path root "$ids"$'\n'"${authority/TRUE/TRUE,pathlen:0}"
issue below_it short_path "$ids"$'\n'"$authority"
issue too_long_path below_it "$ids"$'\n'"$leaf"$'\n'"$names"
and_chain too_long_path below_it
and_chain too_long_path short_path
issue only_example_com root "$ids"$'\n'"$authority"$'\n''nameConstraints = critical,permitted;DNS:example.com'
issue name_not_permitted only_example_com "$ids"$'\n'"$leaf"$'\n'"$names"
and_chain name_not_permitted only_example_com

issue for_clients root "$ids"$'\n'"$client"$'\n'"$names"
issue for_anything root "$ids"$'\n'"${leaf%$'\n'*}"$'\n'"$names"
issue no_issuer_id root 'subjectKeyIdentifier = hash'$'\n'"$leaf"$'\n'"$names"$'\n''authorityKeyIdentifier = none'
issue critical_unknown root "$ids"$'\n'"$leaf"$'\n'"$names"$'\n''1.2.3.4.5 = critical,DER:05:00'
openssl genrsa -out weak_key.key 1024 2>/dev/null
issue weak_key root "$ids"$'\n'"$leaf"$'\n'"$names"
issue weak_digest root "$ids"$'\n'"$leaf"$'\n'"$names" -md sha1

issue client root "$ids"$'\n'"$client"
issue client_expired root "$ids"$'\n'"$client" -enddate 20210101000000Z
issue client_unknown_root other_root "$ids"$'\n'"$client"
issue client_self_signed client_self_signed "subjectKeyIdentifier = hash"$'\n'"$client"
issue client_for_servers root "$ids"$'\n'"$leaf"

#!/usr/bin/env python3
"""Which certificates CPython accepts, and with which words it refuses the others. Written to `expected`, which the test
compares with ours, row by row.

record.py FOLDER    FOLDER is what make.sh has filled. Needs CPython 3.13, whose create_default_context() verifies strictly.
"""

import pathlib
import ssl
import sys

HERE = pathlib.Path(__file__).resolve().parent

# The certificate that is shown, the roots that are trusted, and the name that the other side expects; a client's: "-".
ROWS = """
valid root localhost
valid root LOCALHOST
valid root here.example.org
valid root 127.0.0.1
valid root ::1
valid root example.org
valid root localhost.
valid root 127.0.0.2
valid root ::2
valid valid localhost
valid other_root localhost
expired root localhost
not_yet_valid root localhost
wildcard root www.example.org
wildcard root example.org
wildcard root a.b.example.org
partial_wildcard root www.example.org
only_common_name root localhost
only_common_name root 127.0.0.1
self_signed root localhost
self_signed self_signed localhost
unknown_root root localhost
incomplete_chain root localhost
incomplete_chain intermediate localhost
with_chain root localhost
chain_expired root localhost
signed_by_leaf root localhost
too_long_path root localhost
name_not_permitted root localhost
for_clients root localhost
for_anything root localhost
no_issuer_id root localhost
critical_unknown root localhost
weak_key root localhost
weak_digest root localhost
client root -
client_expired root -
client_unknown_root root -
client_self_signed root -
client_for_servers root -
none root -
"""


def side_that_shows(folder, name, server):
    """A context that takes any certificate as its own, and trusts everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if name != "none":
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def verdict(folder, name, trusted, host):
    of_client = host == "-"
    purpose = ssl.Purpose.CLIENT_AUTH if of_client else ssl.Purpose.SERVER_AUTH
    verifying = ssl.create_default_context(purpose, cafile=folder / f"{trusted}.pem")
    if of_client:
        verifying.load_cert_chain(folder / "valid.pem", folder / "valid.key")
        verifying.verify_mode = ssl.CERT_REQUIRED
    showing = side_that_shows(folder, name, server=not of_client)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = verifying.wrap_bio(back, there, server_side=of_client, server_hostname=None if of_client else host)
    theirs = showing.wrap_bio(there, back, server_side=not of_client)
    for _ in range(10):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as error:
                return f"{error.verify_code} {error.verify_message}"
            except ssl.SSLError as error:
                return error.reason
    return "accepted"


def main():
    if sys.version_info[:2] != (3, 13):
        sys.exit("record.py: the table is CPython 3.13's; this is another")
    folder = pathlib.Path(sys.argv[1])
    lines = [f"# Recorded by record.py: certificate, trusted roots, expected name, and what CPython says. {ssl.OPENSSL_VERSION}"]
    for row in ROWS.split("\n"):
        if row:
            lines.append(f"{row} {verdict(folder, *row.split())}")
    (HERE / "expected").write_text("\n".join(lines) + "\n", encoding="utf-8")


main()

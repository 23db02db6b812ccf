# CPython's asyncio and ours: each the client of the other's echo server, by streams and by datagrams.
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need python3
script=$(dirname -- "${BASH_SOURCE[0]}")/asyncio_echo.py

start tcp "$programs/stage6_echo" serve tcp
start unix "$programs/stage6_echo" serve unix "$scratch/socket"
start udp "$programs/stage6_echo" serve udp
start python_tcp python3 -u "$script" serve tcp
start python_unix python3 -u "$script" serve unix "$scratch/python_socket"
start python_udp python3 -u "$script" serve udp

wait_until grep -q ready "$scratch/unix.out"
python3 "$script" ask tcp "$(port_of tcp)" || fail "CPython's client, our TCP server"
python3 "$script" ask unix "$scratch/socket" || fail "CPython's client, our Unix server"
python3 "$script" ask udp "$(port_of udp)" || fail "CPython's client, our UDP server"
wait_until grep -q ready "$scratch/python_unix.out"
"$programs/stage6_echo" ask tcp "$(port_of python_tcp)" || fail "our client, CPython's TCP server"
"$programs/stage6_echo" ask unix "$scratch/python_socket" || fail "our client, CPython's Unix server"
"$programs/stage6_echo" ask udp "$(port_of python_udp)" || fail "our client, CPython's UDP server"
echo "CPython and we understand each other"

# nc (OpenBSD's) as a client of our echo, and as a server of one connection.
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need nc
if ! nc -h 2>&1 | grep -q OpenBSD; then
  echo "skipped: this nc is not OpenBSD's"
  exit 77
fi
head -c 1000000 /dev/urandom >"$scratch/data"

start tcp "$programs/stage6_echo" serve tcp
start unix "$programs/stage6_echo" serve unix "$scratch/socket"
start udp "$programs/stage6_echo" serve udp
tcp=$(port_of tcp) udp=$(port_of udp)
wait_until grep -q ready "$scratch/unix.out"

nc -N 127.0.0.1 "$tcp" <"$scratch/data" >"$scratch/back"
cmp "$scratch/data" "$scratch/back" || fail "TCP: another file came back"
nc -N -U "$scratch/socket" <"$scratch/data" >"$scratch/back"
cmp "$scratch/data" "$scratch/back" || fail "Unix socket: another file came back"
[[ $(udp_answer hello nc -u 127.0.0.1 "$udp") == hello ]] || fail "UDP: no hello"

# Twenty at once, and one that hangs up in the middle.
clients=()
for number in $(seq 20); do
  nc -N 127.0.0.1 "$tcp" <"$scratch/data" >"$scratch/back$number" &
  clients+=($!)
done
head -c 100000 "$scratch/data" | timeout 1 nc -w 1 127.0.0.1 "$tcp" >/dev/null || true
for client in "${clients[@]}"; do wait "$client" || fail "one of twenty failed"; done
for number in $(seq 20); do cmp "$scratch/data" "$scratch/back$number" || fail "client $number"; done
echo "nc and we understand each other"

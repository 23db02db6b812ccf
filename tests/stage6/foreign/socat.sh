# socat and our echo: over TCP, a Unix socket and UDP, each of us once the server.
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need socat
echo_program=$programs/stage6_echo
head -c 3000000 /dev/urandom >"$scratch/data"

# --- Our server, socat the client: it sends a file, says that this was all, and gets the same file.
start tcp "$echo_program" serve tcp
start unix "$echo_program" serve unix "$scratch/socket"
start udp "$echo_program" serve udp
tcp=$(port_of tcp) udp=$(port_of udp)
wait_until grep -q ready "$scratch/unix.out"

socat -t 60 - "TCP:127.0.0.1:$tcp" <"$scratch/data" >"$scratch/back"
cmp "$scratch/data" "$scratch/back" || fail "TCP: another file came back"
socat -t 60 - "UNIX-CONNECT:$scratch/socket" <"$scratch/data" >"$scratch/back"
cmp "$scratch/data" "$scratch/back" || fail "Unix socket: another file came back"
for message in one two three; do
  [[ $(udp_answer "$message" socat - "UDP:127.0.0.1:$udp") == "$message" ]] || fail "UDP: no $message"
done

# --- socat the server, our client.
# -t: when our client says that this was all, cat may still have a part of it.
start socat_unix socat -t 60 "UNIX-LISTEN:$scratch/theirs,fork" EXEC:cat
wait_until test -S "$scratch/theirs"
"$echo_program" ask unix "$scratch/theirs" || fail "our client and socat's Unix socket"
port=$(free_port)
start socat_tcp socat -t 60 "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr" EXEC:cat
wait_until listens "$port"
"$echo_program" ask tcp "$port" || fail "our client and socat's TCP"
port=$(free_port)
start socat_udp socat -b 65536 "UDP-LISTEN:$port,bind=127.0.0.1" PIPE
wait_until grep -q ":$(printf '%04X' "$port") " /proc/net/udp
"$echo_program" ask udp "$port" || fail "our client and socat's UDP"
echo "socat and we understand each other"

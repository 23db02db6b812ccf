# Clients that are not ours, against our echo servers: CPython's asyncio, with streams and datagrams, and socat or nc.
# Usage: echo.sh path/to/stage6_demo
set -euo pipefail
demo=$1
if ! command -v python3 >/dev/null; then
  echo "skipped: there is no python3"
  exit 77
fi

scratch=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill $server 2>/dev/null || true; rm -rf "$scratch"' EXIT
"$demo" echo "$scratch/socket" >"$scratch/where" &
server=$!
for _ in $(seq 600); do  # a minute: on a busy machine
  grep -q '^unix ' "$scratch/where" && break
  sleep 0.1
done
port() { sed -n "s/^$1 //p" "$scratch/where"; }

# udp_answer MESSAGE CLIENT...: the line that comes back. UDP has no end, so the client is ended when the line is there.
udp_answer() {
  local message=$1 answer=
  shift
  coproc "$@"
  echo "$message" >&"${COPROC[1]}"
  read -r -t 60 answer <&"${COPROC[0]}" || true
  kill "$COPROC_PID"
  echo "$answer"
}

python3 - "$(port streams)" "$(port protocol)" "$(port udp)" "$(port unix)" <<'PYTHON'
import asyncio, os, sys

streams, protocol, udp, path = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
data = os.urandom(3_000_000)

async def there_and_back(reader, writer):
    async def send():
        for at in range(0, len(data), 70_001):
            writer.write(data[at:at + 70_001])
            await writer.drain()
        writer.write_eof()
    sending = asyncio.ensure_future(send())
    back = await reader.read()
    await sending
    writer.close()
    assert back == data, f'{len(back)} of {len(data)} bytes came back, or others'

class Collect(asyncio.DatagramProtocol):
    def __init__(self, count):
        self.count, self.received, self.all = count, [], asyncio.get_running_loop().create_future()
    def datagram_received(self, data, address):
        self.received.append(data)
        if len(self.received) == self.count:
            self.all.set_result(None)

async def main():
    await there_and_back(*await asyncio.open_connection('127.0.0.1', streams))
    await there_and_back(*await asyncio.open_connection('127.0.0.1', protocol))
    await there_and_back(*await asyncio.open_unix_connection(path))
    messages = [b'', b'x', os.urandom(9000)]
    transport, collect = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Collect(len(messages)), remote_addr=('127.0.0.1', udp))
    for message in messages:
        transport.sendto(message) if message else transport._sock.send(message)
    await collect.all
    assert collect.received == messages
    transport.close()

asyncio.run(asyncio.wait_for(main(), 60))
PYTHON

if command -v socat >/dev/null; then
  for where in "TCP:127.0.0.1:$(port streams)" "TCP:127.0.0.1:$(port protocol)" "UNIX-CONNECT:$scratch/socket"; do
    [[ $(echo hello | socat -t 60 - "$where") == hello ]] || { echo "FAILED: socat $where"; exit 1; }
  done
  [[ $(udp_answer hello socat - "UDP:127.0.0.1:$(port udp)") == hello ]] || { echo "FAILED: socat UDP"; exit 1; }
elif command -v nc >/dev/null; then
  [[ $(echo hello | timeout 60 nc -N 127.0.0.1 "$(port streams)") == hello ]] || { echo "FAILED: nc"; exit 1; }
fi

"""GLib's loop and ours go on side by side: clients are answered, and GLib's timer fires meanwhile; nobody spins."""
import os
import time
from support import LIMIT, Server, check, connect

server = Server("0")
clients = [connect(server.port) for _ in range(3)]
for number in range(20):
    for client in clients:
        client.sendall(b"%d\n" % number)
        check(client.makefile("r").readline() == f"{number}\n", "a client gets its line back")


def used():
    with open(f"/proc/{server.process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


before = used()
time.sleep(1)  # nothing to do but GLib's heartbeat, each 5 ms
check(used() - before < 0.25, f"an idle guest has used {used() - before} s of the processor in one")

clients[0].sendall(b"stop\n")
check(server.process.wait(LIMIT) == 0, "it ends by itself")
rest = server.process.stdout.read()
check("GLib's heart beat meanwhile" in rest, rest)

"""A half-closed conversation; a reader that does not read, while the proxy stays small; a reset; no target."""
import hashlib
import socket
from support import Server, check, closed_port, connect, listener

target, port = listener()
proxy = Server(0, "127.0.0.1", port)

client = connect(proxy.port)
served, _ = target.accept()
client.sendall(b"a question")
client.shutdown(socket.SHUT_WR)
asked = b"".join(iter(lambda: served.recv(100), b""))
check(asked == b"a question", asked)
served.sendall(b"an answer")  # to one who has finished speaking
served.close()
answered = b"".join(iter(lambda: client.recv(100), b""))
check(answered == b"an answer", answered)
client.close()


def memory():
    with open(f"/proc/{proxy.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096


# The target does not read: the client cannot send on for ever.
before = memory()
client = connect(proxy.port)
served, _ = target.accept()
client.settimeout(0.3)
sent, digest = 0, hashlib.sha256()
block = bytes(range(256)) * 256
try:
    while sent < 256 << 20:
        n = client.send(block)
        digest.update(block[:n])
        sent += n
except TimeoutError:
    pass
check(sent < 256 << 20, "the client has to wait")
# Under AddressSanitizer that is with all that was freed.
check(memory() - before < 64 << 20, f"the proxy keeps {memory() - before} bytes")

client.shutdown(socket.SHUT_WR)
received = hashlib.sha256()
for data in iter(lambda: served.recv(1 << 20), b""):
    received.update(data)
check(received.digest() == digest.digest(), "what was sent arrives, and its end")
served.close()
client.close()

# A client that breaks off: the target hears of it.
client = connect(proxy.port)
served, _ = target.accept()
client.sendall(b"x")
check(served.recv(1) == b"x", "it arrives")
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() resets
client.close()
try:
    check(served.recv(1) == b"", "the end")
except ConnectionResetError:
    pass

lines = proxy.stop()
check(any("reset by peer" in line for line in lines), lines)

absent = closed_port()
proxy = Server(0, "127.0.0.1", absent)
client = connect(proxy.port)
check(client.recv(1) == b"", "without a target the client is let go")
lines = proxy.stop()
check(len(lines) == 1 and "Connection refused" in lines[0], lines)

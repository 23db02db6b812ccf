"""Three talk; one does not read and is put out; SIGTERM: the rest get what was written, and the connections end."""
import socket
from support import Server, check, LIMIT


class Member:
    def __init__(self, name, *, deaf=False):
        self.socket = socket.socket()
        if deaf:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(LIMIT)
        self.socket.connect(("127.0.0.1", server.port))
        self.lines = self.socket.makefile("r", newline="\n")
        self.hears("Your name?")
        self.say(name)

    def say(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def hears(self, text):
        line = self.lines.readline()
        check(line == text + "\n", f"{line[:80]!r} where {text!r} should be")


server = Server()
ann = Member("ann")
ann.hears("* ann comes in")
bob = Member("bob")
for member in [ann, bob]:
    member.hears("* bob comes in")
ann.say("hello")
bob.hears("ann: hello")

twin = Member("ann")
twin.hears("Sorry, not this one.")
check(twin.lines.readline() == "", "a second ann is refused")

deaf = Member("deaf", deaf=True)
for member in [ann, bob]:
    member.hears("* deaf comes in")
long_line = "!" * 60_000
for said in range(2000):  # more than the kernel and the server keep
    ann.say(long_line)
    line = bob.lines.readline()
    if line == "* deaf has left\n":
        break
    check(line == f"ann: {long_line}\n", line[:80])
else:
    check(False, "who does not read is put out")
bob.hears(f"ann: {long_line}")
ann.hears("* deaf has left")

bob.say("." * 70_000 * 2)  # longer than a line may be: only bob is put out
ann.hears("* bob has left")

carl = Member("carl")
ann.hears("* carl comes in")
lines = server.stop()
for member in [ann, carl]:
    if member is carl:
        member.hears("* carl comes in")
    member.hears("* the server takes leave")
    for line in member.lines:
        check(line.endswith(" has left\n"), line)
check(lines[0] == "deaf does not read, and is put out" and lines[-2:] == ["taking leave", "bye"], lines)
check(any(line.startswith("bob: ") for line in lines), lines)

# Who does not read at the end is cut off. How much the kernel takes is known about only, from above: hence some tries.
for spare in [8, 6, 10, 4, 12]:
    server = Server(0, 0.2)
    ann, bob, deaf = Member("ann"), Member("bob"), Member("deaf", deaf=True)
    for name in ["bob", "deaf"]:
        bob.hears(f"* {name} comes in")
    for _ in range(said - spare):
        ann.say(long_line)
        bob.hears(f"ann: {long_line}")
    lines = server.stop()
    if lines == ["taking leave", "some did not read: cut off", "bye"]:
        break
else:
    check(False, f"deaf is cut off: {lines}")

"""Servers that are well, ill, slow, silent, rude and absent; and never more than three connections at once."""
import threading
import time
from support import LIMIT, check, closed_port, in_thread, listener, run

now, most, answered, lock = 0, 0, 0, threading.Lock()
two_at_once, all_answered = threading.Event(), threading.Event()


def answer(connection, text):
    global now, most, answered
    with lock:
        now += 1
        most = max(most, now)
        if now == 2:
            two_at_once.set()
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    check(request.startswith(b"HEAD /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"), request)
    check(two_at_once.wait(LIMIT), "the first one waits for a second one")
    time.sleep(0.01)  # for one too many
    with lock:
        now -= 1
    connection.sendall(text)
    connection.close()
    with lock:
        answered += 1
        if answered == 14:
            all_answered.set()


def serve(sock, text):
    while True:
        connection, _ = sock.accept()
        in_thread(answer, connection, text)


ports = {}
for name, text in [("good", b"HTTP/1.1 200 OK\r\n\r\n"), ("bad", b"HTTP/1.1 503 Service Unavailable\r\n\r\n"),
                   ("rude", b"220 smtp\r\n")]:
    sock, ports[name] = listener()
    in_thread(serve, sock, text)

slow, ports["slow"] = listener()


def answer_last():
    connection, _ = slow.accept()
    check(all_answered.wait(LIMIT), "the slow one holds up nobody")
    answer(connection, b"HTTP/1.1 204 No Content\r\n\r\n")


in_thread(answer_last)
silent, ports["silent"] = listener()  # the kernel accepts, and nobody answers
ports["absent"] = closed_port()
url = {name: f"http://127.0.0.1:{port}/health" for name, port in ports.items()}

lines = run(LIMIT, 3, url["slow"], *[url["good"]] * 12, url["bad"], url["rude"], url["absent"], "gopher://old", code=1)
check(lines[-1] == "13 well, 4 ill", lines)
check([line.split("]")[0] for line in lines[:-1]] == [f"[{i}/17" for i in range(1, 18)], "progress is counted")
check(sum("well  " in line and line.endswith("/health: 200 OK") for line in lines) == 12, lines)
wanted = {"slow": ("well  ", "204 No Content"), "bad": ("ILL   ", "503 Service Unavailable"),
          "rude": ("ILL   ", "this is no HTTP"), "absent": ("ILL   ", "Connection refused")}
for name, (how, what) in wanted.items():
    found = [line for line in lines if f":{ports[name]}/" in line]
    check(len(found) == 1 and how in found[0] and what in found[0], found)
check(any("gopher://old: not an http:// URL" in line for line in lines), lines)
check(f":{ports['good']}/" in lines[0], "an answer is shown when it arrives")
check(most <= 3, f"{most} at once")

lines = run(0.2, 1, url["silent"], code=1)
check(lines[0].endswith("no answer in time") and lines[1] == "0 well, 1 ill", lines)
check(run(LIMIT, 1, url["good"])[-1] == "1 well, 0 ill", "all are well")

"""What the tests of the examples share."""
import atexit
import os
import signal
import socket
import subprocess
import sys
import threading

PROGRAM = os.path.abspath(sys.argv[1])
LIMIT = 120  # seconds: a generous end of every wait


def run(*arguments, text="", code=0):
    """Runs the example with `text` as its input, and returns the lines that it prints."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != code or "Sanitizer" in done.stderr:
        sys.exit(f"exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def listener(backlog=64):
    sock = socket.create_server(("127.0.0.1", 0), backlog=backlog)
    sock.settimeout(LIMIT)
    return sock, sock.getsockname()[1]


def closed_port():
    """A port at which nobody listens: bound, so that nobody else gets it."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    closed_port.kept.append(sock)
    return sock.getsockname()[1]


closed_port.kept = []


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=LIMIT)


def in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


class Server:
    """The example as a server, until stop(). Its first line says `port N`."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)  # a test that fails leaves nothing behind
        self.watchdog = threading.Timer(LIMIT, self.process.kill)
        self.watchdog.daemon = True
        self.watchdog.start()
        word, port = self.process.stdout.readline().split()
        check(word == "port", "the first line is the port")
        self.port = int(port)

    def stop(self, number=signal.SIGTERM):
        """Sends the signal, and returns the lines that are printed until the end."""
        self.process.send_signal(number)
        lines = self.process.stdout.read().splitlines()
        code = self.process.wait(LIMIT)
        self.watchdog.cancel()
        check(code == 0, f"exit code {code}")
        return lines

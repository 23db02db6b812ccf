#!/usr/bin/env python3
"""How many instructions a TLS server executes for each handshake, round trip and megabyte, outside the kernel.

instructions.py BUILD-FOLDER [--times N] [SERVER…]

Callgrind runs each server twice, under a load of N and of 2N; the difference divided by N is one. The first table counts all;
the second leaves out libssl and libcrypto: what the server does around OpenSSL, with the memory that OpenSSL allocates. Below
each server stands bare epoll's figure divided by its own: 1 is the limit, and more is better.

The load waits each time until the server sleeps. Otherwise a slow server finds the next message where a fast one finds none
and looks in vain, which is a quarter of a small message's instructions.
"""

import argparse
import os
import re
import signal
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# its name for tls_load, its title, how many units one of it is, how many times as often as a handshake it is done
FIGURES = [("full", "full handshake", 1, 1), ("resumed", "resumed", 1, 1), ("round_trips", "64 bytes", 1, 10),
           ("bulk", "MB there and back", 0.262144, 1)]
SERVERS = {"bare epoll": ["tls_bare_epoll"], "asyncio": ["tls_streams"], "asio": ["tls_asio"],
           "asio callbacks": ["tls_asio", "callbacks"]}
# By itself glibc copies more than 2 KiB with `rep movsb`, which Callgrind counts as one instruction for each byte.
ENVIRONMENT = {**os.environ, "GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=2000000000"}


def instructions_by_object(path):
    """What each shared object, and the program, has executed itself."""
    names, counts = {}, {}
    current, skip = None, False
    with open(path) as file:
        for line in file:
            if line.startswith("ob="):
                number, _, name = line[3:].strip().partition(" ")
                if name:
                    names[number] = os.path.basename(name)
                current = names[number]
            elif line.startswith("cob="):  # of a call's target: may introduce a name
                number, _, name = line[4:].strip().partition(" ")
                if name:
                    names[number] = os.path.basename(name)
            elif line.startswith("calls="):
                skip = True  # the next line is what the call has cost, which stands at its target too
            elif re.match(r"[0-9+*-]", line):
                if not skip:
                    counts[current] = counts.get(current, 0) + int(line.split()[1])
                skip = False
    return counts


def run(build, command, figure, times):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "callgrind.out")
        server = subprocess.Popen(["valgrind", "--tool=callgrind", "-q", f"--callgrind-out-file={out}",
                                   os.path.join(build, command[0]), *command[1:]], stdout=subprocess.PIPE, text=True,
                                  env=ENVIRONMENT)
        try:
            port = server.stdout.readline().strip()
            subprocess.run([os.path.join(build, "tls_load"), port, str(server.pid), figure, str(times)], check=True)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
        counts = instructions_by_object(out)
    openssl = sum(count for name, count in counts.items() if re.match(r"lib(ssl|crypto)\.", name or ""))
    return sum(counts.values()), sum(counts.values()) - openssl


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("servers", nargs="*", metavar="SERVER", default=list(SERVERS))
    parser.add_argument("--times", type=int, default=50)
    options = parser.parse_args()
    found = {}
    for name in options.servers:
        if not os.path.exists(os.path.join(options.build, SERVERS[name][0])):
            print(f"{name} is not built")
            continue
        for figure, _, unit, often in FIGURES:
            times = options.times * often
            once, twice = (run(options.build, SERVERS[name], figure, n) for n in (times, 2 * times))
            found[name, figure] = [(b - a) / times / unit for a, b in zip(once, twice)]
    for which, title in enumerate(["all", "without libssl and libcrypto"]):
        print(f"Instructions of the server, {title}, per")
        print(f"  {'':16}" + "".join(f"{title:>20}" for _, title, _, _ in FIGURES))
        for name in dict.fromkeys(name for name, _ in found):
            values = {figure: found[name, figure][which] for figure, *_ in FIGURES}
            print(f"  {name:16}" + "".join(f"{value:20,.0f}" for value in values.values()))
            if "bare epoll" in options.servers:
                print(f"  {'':16}" + "".join(f"{found['bare epoll', figure][which] / value:20.2f}"
                                             for figure, value in values.items()))


main()

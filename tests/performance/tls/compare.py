#!/usr/bin/env python3
"""TLS beside its limit and its peers: medians of interleaved rounds, as ratios to OpenSSL on bare epoll.

compare.py BUILD-FOLDER PYTHON [--uvloop] [--rounds N] [--seconds S]
"""

import argparse
import os
import random
import statistics
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
FIGURES = [("full", "handshakes/s"), ("resumed", "resumed/s"), ("round_trips", "64 bytes/s"), ("bulk", "MB/s"),
           ("idle_bytes", "idle bytes")]


def pin(processor):
    def prepare():
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[processor % len(processors)]})

    return prepare


def run(build, command, seconds):
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=pin(0))
    try:
        port = server.stdout.readline().strip()
        load = [os.path.join(build, "tls_load"), port, str(server.pid), str(seconds)]
        words = subprocess.run(load, check=True, stdout=subprocess.PIPE, text=True, preexec_fn=pin(1)).stdout.split()
    finally:
        server.kill()
        server.wait()
    return dict(zip(words[::2], map(float, words[1::2])))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("python")
    parser.add_argument("--uvloop", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    options = parser.parse_args()
    built = lambda name: os.path.join(options.build, name)  # noqa: E731
    commands = {"bare epoll": [built("tls_bare_epoll")], "asyncio": [built("tls_streams")]}
    if os.path.exists(built("tls_asio")):
        commands |= {"asio": [built("tls_asio")], "asio callbacks": [built("tls_asio"), "callbacks"]}
    commands["CPython"] = [options.python, os.path.join(HERE, "python_tls.py")]
    if options.uvloop:
        commands["uvloop"] = [*commands["CPython"], "uvloop"]
    found = {name: [] for name in commands}
    for _ in range(options.rounds):
        for name in random.sample(list(commands), len(commands)):
            found[name].append(run(options.build, commands[name], options.seconds))
    medians = {name: {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}
               for name, samples in found.items()}
    limit = medians["bare epoll"]
    print(f"TLS 1.3, one connection at a time; medians of {options.rounds} rounds; below each: of bare epoll's")
    print(f"  {'':16}" + "".join(f"{title:>14}" for _, title in FIGURES))
    for name, of in medians.items():
        print(f"  {name:16}" + "".join(f"{of[key]:14,.0f}" for key, _ in FIGURES))
        print(f"  {'':16}" + "".join(f"{of[key] / limit[key]:14.2f}" for key, _ in FIGURES))
    print("Microseconds of the server's processor time for each")
    for name, of in medians.items():
        print(f"  {name:16}" + "".join(f"{of[key + '_server_us']:14,.1f}" for key, _ in FIGURES[:-1]))


main()

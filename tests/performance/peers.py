#!/usr/bin/env python3
"""Our library beside its peers, in one go: the table of `./stages compare --peers`. See README.md.

  peers.py BUILD [--out=FOLDER] [--rounds=N] [--seconds=S] [--only=jobs|echo] [--echo=BUSY+IDLE,…]
                 [--programs=NAME,…] [--lto=BUILD]

BUILD is the folder with asyncio_compare, echo_load and what else was built of asyncio_peers. A round runs every program
once, in random order; the figures are medians of the rounds. S is how long one benchmark is run at a time, and a fifth of
how long one echo server is. --echo: how many connections are busy, and how many idle ones are open beside them. With --lto the "peer" is our own library, built with
link-time optimisation.
"""

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

JOBS = [  # in the table's order: what, and its benchmark
    ("1,000 jobs as callbacks, one", "stage1/run_1000_jobs"),
    ("... as futures", "stage2/run_1000_jobs"),
    ("... as tasks", "stage3/run_1000_jobs"),
    ("... in a gather", "stage4/run_1000_jobs"),
    ("... through a queue", "stage5/run_1000_jobs"),
    ("... through a socket pair", "stage6/run_1000_jobs"),
    ("call_soon and run, 1,000 at once", "stage1/call_soon_burst_1000"),
    ("call_soon and run, one a tick", "stage1/call_soon_chain"),
    ("call_soon_threadsafe and run", "stage1/call_soon_threadsafe"),
    ("100,000 timers, created and fired", "stage1/timers_due_100k"),
    ("100,000 timers, created and cancelled", "stage1/call_later_cancel_bulk_100k"),
    ("one timer, cancelled beside 100,000", "stage1/call_later_cancel_one_beside_100k"),
    ("sleep(0), 1 task", "stage3/sleep_0/1"),
    ("sleep(0), 1,000 tasks", "stage3/sleep_0/1000"),
    ("await a coroutine that does not suspend", "stage3/await_ready_coroutine"),
    ("create, run and await a task", "stage3/create_run_await"),
    ("future set, and its awaiter runs", "stage3/future_to_task"),
    ("cancel a task through 2 frames", "stage3/cancel_task_through_2_frames"),
    ("gather of 2", "stage4/gather_2"),
    ("wait_for that does not fire", "stage4/wait_for_not_fired"),
    ("lock, free", "stage5/lock_uncontended"),
    ("lock, from hand to hand, 100 tasks", "stage5/lock_handover_100"),
    ("queue with room for one, put -> get", "stage5/queue1_put_get"),
    ("a sleeping task (bytes, not ns)", "memory/sleeping_task"),
]



def python_with_uvloop():
    """(Debian's python3, or the first on the PATH; whether it has uvloop)"""
    pythons = [python for python in ("/usr/bin/python3", shutil.which("python3")) if python and os.path.exists(python)]
    for python in pythons:
        if subprocess.run([python, "-c", "import uvloop"], capture_output=True).returncode == 0:
            return python, True
    return (pythons or [sys.executable])[0], False


def programs(options, python, has_uvloop):
    """{name: command}, of the jobs and of the echo servers; the first is ours, or the limit. And who is absent."""
    built = lambda name, folder=options.build: os.path.join(folder, name)  # noqa: E731
    names = "|".join(name for _, name in JOBS)
    google = [f"--benchmark_filter=^({names})(/iterations:1)?$", "--benchmark_format=json",
              f"--benchmark_min_time={options.seconds}", "--benchmark_min_warmup_time=0.001"]
    jobs = {"asyncio": [built("asyncio_compare"), "plain", *google]}
    echo = {"bare epoll": [built("echo_bare_epoll")], "asyncio": [built("echo_streams")]}
    absent = []
    if options.lto:
        jobs["with LTO"] = [built("asyncio_compare", options.lto), "plain", *google]
        echo["with LTO"] = [built("echo_streams", options.lto)]
        return jobs, echo, absent
    for name, job, servers in [
        ("asio", "peer_asio", {"asio": ["peer_asio_echo"], "asio callbacks": ["peer_asio_echo", "callbacks"]}),
        ("libuv", "peer_libuv", {"libuv": ["peer_libuv_echo"]}),
    ]:
        if os.path.exists(built(job)):
            jobs[name] = [built(job), *google]
            echo |= {server: [built(command), *arguments] for server, (command, *arguments) in servers.items()}
        else:
            absent.append(f"{name} (Debian: lib{name.removeprefix('lib')}{'1' if name == 'libuv' else ''}-dev)")
    folder = os.path.join(HERE, "peers")
    jobs["CPython"] = [python, f"{folder}/python_jobs.py", f"--min-time={options.seconds}"]
    echo["CPython"] = [python, f"{folder}/python_echo.py"]
    if has_uvloop:
        jobs["uvloop"] = [*jobs["CPython"], "--uvloop"]
        echo["uvloop"] = [*echo["CPython"], "uvloop"]
    else:
        absent.append("uvloop (Debian: python3-uvloop)")
    return jobs, echo, absent


# ── running ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def note(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def run_jobs(command):
    """{job: nanoseconds, or bytes}"""
    output = subprocess.run(command, check=True, timeout=600, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    figures = {}
    for run in json.loads(output)["benchmarks"]:
        figures[run["name"].removesuffix("/iterations:1")] = run["bytes"] if "bytes" in run else run["per_item"] * 1e9
    return figures


def allow_descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pinned(processor):
    """Called in the new process: it gets all the descriptors it may have, and one processor to itself."""

    def prepare():
        allow_descriptors()
        if hasattr(os, "sched_setaffinity"):
            processors = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, {processors[processor % len(processors)]})

    return prepare


def run_echo(options, command, busy, idle):
    """{figure: value} of echo_load"""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=pinned(0),
                              stderr=subprocess.DEVNULL)  # the load hangs up at the end, and some report each connection
    try:
        port = server.stdout.readline().strip()
        load = [os.path.join(options.build, "echo_load"), port, str(server.pid), str(busy)]
        load += [str(max(options.seconds, 0.05) * 5), str(idle)]
        words = subprocess.run(load, check=True, stdout=subprocess.PIPE, text=True, preexec_fn=pinned(1)).stdout.split()
    finally:
        server.kill()
        server.wait()
    return dict(zip(words[::2], map(float, words[1::2])))


def rounds(options, kind, commands, run):
    """{name: [what each round gave]}; the rounds are interleaved"""
    found = {name: [] for name in commands}
    for number in range(options.rounds):
        for name in random.sample(list(commands), len(commands)):
            note(f"{kind}, round {number + 1} of {options.rounds}: {name}")
            found[name].append(run(commands[name]))
    note("")
    return found


def medians(samples):
    """[{figure: value}] -> {figure: median}"""
    return {figure: statistics.median(sample[figure] for sample in samples) for figure in samples[0]}


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def digits(value):
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def print_jobs(figures):
    ours, *others = figures
    print(f"{'ns (' + ours + ' = 1)':42}{ours:>9}" + "".join(f"{name:>18}" for name in others))
    for what, job in JOBS:
        our = figures[ours].get(job)
        line = f"  {what:40}{digits(our) if our else '–':>9}"
        for name in others:
            their = figures[name].get(job)
            line += f"{digits(their):>10}{digits(their / our) + '×':>8}" if our and their else f"{'–':>18}"
        print(line)


def print_echo(figures, busy, idle):
    limit = figures["bare epoll"]
    print(f"\nEcho of 64 bytes over TCP, {busy:,} connections" + (f" beside {idle:,} idle ones" if idle else ""))
    print(f"  {'':16}{'messages/s':>12}{'of bare epoll':>15}{'server ns':>12}{'of bare epoll':>15}{'median µs':>11}{'p99':>9}")
    for name, of in figures.items():
        speed = of["messages_per_s"] / limit["messages_per_s"]
        cost = of["server_ns"] / limit["server_ns"] if limit["server_ns"] else 0  # a kernel that does not count it
        print(f"  {name:16}{of['messages_per_s']:12,.0f}{speed:15.2f}{of['server_ns']:12,.0f}{cost:15.2f}"
              f"{of['median_us']:11,.1f}{of['p99_us']:9,.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--out", default=".")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--only", choices=["jobs", "echo"])
    parser.add_argument("--echo", default="1+0,100+0,1000+0,100+10000")
    parser.add_argument("--lto")
    parser.add_argument("--programs")
    options = parser.parse_args()

    python, has_uvloop = python_with_uvloop()
    jobs, echo, absent = programs(options, python, has_uvloop)
    if options.programs:
        wanted = options.programs.split(",")
        jobs, echo = ({name: commands[name] for name in commands if name in wanted} for commands in (jobs, echo))
    version = subprocess.run([python, "--version"], capture_output=True, text=True).stdout.strip()
    print(f"Medians of {options.rounds} rounds." + ("" if options.lto else f" CPython: {version} ({python})."))
    for peer in absent:
        print(f"absent: {peer}")
    print()

    report = {"python": version, "rounds": options.rounds, "absent": absent}
    if options.only != "echo":
        report["jobs"] = rounds(options, "jobs", jobs, run_jobs)
        print_jobs({name: medians(samples) for name, samples in report["jobs"].items()})
    if options.only != "jobs":
        allow_descriptors()
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        report["echo"] = {}
        for connections in options.echo.split(","):
            busy, idle = map(int, connections.split("+"))
            busy, idle = min(busy, most // 2), min(idle, most - busy - 100)
            found = rounds(options, f"echo, {busy} connections, {idle} idle", echo,
                           lambda command: run_echo(options, command, busy, idle))
            report["echo"][f"{busy} busy, {idle} idle"] = found
            print_echo({name: medians(samples) for name, samples in found.items()}, busy, idle)

    if not options.only and not options.lto and os.path.exists(os.path.join(options.build, "tls_load")):
        print(flush=True)
        command = [sys.executable, os.path.join(HERE, "tls", "compare.py"), options.build, python, f"--rounds={options.rounds}"]
        command.append(f"--seconds={options.seconds * 5}")
        subprocess.run(command + ["--uvloop"] * has_uvloop, check=True)

    os.makedirs(options.out, exist_ok=True)
    with open(os.path.join(options.out, "lto.json" if options.lto else "peers.json"), "w") as file:
        json.dump(report, file, indent=1)


main()

"""Streamed lines, both streams, failures, retries, the limit, and the end of a whole process group."""
import os
import signal
import subprocess
import tempfile
import time
from support import LIMIT, PROGRAM, check, run


def ends(process, what):
    for _ in range(1000):  # until whoever inherits it has reaped it
        try:
            with open(f"/proc/{process}/stat") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.01)
    check(False, what)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)

    jobs = ["echo one; echo two >&2; printf three", "exit 7", "kill -9 $$", "test -e tried || { touch tried; exit 1; }"]
    lines = run(2, 20, 1, text="\n".join(jobs) + "\n", code=1)
    check(sorted(line for line in lines if line.startswith("[1]")) ==
          ["[1] ! two", "[1] done", "[1] | one", "[1] | three"], lines)
    check(lines.index("[1] | one") < lines.index("[1] | three") < lines.index("[1] done"), lines)
    check([line for line in lines if line.startswith("[2]")] == ["[2] exit code 7"] * 2, lines)
    check([line for line in lines if line.startswith("[3]")] == ["[3] signal 9"] * 2, lines)
    check([line for line in lines if line.startswith("[4]")] == ["[4] exit code 1", "[4] done"], lines)
    check(lines[-1] == "2 done, 2 failed", lines)

    # No more than two at once: each counts the folders of those that run. The first one waits for a second one.
    job = ("d=$(mktemp -d run.XXXXXX); until set -- run.*; test $# -gt 1 || test -e two; do sleep 0.01; done; : >two; "
           "echo $#; sleep 0.05; rmdir $d")
    lines = run(2, 20, 0, text=f"{job}\n" * 8)
    counts = [int(line.split()[-1]) for line in lines if " | " in line]
    check(len(counts) == 8 and max(counts) == 2, lines)
    check(lines[-1] == "8 done, 0 failed", lines)

    # A line without an end: the job fails, and does not wait for somebody to read it.
    lines = run(1, 20, 0, text="yes | tr -d '\\n'\necho next\n", code=1)
    check(len(lines) == 4 and lines[1:] == ["[2] | next", "[2] done", "1 done, 1 failed"], lines[1:])
    check(lines[0].startswith("[1] ") and "limit" in lines[0], lines[0][:100])

    # Out of time: also what the shell started, and what ignores SIGTERM; lines printed until then have arrived. More
    # than once, if the shell has not even set its trap by then.
    job = "trap 'echo asked to end' TERM; sleep 1000 & echo $!; while :; do sleep 0.01; done"
    for limit in [0.2, 1, 5, 20]:
        lines = run(1, limit, 0, text=job + "\n", code=1)
        lines = [line for line in lines if " ! " not in line]  # what the shell remarks
        if lines[0].startswith("[1] | "):
            ends(int(lines[0].split()[-1]), "what the shell started is killed, too")
            if lines[1:] == ["[1] | asked to end", "[1] not done in time", "0 done, 1 failed"]:
                break
    else:
        check(False, lines)

    # Ctrl-C ends the jobs, those that wait among them.
    def heed_sigint():  # it is ignored in what a script has started in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    runner = subprocess.Popen([PROGRAM, "1", "100", "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              preexec_fn=heed_sigint)
    runner.stdin.write("sleep 1000 & echo $!; wait\necho never\n")
    runner.stdin.close()
    child = int(runner.stdout.readline().split()[-1])
    runner.send_signal(signal.SIGINT)
    check((runner.stdout.read(), runner.wait(LIMIT)) == ("", 130), "it ends at Ctrl-C")
    ends(child, "Ctrl-C kills what the jobs have started")

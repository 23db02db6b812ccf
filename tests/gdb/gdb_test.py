#!/usr/bin/env python3
"""Lets gdb look at program.cpp: in a live process, attached to one that hangs, and in a core file.

gdb_test.py SCRIPT PROGRAM COMPILER LEVEL [any]
SCRIPT is gdb/asyncio-gdb.py; PROGRAM, with asyncio::gdb inside, was built by COMPILER (g++ or clang++) at LEVEL (O0, O2).
What gdb prints is compared with what the program itself says. With "any", we do not know how much that compiler tells of
a frame. Exit code 77: gdb is missing, or may not do any of that.

gdb_test.py SCRIPT PROGRAM lesson EXPECTED
PROGRAM was built of hang.cpp: gdb says what stands in the file EXPECTED, and so in the lesson of stage 3.
"""

import contextlib
import ctypes
import glob
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

SCRIPT, PROGRAM, COMPILER, LEVEL = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), *sys.argv[3:5]
KNOWN = "any" not in sys.argv
TREE = """\
ERROR: await-graph contains cycles

cycle: circle-0 → circle-1 → circle-0

└── (T) Task-1
    └──  root program.cpp:{root}
        └── (T) runner
            └──  outer program.cpp:{outer}
                └──  inner program.cpp:{inner}
                    └──  {runner}
└── (T) serve
    └──  Listener::serve program.cpp:{Listener::serve}
        └──  waits for <TimerHandle when=# of sleep()>
└── (T) stubborn (cancelled at program.cpp:{cancel})
    └──  swallows_a_cancel program.cpp:{swallows_a_cancel}
        └──  waits for {shown->event}
└── (T) gatherer
    └──  gathers program.cpp:{gathers}
        └── (T) middle
            └──  middle program.cpp:{middle}
                └──  leaf program.cpp:{leaf}
                    └──  waits for <Future pending>
└── (T) waits-for-two
    └──  waits program.cpp:{waits}
        └──  asyncio::wait wait.h:#
            ├── (T) holder
            │   └──  holds program.cpp:{holds}
            │       └──  waits for <Future pending>
            └── (T) waiter
                └──  wants program.cpp:{wants}
                    └──  waits for <Lock [locked, waiters:1]>
└── (T) shielder
    └──  shields program.cpp:{shields}
        └── (T) middle (see above)
└── (T) completer
    └──  completes program.cpp:{completes}
        └── (T) middle (see above)
└── (T) grouper
    └──  groups program.cpp:{groups}
        └──  asyncio::task_group task_group.h:#
            └── (T) child
                └──  in_a_group program.cpp:{in_a_group}
                    └──  waits for {shown->event}
└── (T) taker
    └──  takes program.cpp:{takes}
        └──  waits for <Semaphore [locked, waiters:1]>
└── (T) getter
    └──  gets program.cpp:{gets}
        └──  waits for {getter}
└── (T) circle-0
    └──  waits_in_a_circle program.cpp:{waits_in_a_circle}
        └── (T) circle-1
            └──  waits_in_a_circle program.cpp:{waits_in_a_circle}
                └── (T) circle-0 (see above)
"""

# asyncio bt: the functions, their arguments and locals. What an optimiser has left is less.
FULL = {
    "leaf": ({"future": "<Future pending>", "depth": "7", "what": '"hello"'}, {"answer": "42", "text": '"hello!"'}),
    "middle": ({"future": "<Future pending>", "what": '"hello"'}, {"ratio": "1.5"}),
    "Listener::serve": ({"this": "#", "backlog": "10"}, {"served": "3"}),
    "inner": ({"where": '"here"'}, {"local": "11"}),
    "outer": ({"n": "21"}, {"twice": "42"}),
}
OPTIMISED_AWAY = {
    ("g++", "O0"): {},
    ("g++", "O2"): {"Listener::serve": ["this", "backlog", "served"]},
    ("clang++", "O0"): {"Listener::serve": ["this"]},
    ("clang++", "O2"): {
        "leaf": ["depth", "answer"],
        "middle": ["ratio"],
        "Listener::serve": ["this", "backlog", "served"],
        "inner": ["local"],
        "outer": ["n", "twice"],
    },
}.get((COMPILER, LEVEL), {})

failures = 0


def check(what, found, expected):
    global failures
    if found != expected:
        failures += 1
        print("FAILED %s\n  expected: %s\n  found:    %s" % (what, expected, found))


class Said:
    """What the program has printed."""

    def __init__(self, text):
        self.lines = dict(re.findall(r"^line (\S+) (\d+)$", text, re.M))  # the last counts
        self.reprs = dict(re.findall(r"^repr (\S+) (.*)$", text, re.M))
        self.tree = re.search(r"^tree\n(.*)\nend of tree$", text, re.M | re.S).group(1)
        self.tasks = int(re.search(r"^tasks (\d+)$", text, re.M).group(1))


def gdb(*arguments, commands, load=()):
    """The output of each command, by the command."""
    script = "".join("echo \\n@@@%d\\n\n%s\n" % (i, command) for i, command in enumerate(commands))
    with tempfile.NamedTemporaryFile("w", suffix=".gdb") as file:
        file.write("set width 0\nset height 0\n%secho \\n@@@\\n\n" % script)
        file.flush()
        first = ["-iex", "set auto-load safe-path /", "-iex", "set debuginfod enabled off"]
        first += ["-iex", "set disable-randomization off"]  # a container may not let gdb do that, and gdb complains
        first += [part for line in load for part in ("-ex", line)]
        command = ["gdb", "-nx", "-q", "-batch", *first, *arguments, "-x", file.name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    parts = re.split(r"^@@@\d*\n", done.stdout, flags=re.M)[1:]
    outputs = {command: part.strip("\n") for command, part in zip(commands, parts)}
    if len(parts) <= len(commands):
        sys.exit("gdb stopped at %r:\n%s%s" % (commands[max(len(parts) - 1, 0)], done.stdout, done.stderr))
    complaints = [line for line in done.stderr.splitlines() if re.search("Python Exception|Traceback|RTTI|Error", line)]
    check("no complaints of gdb", complaints, [])
    return outputs


CHAIN = r"\S+(?: -> \S+)*"
ROW = r"(\d+) +(0x\w+) +(\S+) +(%s) +(?:(%s) +(\S+) +)?(0x\w+)" % (CHAIN, CHAIN)

SHOWN = {  # whose repr() is gdb's own
    "shown->coro": "<Coro ends() defined at program.cpp:#>",
    "*shown->loop": "<Loop running=True ready=# timers=1 tasks={tasks}>",
    "shown->reader": "<StreamReader 5 bytes>",
    "shown->at_end": "<StreamReader eof>",
}


def masked(text):
    """Without what differs from run to run."""
    text = re.sub(r"when=[\d.]+", "when=#", text)
    return re.sub(r"(wait\.h|task_group\.h):\d+", r"\1:#", text)


def check_everything(how, said, outputs, running):
    """`running`: whether a task runs, in stop_here(), as opposed to a loop that waits."""
    fields = {**said.lines, **said.reprs, "tasks": said.tasks}
    fields["runner"] = "runs" if running else "waits for " + said.reprs["shown->event"].replace(":2", ":3")
    if not running:
        fields["shown->event"] = said.reprs["shown->event"].replace(":2", ":3")
    tree = masked(outputs["asyncio tree"])
    fields["getter"] = re.search(r"gets program.cpp:\d+\n +└──  waits for (<.*>)|$", tree).group(1)
    expected = re.sub(r"\{([^}]+)\}", lambda field: str(fields[field.group(1)]), TREE)
    for found_line, line in zip(tree.splitlines() + ["(no more)"] * 99, expected.splitlines()):
        check(how + "asyncio tree", found_line, line)

    if running:  # format_task_tree() says the same, but for the task that asked: there it knows only the outermost frame
        in_cpp, in_gdb = masked(said.tree).splitlines(), tree.splitlines()
        own = next(i for i, line in enumerate(in_cpp) if "(T) runner" in line)
        del in_cpp[own + 1], in_gdb[own + 1 : own + 4]
        check(how + "format_task_tree()", in_gdb, in_cpp)

    table = outputs["asyncio ps"].splitlines()
    check(how + "asyncio ps: head", table[0].split()[:5], ["tid", "task", "id", "task", "name"])
    check(how + "asyncio ps: dashes", table[1], "-" * 180)
    rows = [re.fullmatch(ROW, row).groups() for row in table[2:]]
    check(how + "asyncio ps: tasks", len({row[1] for row in rows}), said.tasks)
    ids = {row[2]: row[1] for row in rows}
    of_middle = [(row[3], row[4], row[5], row[6]) for row in rows if row[2] == "middle"]
    by_gatherer = ("leaf -> middle", "gathers", "gatherer", ids.get("gatherer"))
    check(how + "asyncio ps: who awaits middle", [row[2] for row in of_middle], ["completer", "gatherer", "shielder"])
    check(how + "asyncio ps: a row", of_middle[1], by_gatherer)

    for task, functions in (("middle", ["leaf", "middle"]), ("serve", ["Listener::serve"])):
        check_bt(how, said, outputs["asyncio bt " + task], functions)
    check(how + "a task by its address", outputs["asyncio bt shown->task"], outputs["asyncio bt middle"])
    for expression, repr_ in {**said.reprs, **SHOWN}.items():
        if not running and "event" in expression:
            repr_ = fields["shown->event"]
        found = re.sub(r"^\$\d+ = ", "", outputs["print " + expression])
        if expression in ("shown->failed",):  # gdb cannot ask an exception for its message
            repr_ = "<Future finished exception=<std::runtime_error>>"
        if expression in SHOWN:
            found = re.sub(r"ready=\d+|program\.cpp:\d+", lambda m: re.sub(r"\d+", "#", m.group()), found)
            repr_ = repr_.replace("{tasks}", str(said.tasks))
        check(how + "print " + expression, found, repr_)


def check_bt(how, said, text, functions):
    """An await stack: functions and lines, arguments and locals."""
    frames = re.findall(r"^#(\d+) +(\S+) \((.*)\) at (\S+):(\d+)((?:\n {8}.*)*)", text, re.M)
    check(how + "asyncio bt: functions", [frame[1] for frame in frames], functions)
    for number, function, arguments, file, line, local_variables in frames:
        check(how + "asyncio bt: line of " + function, line, said.lines.get(function))
        check(how + "asyncio bt: file", os.path.basename(file), "program.cpp")
        found_arguments = dict(re.findall(r"(\w+)=(<[^>]*>|[^,]*)", arguments))
        found_locals = dict(re.findall(r"^ {8}(\w+) = (.*)$", local_variables, re.M))
        if LEVEL == "O2":
            found_locals.pop("gone", None)  # its block has ended; optimised code of g++ does not tell
        if "this" in found_arguments:
            found_arguments["this"] = "#"
        away = OPTIMISED_AWAY.get(function, ())
        for what, found, expected in zip(("arguments", "locals"), (found_arguments, found_locals), FULL[function]):
            expected = {name: value for name, value in expected.items() if name not in away}
            if not KNOWN:
                expected = {name: expected.get(name) for name in found}
            check("%sasyncio bt: %s of %s" % (how, what, function), found, expected)


LOOKS = ["asyncio ps", "asyncio tree", "asyncio bt middle", "asyncio bt serve", "asyncio bt shown->task"]


def commands_for(said):
    return LOOKS + ["print " + expression for expression in (*said.reprs, *SHOWN)]


def check_stack(how, said, text):
    """bt inside a step: what runs, what awaits it, and then the loop."""
    frames = re.findall(r"(?:^|in )(?:#\d+ +)?(?:0x\w+ in )? *((?:async )?[\w:]+)(?:<.*>)? ?\((.*)\)", text, re.M)
    names = [name for name, _ in frames]
    begin = names.index("stop_here") if "stop_here" in names else 0
    check(how + "bt", names[begin : begin + 3], ["stop_here", "inner", "async outer"])
    check(how + "bt: goes on to main()", names[-1:], ["main"])
    places = dict(re.findall(r"((?:async )?\w+) \(.*\) at \S*program\.cpp:(\d+)$", text, re.M))
    for function in ("inner", "outer"):
        check(how + "bt: line of " + function, places.get(function) or places.get("async " + function), said.lines[function])
    if KNOWN and "n" not in OPTIMISED_AWAY.get("outer", ()):
        check(how + "bt: arguments", "async outer (n=21)" in text, True)


def may_trace():
    probe = subprocess.run(["gdb", "-nx", "-batch", "-ex", "starti", "/bin/true"], capture_output=True, text=True)
    return "Program stopped" in probe.stdout


def live():
    load = ["break stop_here", "run stop > said"]
    said = Said(run_program("stop"))
    outputs = gdb(PROGRAM, load=load, commands=["bt", "asyncio bt", *commands_for(said)])
    check_stack("live: ", said, outputs["bt"])
    check_bt("live: ", said, outputs["asyncio bt"], ["inner", "outer"])
    check_everything("live: ", said, outputs, running=True)

    # Without the scripts inside, and with `source`.
    plain = os.path.abspath("plain")
    subprocess.run(["objcopy", "--remove-section", ".debug_gdb_scripts", PROGRAM, plain], check=True)
    outputs = gdb(plain, load=load, commands=["source " + SCRIPT, "asyncio bt", "print shown->lock"])
    check_bt("source: ", said, outputs["asyncio bt"], ["inner", "outer"])
    check("source: print", outputs["print shown->lock"].split(" = ")[-1], said.reprs["shown->lock"])


def attached():
    with open("hang.said", "w") as file, hanging([PROGRAM, "hang"], file) as process:
        wait_until(lambda: open("hang.said").read().count("line inner") == 2 and sleeps(process.pid))
        said = Said(open("hang.said").read())
        outputs = gdb("-p", str(process.pid), commands=commands_for(said))
        check_everything("attached: ", said, outputs, running=False)


def lesson(expected):
    commands = ["asyncio tree", "asyncio bt asker"]
    with hanging([PROGRAM], None) as process:
        wait_until(lambda: sleeps(process.pid))
        outputs = gdb("-p", str(process.pid), commands=commands)
    found = "".join("(gdb) %s\n%s\n" % (command, outputs[command]) for command in commands)
    check("what the lesson shows", found.splitlines(), open(expected).read().splitlines())


@contextlib.contextmanager
def hanging(command, stdout):
    process = subprocess.Popen(command, stdout=stdout, preexec_fn=allow_tracing)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def core(file):
    said = Said(open("core.said").read())
    outputs = gdb(PROGRAM, file, commands=["bt", "asyncio bt", *commands_for(said)])
    check_stack("core: ", said, outputs["bt"])
    check_bt("core: ", said, outputs["asyncio bt"], ["inner", "outer"])
    check_everything("core: ", said, outputs, running=True)


def allow_tracing():
    """Yama lets a process be traced by others than its parent only if it says so."""
    ctypes.CDLL(None).prctl(0x59616D61, -1, 0, 0, 0)


def sleeps(pid):
    """Twice in a row: when it starts, it may wait for a page."""
    return all(time.sleep(0.1) or state(pid) == "S" for _ in range(3))


def state(pid):
    return open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()[0]


def wait_until(condition):
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.02)
    sys.exit("The program did not get as far as it should.")


def run_program(mode, **options):
    return subprocess.run([PROGRAM, mode], capture_output=True, text=True, timeout=60, **options).stdout


def make_core():
    """The path of a core file; None if the system lets nobody have one."""
    raise_limit = lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    with open("core.said", "w") as file:
        subprocess.run([PROGRAM, "abort"], stdout=file, stderr=subprocess.DEVNULL, timeout=60, preexec_fn=raise_limit)
    return next(iter(glob.glob("core") + glob.glob("core.[0-9]*")), None)


def main():
    for tool in ("gdb", "objcopy"):
        if not shutil.which(tool):
            print("Skipped: there is no %s." % tool)
            return 77
    if COMPILER == "lesson":
        if not may_trace():
            print("Skipped: gdb may not trace processes here.")
            return 77
        lesson(LEVEL)
        return 1 if failures else 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        tracing, core_file = may_trace(), make_core()
        if tracing:
            live()
            attached()
        else:
            print("gdb may not trace processes here: only a core file is looked at.")
        if core_file:
            core(core_file)
        else:
            print("The system keeps core files elsewhere, or allows none: none is looked at.")
        os.chdir("/")
    if not tracing and not core_file:
        return 77
    return 1 if failures else 0


sys.exit(main())

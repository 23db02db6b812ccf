"""Makes random programs."""

import bisect
import itertools
import random


FUTURES = ["f0", "f1", "f2", "f3"]
REGISTERS = ["r0", "r1", "r2", "r3", "r4", "r5"]
LOCKS = ["L0", "L1", "C0", "C1"]
SEMAPHORES = ["S0", "S1", "S2", "S3"]
QUEUES = ["Q0", "Q1", "Q2", "Q3", "Q4"]
MESSAGES = ["-", "-", "m1", "m2"]
THEMES = ["flow", "future", "task", "callback", "gather", "wait", "completed", "limit", "group", "lock", "event",
          "condition", "semaphore", "barrier", "queue", "eager", "variable", "generator"]
VARIABLES = ["v0", "v1"]


CALLBACK, TASK, NESTED = 1, 2, 4  # where a word may stand: also in callbacks, only in tasks; it has blocks


class Generator:
    """One program. A theme or two decide which words are frequent: what meets often, collides often."""

    def __init__(self, seed, index):
        self.random = random.Random(f"{seed}/{index}")
        r = self.random
        self.left = r.choice([6, 10, 15, 20, 30, 45])
        loud = r.sample(THEMES, r.choice([1, 2, 2, 3, 4]))
        base = r.choice([0.0, 0.1, 0.3, 1.0])
        self.weights = {theme: (6.0 if theme in loud else base) for theme in THEMES}
        for theme in ("flow", "future", "task"):
            self.weights[theme] = max(self.weights[theme], 1.0)
        self.weights["sleep"] = r.choice([1.0, 3.0])
        self.weights["stop"] = r.choice([0.0] * 19 + [0.5])
        self.weights["fatal"] = r.choice([0.0] * 14 + [0.5])
        # Few names: a program whose tasks do not meet shows nothing.
        self.futures = r.sample(FUTURES, r.choice([1, 2, 4]))
        self.registers = r.sample(REGISTERS, r.choice([2, 3, 6]))
        self.locks = r.sample(LOCKS, r.choice([1, 1, 2]))
        self.condition = r.choice(["C0", "C1"])
        self.semaphores = r.sample(SEMAPHORES, r.choice([1, 2]))
        self.barrier = r.choice(["B0", "B1"])
        self.queues = r.sample(QUEUES, r.choice([1, 1, 2]))
        self.generators = r.sample(["a0", "a1", "a2"], r.choice([1, 2]))
        self.contexts = r.sample(["x0", "x1"], r.choice([1, 2]))
        self.beginning = ["factory eager"] if "eager" in loud and r.random() < 0.6 else []
        if "variable" in loud:
            self.beginning += [f"vset t0 {r.choice(VARIABLES)} 3"] * r.randrange(2) + [f"xnew {self.contexts[0]}"]
        self.longest = r.choice([2, 4, 8])
        self.cumulated = {}

    def program(self):
        statements = self.statements(0, self.random.choice([3, 5, 8, 12]), in_main=True)
        if self.weights["generator"] > 5:  # without one there is nothing to iterate
            self.beginning += [self.generator(0, name) for name in self.generators]
        return " ; ".join(self.beginning + statements) or "sleep 0"

    # ── pieces ──

    def block(self, depth, size=None):
        r = self.random
        return "{ " + " ; ".join(self.statements(depth + 1, size or r.choice([1, 2, 2, 3, 4, 5]))) + " }"

    def callback(self, depth):
        count = self.random.choice([1, 1, 2, 3])
        return "{ " + " ; ".join(self.flagged(self.pick(CALLBACK_WORDS, depth + 1)) for _ in range(count)) + " }"

    def statements(self, depth, size, in_main=False):
        found = []
        if in_main and self.random.random() < 0.8:
            for _ in range(self.random.choice([1, 2, 2, 3, 4])):
                found.append(self.spawn(depth))
        for _ in range(size):
            if self.left <= 0:
                break
            found.append(self.flagged(self.pick(TASK_WORDS if depth < 5 else DEEP_WORDS, depth)))
        if self.random.random() < 0.25:
            found.append(self.ending())
        return found or ["sleep 0"]

    def flagged(self, statement):
        if statement is None:
            return "sleep 0"
        chance = self.random.random()
        if statement.startswith(("raise", "ret")):
            return statement
        return "?" + statement if chance < 0.25 else "!" + statement if chance < 0.32 else statement

    def pick(self, words, depth):
        self.left -= 1
        if depth > 6:
            return "sleep 0"
        cumulated = self.cumulated.get(id(words))
        if cumulated is None:
            weights = (self.weights[theme] * weight for theme, weight, _ in words)
            cumulated = self.cumulated[id(words)] = list(itertools.accumulate(weights))
        return words[bisect.bisect(cumulated, self.random.random() * cumulated[-1])][2](self, depth)

    def ending(self):
        r = self.random
        if r.random() < 0.5:
            return f"ret {r.randrange(1, 9)}"
        return f"raise {r.choice(['E1', 'E1', 'E2', 'C', 'T', 'V'])} {r.choice(MESSAGES)}"

    def delay(self):
        return self.random.choice([0, 0, 1, 1, 2, self.random.randrange(1, self.longest + 1)])

    def limit(self):
        r = self.random
        return r.choice(["-", "0", "-1", "1", "1", "2", "2", str(r.randrange(1, self.longest + 1))])

    def future(self):
        return self.random.choice(self.futures)

    def any_register(self):
        return self.random.choice(self.registers)

    def target(self):
        return self.future() if self.random.random() < 0.35 else self.any_register()

    def child(self, depth):
        r = self.random
        if r.random() < 0.5 and depth < 5:
            return self.block(depth, r.choice([1, 2, 3]))
        return self.target()

    def children(self, depth, least=0):
        return " ".join(self.child(depth) for _ in range(self.random.choice([least, 1, 2, 2, 2, 3, 4])))

    def targets(self):
        return " ".join(self.target() for _ in range(self.random.choice([1, 2, 2, 3])))

    def spawn(self, depth):
        return f"spawn {self.any_register()} {self.block(depth)}"

    def clauses(self, depth):
        r = self.random
        text = ""
        if r.random() < 0.65:
            text += f" {r.choice('ccea')}{r.choice('crr')} {self.block(depth, r.choice([1, 2, 2]))}"
        if not text or r.random() < 0.4:
            text += f" fin {self.block(depth, r.choice([1, 2, 3]))}"
        return text

    def priority_value(self):
        return self.random.randrange(1, 7)

    def spawned(self, depth):
        """The register and the block of a word like spawn."""
        return f"{self.any_register()} {self.block(depth)}"

    def generator(self, depth, name=None):
        r = self.random
        body = self.statements(depth + 1, r.choice([0, 1, 1, 2, 3]))
        for _ in range(r.choice([1, 1, 2, 3])):
            body.insert(r.randrange(len(body) + 1), f"yield {r.randrange(9)}")
        ending = " " + self.block(depth, r.choice([1, 1, 2])) if r.random() < 0.5 else ""
        return f"gnew {name or r.choice(self.generators)} {{ {' ; '.join(body)} }}{ending}"

    def maybe_sleep(self):
        return self.random.choice(["", "", "sleep 0 ; ", "sleep 1 ; "])

    def cancelled_shield(self, depth):
        name = self.any_register()
        return f"shield {name} {self.child(depth)} ; cancel {name} {self.random.choice(MESSAGES)}"

    def group(self, depth):
        r = self.random
        name = f"G{r.randrange(2)}"
        first = [f"tgs {name} {self.any_register()} {self.block(depth + 1)}" for _ in range(r.choice([0, 1, 2, 2, 3]))]
        rest = self.statements(depth + 1, r.choice([0, 1, 2, 3]))
        if r.random() < 0.15:
            rest.insert(r.randrange(len(rest) + 1), f"tgcancel {name}")
        if r.random() < 0.15:
            first.append(f"tgs {name} {self.any_register()} {{ {self.maybe_sleep()}tgcancel {name} ; {self.maybe_sleep()}vget v1 }}")
        return f"tg {name} {{ {' ; '.join(first + rest)} }}"


# (where, theme, weight, how to make one)
WORDS = [
    (CALLBACK, "flow", 0.3, lambda g, d: f"raise {g.random.choice(['E1', 'E2', 'V'])} {g.random.choice(MESSAGES)}"),
    (CALLBACK, "task", 2, lambda g, d: f"cancel {g.target()} {g.random.choice(MESSAGES)}"),
    (CALLBACK, "task", 0.5, lambda g, d: f"uncancelr {g.any_register()}"),
    (CALLBACK, "task", 0.3, lambda g, d: "tasks"),
    (CALLBACK, "task", 1, Generator.spawn),
    (CALLBACK, "future", 2, lambda g, d: f"set {g.future()} {g.random.randrange(9)}"),
    (CALLBACK, "future", 1,
     lambda g, d: f"exc {g.future()} {g.random.choice(['E1', 'E2', 'C', 'T'])} {g.random.choice(MESSAGES)}"),
    (CALLBACK, "future", 0.7, lambda g, d: f"cancel {g.future()} {g.random.choice(MESSAGES)}"),
    (CALLBACK, "future", 0.5, lambda g, d: f"{g.random.choice(['res', 'exn', 'state', 'state'])} {g.target()}"),
    (CALLBACK | NESTED, "callback", 1, lambda g, d: f"cb {g.target()} k{g.random.randrange(3)} {g.callback(d)}"),
    (CALLBACK, "callback", 0.6, lambda g, d: f"rmcb k{g.random.randrange(3)}"),
    (CALLBACK | NESTED, "callback", 1, lambda g, d: f"soon h{g.random.randrange(3)} {g.callback(d)}"),
    (CALLBACK | NESTED, "callback", 1,
     lambda g, d: f"later h{g.random.randrange(3)} {g.random.choice([-1, 0, g.delay()])} {g.callback(d)}"),
    (CALLBACK | NESTED, "callback", 0.7,
     lambda g, d: f"at h{g.random.randrange(3)} {g.random.randrange(0, 12)} {g.callback(d)}"),
    (CALLBACK | NESTED, "callback", 0.4, lambda g, d: f"soonts {g.callback(d)}"),
    (CALLBACK, "callback", 0.6, lambda g, d: f"hcancel h{g.random.randrange(3)}"),
    (CALLBACK, "stop", 1, lambda g, d: "stop"),
    (CALLBACK, "fatal", 1, lambda g, d: f"raise {g.random.choice('KX')} -"),
    (CALLBACK, "fatal", 0.3, lambda g, d: f"exc {g.future()} {g.random.choice('KX')} -"),
    (CALLBACK, "callback", 0.2, lambda g, d: f"hstate h{g.random.randrange(3)}"),
    (CALLBACK, "gather", 1,
     lambda g, d: f"{g.random.choice(['gather', 'gather', 'gatherx'])} {g.any_register()} {g.children(d)}"),
    (CALLBACK, "gather", 0.7, lambda g, d: f"shield {g.any_register()} {g.child(d)}"),
    (CALLBACK, "gather", 0.3, Generator.cancelled_shield),
    (CALLBACK, "group", 1, lambda g, d: f"tgs G{g.random.randrange(2)} {g.any_register()} {g.block(d)}"),
    (CALLBACK, "group", 0.7, lambda g, d: f"tgcancel G{g.random.randrange(2)}"),
    (CALLBACK, "eager", 2, lambda g, d: f"spawne {g.spawned(d)}"),
    (CALLBACK, "eager", 0.4, lambda g, d: f"spawnl {g.spawned(d)}"),
    (CALLBACK, "eager", 0.4, lambda g, d: f"factory {g.random.choice(['eager', 'eager', 'none'])}"),
    (CALLBACK, "variable", 2,
     lambda g, d: f"vset t{g.random.randrange(2)} {g.random.choice(VARIABLES)} {g.random.randrange(9)}"),
    (CALLBACK, "variable", 2, lambda g, d: f"vget {g.random.choice(VARIABLES)}"),
    (CALLBACK, "variable", 1, lambda g, d: f"vreset t{g.random.randrange(2)}"),
    (CALLBACK, "variable", 0.8, lambda g, d: f"xnew {g.random.choice(g.contexts)}"),
    (CALLBACK, "variable", 0.5, lambda g, d: f"xget {g.random.choice(g.contexts)} {g.random.choice(VARIABLES)}"),
    (CALLBACK | NESTED, "variable", 0.7, lambda g, d: f"xrun {g.random.choice(g.contexts)} {g.callback(d)}"),
    (CALLBACK | NESTED, "variable", 0.5, lambda g, d: f"xsoon {g.random.choice(g.contexts)} {g.callback(d)}"),
    (CALLBACK | NESTED, "variable", 0.5, lambda g, d: f"xcb {g.random.choice(g.contexts)} {g.target()} {g.callback(d)}"),
    (CALLBACK, "variable", 0.7, lambda g, d: f"xspawn {g.random.choice(g.contexts)} {g.spawned(d)}"),
    (CALLBACK, "variable", 0.4, lambda g, d: f"xspawne {g.random.choice(g.contexts)} {g.spawned(d)}"),
    (CALLBACK, "generator", 2, Generator.generator),
    (CALLBACK, "generator", 0.7, lambda g, d: f"gdrop {g.random.choice(g.generators)}"),
    (CALLBACK, "lock", 1, lambda g, d: f"rel {g.random.choice(g.locks)}"),
    (CALLBACK, "event", 2, lambda g, d: f"eset E{g.random.randrange(2)}"),
    (CALLBACK, "event", 0.7, lambda g, d: f"eclear E{g.random.randrange(2)}"),
    (CALLBACK, "condition", 1, lambda g, d: f"notify {g.condition} {g.random.choice([1, 1, 2])}"),
    (CALLBACK, "condition", 0.5, lambda g, d: f"notifyall {g.condition}"),
    (CALLBACK, "semaphore", 1.5, lambda g, d: f"rel {g.random.choice(g.semaphores)}"),
    (CALLBACK, "queue", 1, lambda g, d: f"putn {g.random.choice(g.queues)} {g.priority_value()}"),
    (CALLBACK, "queue", 1, lambda g, d: f"getn {g.random.choice(g.queues)}"),
    (CALLBACK, "queue", 0.7, lambda g, d: f"tdone {g.random.choice(g.queues)}"),
    (CALLBACK, "queue", 0.2,
     lambda g, d: f"shutdown {g.random.choice(g.queues)} {g.random.choice(['now', 'later'])}"),
    (CALLBACK, "lock", 0.2, lambda g, d: f"prim {g.random.choice(g.locks)}"),
    (CALLBACK, "semaphore", 0.2, lambda g, d: f"prim {g.random.choice(g.semaphores)}"),
    (CALLBACK, "queue", 0.2, lambda g, d: f"prim {g.random.choice(g.queues)}"),
    (CALLBACK, "barrier", 0.2, lambda g, d: f"prim {g.barrier}"),
    (TASK, "sleep", 2, lambda g, d: f"sleep {g.delay()}"),
    (TASK, "sleep", 1, lambda g, d: "sleep 0"),
    (TASK, "sleep", 0.2, lambda g, d: f"sleepv {g.delay()} {g.random.randrange(9)}"),
    (TASK | NESTED, "flow", 2.5, lambda g, d: f"try {g.block(d)}{g.clauses(d)}"),
    (TASK, "flow", 0.3, lambda g, d: g.ending()),
    (TASK | NESTED, "task", 1, Generator.spawn),
    (TASK, "task", 0.7, lambda g, d: f"cancelme {g.random.choice(MESSAGES)}"),
    (TASK, "task", 0.7, lambda g, d: g.random.choice(["uncancel", "cancelling"])),
    (TASK, "task", 2, lambda g, d: f"await {g.target()}"),
    (TASK, "future", 2, lambda g, d: f"await {g.future()}"),
    (TASK, "gather", 2, lambda g, d: f"await {g.any_register()}"),
    (TASK, "wait", 3,
     lambda g, d: f"wait {g.random.choice(['first', 'first', 'error', 'all'])} {g.limit()} {g.targets()}"),
    (TASK | NESTED, "completed", 2, lambda g, d: f"asc {g.limit()} {g.children(d)}"),
    (TASK | NESTED, "completed", 1, lambda g, d: f"asa {g.limit()} {g.children(d)}"),
    (CALLBACK, "completed", 1, lambda g, d: f"asnew i{g.random.randrange(2)} {g.limit()} {g.children(d)}"),
    (TASK, "completed", 3, lambda g, d: f"asnext i{g.random.randrange(2)}"),
    (TASK | NESTED, "limit", 2, lambda g, d: f"wfor {g.limit()} {g.child(d)}"),
    (TASK | NESTED, "limit", 2, lambda g, d: f"tmo {g.limit()} {g.block(d)}"),
    (TASK | NESTED, "limit", 0.5, lambda g, d: f"tat {g.random.choice(['-', g.random.randrange(12)])} {g.block(d)}"),
    (TASK, "limit", 0.8, lambda g, d: f"resched {g.limit()}"),
    (TASK, "limit", 0.5, lambda g, d: "expired"),
    (TASK | NESTED, "group", 3, Generator.group),
    (TASK, "group", 2, lambda g, d: f"tgs G{g.random.randrange(2)} {g.any_register()} {g.block(d)}"),
    (TASK, "generator", 5, lambda g, d: f"gnext {g.random.choice(g.generators)}"),
    (TASK, "generator", 1, lambda g, d: f"gall {g.random.choice(g.generators)}"),
    (TASK, "generator", 1, lambda g, d: f"gclose {g.random.choice(g.generators)}"),
    (TASK, "lock", 2, lambda g, d: f"acq {g.random.choice(g.locks)}"),
    (TASK | NESTED, "lock", 1.5, lambda g, d: f"with {g.random.choice(g.locks)} {g.block(d)}"),
    (TASK, "lock", 1, lambda g, d: f"rel {g.random.choice(g.locks)}"),
    (TASK, "lock", 0.7, lambda g, d: f"wprim {g.limit()} {g.random.choice(g.locks)}"),
    (TASK, "event", 0.7, lambda g, d: f"wprim {g.limit()} E{g.random.randrange(2)}"),
    (TASK, "semaphore", 0.7, lambda g, d: f"wprim {g.limit()} {g.random.choice(g.semaphores)}"),
    (TASK, "queue", 0.7, lambda g, d: f"wprim {g.limit()} {g.random.choice(g.queues)}"),
    (TASK, "event", 3, lambda g, d: f"ewait E{g.random.randrange(2)}"),
    (TASK, "event", 0.2, lambda g, d: f"prim E{g.random.randrange(2)}"),
    (TASK, "condition", 1, lambda g, d: f"acq {g.condition}"),
    (TASK, "condition", 1, lambda g, d: f"rel {g.condition}"),
    (TASK | NESTED, "condition", 3, lambda g, d: f"with {g.condition} {g.block(d)}"),
    (TASK, "condition", 2, lambda g, d: f"cwait {g.condition}"),
    (TASK, "condition", 0.6, lambda g, d: f"cwaitfor {g.condition} {g.future()}"),
    (TASK, "semaphore", 2, lambda g, d: f"acq {g.random.choice(g.semaphores)}"),
    (TASK | NESTED, "semaphore", 2, lambda g, d: f"with {g.random.choice(g.semaphores)} {g.block(d)}"),
    (TASK, "barrier", 3, lambda g, d: f"bwait {g.barrier}"),
    (TASK | NESTED, "barrier", 0.7, lambda g, d: f"with {g.barrier} {g.block(d)}"),
    (TASK, "barrier", 0.4, lambda g, d: f"breset {g.barrier}"),
    (TASK, "barrier", 0.3, lambda g, d: f"babort {g.barrier}"),
    (TASK, "queue", 2.5, lambda g, d: f"put {g.random.choice(g.queues)} {g.priority_value()}"),
    (TASK, "queue", 2.5, lambda g, d: f"get {g.random.choice(g.queues)}"),
    (TASK, "queue", 0.8, lambda g, d: f"join {g.random.choice(g.queues)}"),
]


def table(where):
    """[(theme, weight, make)] for callbacks, for tasks, and for tasks that are nested deep already."""
    deep = where & NESTED
    return [
        (theme, weight, make)
        for place, theme, weight, make in WORDS
        if (place & CALLBACK or where & TASK) and not (deep and place & NESTED and place & TASK)
    ]


CALLBACK_WORDS, TASK_WORDS, DEEP_WORDS = table(CALLBACK), table(TASK), table(TASK | NESTED)


def make_program(seed, index):
    return Generator(seed, index).program()

"""Makes random programs, and makes a failing one smaller."""

import random

from scenario import Block, parse, unparse

FUTURES = ["f0", "f1", "f2", "f3"]
REGISTERS = ["r0", "r1", "r2", "r3", "r4", "r5"]
LOCKS = ["L0", "L1", "C0", "C1"]
SEMAPHORES = ["S0", "S1", "S2", "S3"]
QUEUES = ["Q0", "Q1", "Q2", "Q3", "Q4"]
MESSAGES = ["-", "-", "m1", "m2"]
THEMES = ["flow", "future", "task", "callback", "gather", "wait", "completed", "limit", "group", "lock", "event",
          "condition", "semaphore", "barrier", "queue"]


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
        self.longest = r.choice([2, 4, 8])

    def program(self):
        return " ; ".join(self.statements(0, self.random.choice([3, 5, 8, 12]), in_main=True)) or "sleep 0"

    # ── pieces ──

    def block(self, depth, size=None):
        r = self.random
        return "{ " + " ; ".join(self.statements(depth + 1, size or r.choice([1, 2, 2, 3, 4, 5]))) + " }"

    def callback(self, depth):
        count = self.random.choice([1, 1, 2, 3])
        return "{ " + " ; ".join(self.flagged(self.pick(self.sync_words(), depth + 1)) for _ in range(count)) + " }"

    def statements(self, depth, size, in_main=False):
        found = []
        if in_main and self.random.random() < 0.8:
            for _ in range(self.random.choice([1, 2, 2, 3, 4])):
                found.append(self.spawn(depth))
        for _ in range(size):
            if self.left <= 0:
                break
            found.append(self.flagged(self.pick(self.words(depth), depth)))
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
        choices = [(self.weights[theme] * weight, make) for theme, weight, make in words]
        total = sum(weight for weight, _ in choices)
        point = self.random.random() * total
        for weight, make in choices:
            point -= weight
            if point <= 0 and weight:
                return make(depth)
        return "sleep 0"

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

    # ── words ──

    def sync_words(self):
        """[(theme, weight, how to make one)], for callbacks."""
        r = self.random
        return [
            ("flow", 0.3, lambda d: f"raise {r.choice(['E1', 'E2', 'V'])} {r.choice(MESSAGES)}"),
            ("task", 2, lambda d: f"cancel {self.target()} {r.choice(MESSAGES)}"),
            ("task", 0.5, lambda d: f"uncancelr {self.any_register()}"),
            ("task", 0.3, lambda d: "tasks"),
            ("task", 1, self.spawn),
            ("future", 2, lambda d: f"set {self.future()} {r.randrange(9)}"),
            ("future", 1, lambda d: f"exc {self.future()} {r.choice(['E1', 'E2', 'C', 'T'])} {r.choice(MESSAGES)}"),
            ("future", 0.7, lambda d: f"cancel {self.future()} {r.choice(MESSAGES)}"),
            ("future", 0.5, lambda d: f"{r.choice(['res', 'exn', 'state', 'state'])} {self.target()}"),
            ("callback", 1, lambda d: f"cb {self.target()} k{r.randrange(3)} {self.callback(d)}" if d < 6 else None),
            ("callback", 0.6, lambda d: f"rmcb k{r.randrange(3)}"),
            ("callback", 1, lambda d: f"soon h{r.randrange(3)} {self.callback(d)}" if d < 6 else None),
            ("callback", 1, lambda d: f"later h{r.randrange(3)} {r.choice([-1, 0, self.delay()])} {self.callback(d)}"
             if d < 6 else None),
            ("callback", 0.7, lambda d: f"at h{r.randrange(3)} {r.randrange(0, 12)} {self.callback(d)}"
             if d < 6 else None),
            ("callback", 0.4, lambda d: f"soonts {self.callback(d)}" if d < 6 else None),
            ("callback", 0.6, lambda d: f"hcancel h{r.randrange(3)}"),
            ("stop", 1, lambda d: "stop"),
            ("fatal", 1, lambda d: f"raise {r.choice('KX')} -"),
            ("fatal", 0.3, lambda d: f"exc {self.future()} {r.choice('KX')} -"),
            ("callback", 0.2, lambda d: f"hstate h{r.randrange(3)}"),
            ("gather", 1, lambda d: f"{r.choice(['gather', 'gather', 'gatherx'])} {self.any_register()} {self.children(d)}"),
            ("gather", 0.7, lambda d: f"shield {self.any_register()} {self.child(d)}"),
            ("group", 1, lambda d: f"tgs G{r.randrange(2)} {self.any_register()} {self.block(d)}"),
            ("lock", 1, lambda d: f"rel {r.choice(self.locks)}"),
            ("event", 2, lambda d: f"eset E{r.randrange(2)}"),
            ("event", 0.7, lambda d: f"eclear E{r.randrange(2)}"),
            ("condition", 1, lambda d: f"notify {self.condition} {r.choice([1, 1, 2])}"),
            ("condition", 0.5, lambda d: f"notifyall {self.condition}"),
            ("semaphore", 1.5, lambda d: f"rel {r.choice(self.semaphores)}"),
            ("queue", 1, lambda d: f"putn {r.choice(self.queues)} {self.priority_value()}"),
            ("queue", 1, lambda d: f"getn {r.choice(self.queues)}"),
            ("queue", 0.7, lambda d: f"tdone {r.choice(self.queues)}"),
            ("queue", 0.2, lambda d: f"shutdown {r.choice(self.queues)} {r.choice(['now', 'later'])}"),
            ("lock", 0.2, lambda d: f"prim {r.choice(self.locks)}"),
            ("semaphore", 0.2, lambda d: f"prim {r.choice(self.semaphores)}"),
            ("queue", 0.2, lambda d: f"prim {r.choice(self.queues)}"),
            ("barrier", 0.2, lambda d: f"prim {self.barrier}"),
        ]

    def words(self, depth):
        r = self.random
        deep = depth < 5
        nested = lambda make: make if deep else lambda d: None
        return self.sync_words() + [
            ("sleep", 2, lambda d: f"sleep {self.delay()}"),
            ("sleep", 1, lambda d: "sleep 0"),
            ("sleep", 0.2, lambda d: f"sleepv {self.delay()} {r.randrange(9)}"),
            ("flow", 2.5, nested(lambda d: f"try {self.block(d)}{self.clauses(d)}")),
            ("flow", 0.3, lambda d: self.ending()),
            ("task", 1, nested(self.spawn)),
            ("task", 0.7, lambda d: f"cancelme {r.choice(MESSAGES)}"),
            ("task", 0.7, lambda d: r.choice(["uncancel", "cancelling"])),
            ("task", 2, lambda d: f"await {self.target()}"),
            ("future", 2, lambda d: f"await {self.future()}"),
            ("gather", 2, lambda d: f"await {self.any_register()}"),
            ("wait", 3, lambda d: f"wait {r.choice(['first', 'first', 'error', 'all'])} {self.limit()} {self.targets()}"),
            ("completed", 2, nested(lambda d: f"asc {self.limit()} {self.children(d)}")),
            ("completed", 1, nested(lambda d: f"asa {self.limit()} {self.children(d)}")),
            ("limit", 2, nested(lambda d: f"wfor {self.limit()} {self.child(d)}")),
            ("limit", 2, nested(lambda d: f"tmo {self.limit()} {self.block(d)}")),
            ("limit", 0.5, nested(lambda d: f"tat {r.choice(['-', r.randrange(12)])} {self.block(d)}")),
            ("limit", 0.8, lambda d: f"resched {self.limit()}"),
            ("limit", 0.5, lambda d: "expired"),
            ("group", 3, nested(self.group)),
            ("group", 2, lambda d: f"tgs G{r.randrange(2)} {self.any_register()} {self.block(d)}"),
            ("lock", 2, lambda d: f"acq {r.choice(self.locks)}"),
            ("lock", 1.5, nested(lambda d: f"with {r.choice(self.locks)} {self.block(d)}")),
            ("lock", 1, lambda d: f"rel {r.choice(self.locks)}"),
            ("lock", 0.7, lambda d: f"wprim {self.limit()} {r.choice(self.locks)}"),
            ("event", 0.7, lambda d: f"wprim {self.limit()} E{r.randrange(2)}"),
            ("semaphore", 0.7, lambda d: f"wprim {self.limit()} {r.choice(self.semaphores)}"),
            ("queue", 0.7, lambda d: f"wprim {self.limit()} {r.choice(self.queues)}"),
            ("event", 3, lambda d: f"ewait E{r.randrange(2)}"),
            ("event", 0.2, lambda d: f"prim E{r.randrange(2)}"),
            ("condition", 1, lambda d: f"acq {self.condition}"),
            ("condition", 1, lambda d: f"rel {self.condition}"),
            ("condition", 3, nested(lambda d: f"with {self.condition} {self.block(d)}")),
            ("condition", 2, lambda d: f"cwait {self.condition}"),
            ("condition", 0.6, lambda d: f"cwaitfor {self.condition} {self.future()}"),
            ("semaphore", 2, lambda d: f"acq {r.choice(self.semaphores)}"),
            ("semaphore", 2, nested(lambda d: f"with {r.choice(self.semaphores)} {self.block(d)}")),
            ("barrier", 3, lambda d: f"bwait {self.barrier}"),
            ("barrier", 0.7, nested(lambda d: f"with {self.barrier} {self.block(d)}")),
            ("barrier", 0.4, lambda d: f"breset {self.barrier}"),
            ("barrier", 0.3, lambda d: f"babort {self.barrier}"),
            ("queue", 2.5, lambda d: f"put {r.choice(self.queues)} {self.priority_value()}"),
            ("queue", 2.5, lambda d: f"get {r.choice(self.queues)}"),
            ("queue", 0.8, lambda d: f"join {r.choice(self.queues)}"),
        ]

    def group(self, depth):
        r = self.random
        name = f"G{r.randrange(2)}"
        first = [f"tgs {name} {self.any_register()} {self.block(depth + 1)}" for _ in range(r.choice([0, 1, 2, 2, 3]))]
        rest = self.statements(depth + 1, r.choice([0, 1, 2, 3]))
        return f"tg {name} {{ {' ; '.join(first + rest)} }}"


def make_program(seed, index):
    return Generator(seed, index).program()


# ── making it smaller ───────────────────────────────────────────────────────────────────────────────────────────────


def blocks_of(block):
    yield block
    for statement in block.statements:
        for word in statement:
            if isinstance(word, Block):
                yield from blocks_of(word)


OPERANDS_AFTER = {"gather": 1, "gatherx": 1, "asc": 1, "asa": 1, "wait": 2}  # the word before the first operand


def smaller(text):
    """Programs that are a step smaller, the most different first."""
    program = parse(text)
    count = sum(1 for _ in blocks_of(program))
    # without several statements, or one
    for number in range(count):
        length = len(list(blocks_of(program))[number].statements)
        pieces = [length // 2, 1] if length > 3 else [1]
        for piece in dict.fromkeys(pieces):
            for start in range(0, length, piece):
                copy = parse(text)
                del list(blocks_of(copy))[number].statements[start : start + piece]
                yield unparse(copy)
    # without an operand or a clause; with a block's statements in place of the statement
    for number in range(count):
        statements = list(blocks_of(program))[number].statements
        for at, statement in enumerate(statements):
            for word in range(1, len(statement)):
                if isinstance(statement[word], Block):
                    copy = parse(text)
                    target = list(blocks_of(copy))[number].statements
                    target[at : at + 1] = target[at][word].statements
                    yield unparse(copy)
                if word > OPERANDS_AFTER.get(statement[0].lstrip("?!"), len(statement)):
                    copy = parse(text)
                    del list(blocks_of(copy))[number].statements[at][word]
                    yield unparse(copy)
                if statement[0].lstrip("?!") == "try" and word % 2 == 0 and word + 1 < len(statement):
                    copy = parse(text)
                    del list(blocks_of(copy))[number].statements[at][word : word + 2]
                    yield unparse(copy)
            if statement[0][0] in "?!":
                copy = parse(text)
                changed = list(blocks_of(copy))[number].statements[at]
                changed[0] = changed[0][1:]
                yield unparse(copy)
            for word in range(1, len(statement)):
                if isinstance(statement[word], str) and statement[word].lstrip("-").isdigit():
                    for number_instead in ("0", "1"):
                        if statement[word] not in ("0", number_instead):
                            copy = parse(text)
                            list(blocks_of(copy))[number].statements[at][word] = number_instead
                            yield unparse(copy)
                elif statement[word] in ("m1", "m2"):
                    copy = parse(text)
                    list(blocks_of(copy))[number].statements[at][word] = "-"
                    yield unparse(copy)


def shrink(text, still_fails, patience=3000):
    """The smallest program found that still fails. `still_fails` takes a list of programs, and gives the first of
    them that fails, or None."""
    while patience > 0:
        candidates = []
        for candidate in smaller(text):
            if candidate and (len(candidate) < len(text) or (len(candidate) == len(text) and candidate < text)):
                candidates.append(candidate)
        candidates = list(dict.fromkeys(candidates))[:400]
        if not candidates:
            return text
        patience -= len(candidates)
        found = still_fails(candidates)
        if found is None:
            return text
        text = found
    return text

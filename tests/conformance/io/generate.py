"""Makes random programs of transports, streams and sockets."""

import random

EVENTS = {
    "s": ["made", "data", "data", "eof", "lost", "pause", "resume"],
    "b": ["made", "get", "data", "data", "eof", "lost", "pause", "resume"],
    "r": ["made", "data", "data", "eof", "lost"],
    "w": ["made", "lost", "pause", "resume"],
    "d": ["made", "data", "error", "lost", "pause", "resume"],
}
EVENTS["c"] = EVENTS["i"] = EVENTS["s"]
EVENTS["e"] = EVENTS["d"]
KINDS = "ssssbrrwwwdxxxxxvvazyyk"
LIMITS = ["1", "2", "3", "5", "8", "20", "100", "65536"]
SEPARATORS = ["a", "b", "ab", "bc", "d", "cdef", "zz", "q", "zzzzzzzzzz"]
ERRORS = ["V", "V", "V", "R", "O", "P", "C"]


class Generator:
    """One program: a few objects, and steps between which the loop has a tick, or several, or none."""

    def __init__(self, seed, index):
        self.random = random.Random(f"io/{seed}/{index}")
        r = self.random
        kinds = [r.choice(KINDS) for _ in range(r.choice([1, 1, 1, 2, 2, 3]))]
        if r.random() < 0.35:  # servers and what connects to them, or UDP
            kinds = r.choice(["nc", "no", "uo", "uc", "ncc", "noc", "uoo", "nuco", "ee", "ee", "eee", "ncs", "uoe"])
        self.names = [kind + str(kinds[:at].count(kind)) for at, kind in enumerate(kinds)]
        self.operands = list(self.names)  # and the connections that servers will make
        for server, incoming in ("ni", "uj"):
            if server in kinds:
                self.operands += [incoming + str(at) for at in range(sum(kind in "co" for kind in kinds))] * 2
        self.tasks = [f"t{i}" for i in range(r.choice([1, 2, 3]))]
        self.tight = r.choice([0, 0, 0, 1])
        self.hooks = r.choice([0.0, 0.3, 0.6, 1.0])  # how many callbacks do something
        self.big = r.random() < (0.7 if self.tight else 0.3)
        self.pace = r.choice([0.25, 0.5, 0.9])  # how often the loop runs between two steps
        self.errors = r.choice([0.0, 0.5, 2.0])
        self.pressure = r.choice([0.0, 0.1, 0.3])  # how often a buffer is made to run over
        self.setp_left = 2

    def program(self):
        r = self.random
        steps = []
        for name in self.names:
            steps.append(self.creation(name))
        if len(steps) > 1 and r.random() < 0.3:
            steps[-1] = f"task c {{ {steps[-1]} }}"
        for _ in range(r.choice([3, 5, 8, 12, 18])):
            if r.random() < self.pace:
                steps.append(f"t {r.choice([1, 1, 1, 2, 2, 3, 4, 6])}")
            steps.append(self.step())
        if r.random() < 0.6:
            steps.append("t 5")
        return " ; ".join(steps)

    # ── pieces ──

    def creation(self, name):
        r = self.random
        kind = name[0]
        word = "tight" if self.tight and kind != "y" else "new"
        if kind in "nuco":
            word = "new"
            target = r.choice(["tcp", "tcp", "unix", "unix", "tcp-", "unix-"]) if kind in "nu" else self.server()
            if kind == "u":
                return f"new {name} {target} {r.choice(LIMITS)} {{ {self.task_block('j0')} }}"
            return f"new {name} {target}" + (f" {r.choice(LIMITS)}" if kind == "o" else self.clauses("i0"))
        if kind == "e":
            return f"new {name} {'-' if name == 'e0' or r.random() < 0.5 else 'e0'}{self.clauses(name)}"
        if kind in EVENTS:
            return f"{word} {name}{' ' + r.choice(['1', '3', '10', '100']) if kind == 'b' else ''}{self.clauses(name)}"
        if kind in "xay":
            return f"{word} {name} {r.choice(LIMITS)}"
        if kind == "v":
            return f"{word} {name} {r.choice(LIMITS)} {{ {self.task_block(name)} }}"
        return f"{word} {name}"

    def server(self):
        return self.random.choice([name for name in self.names if name[0] in "nu"])

    def clauses(self, name):
        text = ""
        for event in dict.fromkeys(EVENTS[name[0]]):
            if self.random.random() < self.hooks * (0.25 if event in ("made", "get") else 0.6):
                text += f" {event} {{ {self.callback_block(name, event)} }}"
            elif event == "eof" and self.random.random() < 0.4:
                text += " eof { ret }"
        return text

    def callback_block(self, name, event=""):
        r = self.random
        statements = [self.callback_word(name) for _ in range(r.choice([1, 1, 2, 3]))]
        if event == "get":  # a deliberate difference
            statements = [it for it in statements if "setp" not in it] or [f"isc {name}"]
        if r.random() < 0.2 * self.errors:
            statements.append(f"raise {r.choice(ERRORS)}")
        elif event == "eof" and r.random() < 0.5 or event == "get" and r.random() < 0.2:
            statements.append("ret")
        return " ; ".join(statements)

    def task_block(self, name):
        statements = []
        for _ in range(self.random.choice([1, 2, 3, 4])):
            statements.append(self.waiting_word(name) if self.random.random() < 0.75 else self.callback_word(name))
        return " ; ".join(statements)

    def step(self):
        r = self.random
        name = r.choice(self.operands)
        choice = r.random()
        if name[0] in "co" and choice < 0.15:  # once more
            return self.creation(name[0] + r.choice("123"))
        if choice < self.pressure and name[0] in "sbwxzvd":
            return self.pressing(name)
        choice = r.random()
        if choice < 0.05:
            return f"soon {{ {self.callback_block(name)} }}"
        if choice < 0.1:
            return f"cancel {r.choice(self.tasks)}"
        if choice < (0.5 if name[0] in "xvaykzjou" else 0.15):
            return f"task {r.choice(self.tasks)} {{ {self.task_block(name)} }}"
        return self.plain_word(name)

    def pressing(self, name):
        """Nothing fits into the kernel's buffer, and the marks are low: what is written now waits."""
        r = self.random
        steps = [f"recvall {name}", f"lim {name} {r.choice(['0', '3', '30', '100'])} {r.choice(['-', '0', '1', '2'])}",
                 f"fill {name}"]
        if name[0] == "d":
            steps += [f"st {name} {r.choice(['1', '5', '40'])}" for _ in range(r.choice([1, 2, 4]))]
        else:
            steps += [f"w {name} {self.size()}" for _ in range(r.choice([1, 1, 2]))]
        return " ; ".join(step for at, step in enumerate(steps) if at != 1 or r.random() < 0.7)

    def callback_word(self, name):
        if len(self.operands) > 1 and self.random.random() < 0.2:
            name = self.random.choice(self.operands)
        if self.random.random() < 0.06:
            return f"cancel {self.random.choice(self.tasks)}"
        return self.random.choice(["", "", "", "?"]) + self.plain_word(name)

    def size(self):
        r = self.random
        size = r.choice(["1", "2", "3", "5", "8", "20", "60", "300"] + (["3000", "5000"] if self.big else []) +
                        (["20000", "70000"] if self.big and self.tight else []))
        return ("z" if r.random() < 0.15 else "") + size

    def waiting_word(self, name):
        r = self.random
        kind = name[0]
        words = [(1, f"t {r.choice('112345')}")]
        if kind in "xvayjo":
            words += [
                (3, f"read {name} {r.choice(['-1', '0', '1', '4', '30', '100'])}"),
                (2, f"readx {name} {r.choice(['-1', '0', '1', '4', '10', '30', '200'])}"),
                (2, f"readline {name}"),
                (2, f"readu {name} {' '.join(r.choice(SEPARATORS) for _ in range(r.choice([1, 1, 2, 3])))}"),
            ]
            if r.random() < 0.05:
                words += [(2, f"readu {name} -"), (2, f"readu {name}")]
        if kind in "xvzjo":
            words += [(3, f"drain {name}")]
        if kind in "nu":
            words += [(1, f"sstart {name}"), (2, f"sforever {name}"), (3, f"swait {name}")]
        if kind in "xvjo":
            words += [(1, f"wclosed {name}")]
        if kind == "k":
            words += [(3, f"srecv {name} {r.choice(['1', '5', '100'])}"), (3, f"ssend {name} {self.size()}")]
        return r.choice(["", "", "?", "!"]) + self.weighted(words)

    def plain_word(self, name):
        r = self.random
        kind = name[0]
        words = []
        if kind in "nu":
            words += [
                (1, f"sis {name}"),
                (2, f"sclose {name}"),
                (1, f"sclients {name} {r.choice(['close', 'abort'])}"),
            ]
        elif kind == "e":
            words += [
                (4, f"stt {name} {r.choice(self.names)} {r.choice(['0', '1', '5', '40'])}"),
                (3, f"st {name} {r.choice(['0', '1', '5', '40'])}"),
            ]
        elif kind not in "yicjo":
            if kind not in "wz":
                words += [(5, f"send {name} {self.size()}")]
            if kind not in "ra":
                words += [(2, f"recv {name} {r.choice(['1', '5', '100', '5000'])}"), (3, f"recvall {name}")]
            if kind not in "rwazd":
                words += [(1, f"shut {name}")]
            words += [(0.7, f"pclose {name}")]
        if kind in "sbwxzvicjo":
            words += [
                (5, f"w {name} {self.size()}"),
                (1, f"wl {name} {self.size()} {r.choice(['0', self.size()])}"),
                (0.6, f"weof {name}"),
                (0.1, f"cwe {name}"),
            ]
            if r.random() < 0.1:
                words += [(3, f"w {name} 0")]
        if kind in "sbwxzvicjode":
            high = r.choice(["0", "1", "10", "50", "500", "-"])
            low = r.choice(["-", "-", "0", "1", "20", "100"])
            words += [
                (0.4, f"abort {name}"),
                (0.7, f"size {name}"),
                (1, f"lim {name} {high} {low}"),
                (0.1, f"getlim {name}"),
                (1.5, f"fill {name}"),
            ]
        if kind in "sbrxavicjo":
            words += [(1.3, f"pr {name}"), (1.6, f"rr {name}"), (0.3, f"isr {name}")]
        if kind in "sbrwxazvdicjoe":
            words += [(0.8, f"close {name}"), (0.2, f"isc {name}")]
        if kind == "d":
            words += [(6, f"st {name} {r.choice(['0', '1', '5', '40'])}")]
        if kind in "sbrwd" and self.setp_left > 0:
            self.setp_left -= 1
            size = " " + r.choice("137") if kind == "b" else ""
            words += [(0.3, f"setp {name}{size}{self.clauses(name)}")]
        if kind in "xvayjo":
            often = 1 if kind == "y" else 0.1
            words += [
                (5 * often, f"feed {name} {self.size()}"),
                (0.7 * often, f"feof {name}"),
                (0.7 * often, f"exc {name} {r.choice(ERRORS)}"),
                (0.3 * often, f"ateof {name}"),
                (0.3 * often, f"exn {name}"),
            ]
        if kind == "k":
            words += [
                (1.5, f"krecv {name} {r.choice(['1', '5', '100'])}"),
                (1.5, f"fill {name}"),
            ]
        if kind in "sbxvdk" and (kind == "k" or r.random() < 0.05):
            inner = r.choice([f"krecv {name} 3", f"remr {name}", f"remw {name}", f"send {name} 3", f"recvall {name}"])
            words += [
                (1.5, f"addr {name} {{ {inner} }}"),
                (1, f"addw {name} {{ {inner} }}"),
                (0.5, f"remr {name}"),
                (0.5, f"remw {name}"),
            ]
        words += [(0.05 * self.errors, f"raise {r.choice(ERRORS)}")] if kind in EVENTS else []
        return self.weighted(words)

    def weighted(self, words):
        return self.random.choices([text for _, text in words], [weight for weight, _ in words])[0]


def make_program(seed, index):
    return Generator(seed, index).program()

"""Writes the corpus: few programs that between them show much of what random programs do.

A program is taken if its log has something that no program before it showed often enough. What is counted: each word
with each kind of result ("await !C(m)"), each pair of such lines next to each other in one tick, and each such line
together with each word of its program. Programs that once found a difference come first, always.
"""

import collections
import itertools
import os
import re
import sys

import generate
import oracle

FILES = 6
MAX_BYTES = 2_900_000
FOUND = "found.txt"  # the programs that found a difference once, one a line; kept by hand


def is_steady(program):
    """Its log is the same on every machine: not if it depends on the size of the kernel's buffers (io/)."""
    return "tight" not in program


def kinds(lines):
    """Each line without its numbers and names: "7 await !E1(m2)" → "await !E1"."""
    for line in lines:
        if line[0] == "@":
            yield "@"
        else:
            words = line.split(" ", 1)
            line = re.sub(r"\(m\d\)", "(m)", words[1] if words[0].isdigit() else line)
            yield re.sub(r"\d+", "0", re.sub(r"\d+:[^ ]+", "0:…", line))


def features(program, lines):
    of_lines = list(kinds(lines))
    words = set(re.findall(r"[a-z]{2,}", program))
    for kind in of_lines:
        yield kind
    for pair in itertools.pairwise(of_lines):
        yield pair
    for kind in set(of_lines):
        for word in words:
            yield kind, word


def choose(wanted, seed):
    """Looks at random programs until there are enough; yields (program, log)."""
    seen = collections.Counter()
    taken = 0
    for first in range(0, 100 * wanted, 500):
        programs = [generate.make_program(seed, index) for index in range(first, first + 500)]
        programs = [program for program in programs if is_steady(program)]
        for program, lines in zip(programs, oracle.run_programs(programs)):
            new = sum(1 for feature in set(features(program, lines)) if seen[feature] < 2)
            # Early on everything is new: a short program that shows as much is better.
            if new * 100 < len(program) + sum(map(len, lines)):
                continue
            seen.update(set(features(program, lines)))
            taken += 1
            yield program, lines
            if taken == wanted:
                return


def write(folder, wanted, seed):
    found = []
    path = os.path.join(folder, FOUND)
    if os.path.exists(path):
        with open(path) as file:
            found = [line.strip() for line in file if line.strip() and line[0] != "#" and is_steady(line)]
    chosen = list(zip(found, oracle.run_programs(found)))
    chosen += itertools.islice(choose(wanted, seed), max(0, wanted - len(chosen)))
    chunks = ["> " + program + "\n" + "".join(line + "\n" for line in lines) for program, lines in chosen]
    size = sum(len(chunk.encode()) for chunk in chunks)
    if size > MAX_BYTES:
        sys.exit(f"the corpus would have {size} bytes: choose fewer programs")
    for number in range(FILES):
        with open(os.path.join(folder, f"corpus{number + 1}.txt"), "w") as file:
            file.writelines(chunks[number::FILES])
    print(f"{len(chunks)} programs, {size} bytes, Python {sys.version.split()[0]}")
    return 0

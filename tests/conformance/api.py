#!/usr/bin/env python3
"""Checks API.md, the table of asyncio's public names.

api.py                                   each test that the table names exists; each row has a C++ name and a test, or the
                                         reason why not; no name of this Python's asyncio is missing (if it is 3.13 or newer)
api.py --compile COMPILER FLAG... -I DIR...  each C++ name exists: compiles a file that names them all. Rows of a stage whose
                                         headers are in none of the DIRs are left out.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE / "API.md"

# Members are named by a using-declaration in a derived class. But from some nothing can be derived, and some have private
# overloads beside the public function, which a using-declaration would name too.
FINAL = {"Queue<int>"}
WITH_PRIVATE_OVERLOADS = {"Server", "StreamReader", "StreamWriter"}


class Row:
    def __init__(self, number, python, cpp, stage, pinned):
        self.where = f"{TABLE.name}:{number}"
        self.python = re.findall(r"`([^`]+)`", python)
        self.cpp = re.findall(r"`([^`]+)`", cpp)
        self.stage = int(stage) if stage.isdigit() else None
        self.tests = re.findall(r"(stage\d/[\w/]+\.cpp): (\w+)\.(\w+)", pinned)
        self.pinned = pinned
        self.not_yet = pinned == "not yet"


def read_table():
    rows = []
    for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("| `"):
            rows.append(Row(number, *(cell.strip() for cell in line.strip("| ").split("|"))))
    return rows


def missing_names(rows):
    """Names of asyncio.__all__ that the table has not. What 3.14 removed need not be there."""
    if sys.version_info < (3, 13):
        return []
    import asyncio

    listed = {name for row in rows for name in row.python}
    gone = re.compile(r"(\w*ChildWatcher|[gs]et_child_watcher|Windows\w+)$")
    return [name for name in asyncio.__all__ if f"asyncio.{name}" not in listed and not gone.match(name)]


def check(rows):
    errors = [f"asyncio.{name} is not in {TABLE.name}" for name in missing_names(rows)]
    sources = {}
    for row in rows:
        if row.cpp and not row.tests and not row.not_yet:
            errors.append(f"{row.where}: no test pins `{row.cpp[0]}`")
        if not row.cpp and not row.pinned:
            errors.append(f"{row.where}: {row.python[0]} has neither a C++ name nor a reason why not")
        for file, suite, test in row.tests:
            path = HERE.parent / file
            text = sources.setdefault(path, path.read_text(encoding="utf-8") if path.exists() else "")
            if not re.search(rf"^(TYPED_)?TEST(_F|_P)?\({suite}, {test}\)", text, re.MULTILINE):
                errors.append(f"{row.where}: there is no {suite}.{test} in {file}")
    return errors


def declaration(number, name):
    """C++ that is valid if, and only if, `name` exists, whatever it is: a type, a template, overloaded functions ..."""
    owner, _, member = name.rpartition("::")
    if not owner:
        return f"namespace name{number} {{ using asyncio::{name}; }}"
    if owner in FINAL:
        return f"using Name{number} = decltype(&asyncio::{owner}::{member});"
    if owner in WITH_PRIVATE_OVERLOADS:  # a second base with a member of that name: ambiguous, if the first has one
        return (
            f"struct Other{number} {{ int {member}; }}; struct Both{number} : asyncio::{owner}, Other{number} {{}}; "
            f"template <class C> concept Unique{number} = requires {{ &C::{member}; }}; "
            f'static_assert(!Unique{number}<Both{number}>, "there is no {name}");'
        )
    return f"struct Name{number} : asyncio::{owner} {{ using asyncio::{owner}::{member}; }};"


def unit(rows, include_dirs):
    headers = sorted({path.name for folder in include_dirs for path in pathlib.Path(folder).glob("asyncio/*.h")})
    stages = {int(m[1]) for folder in include_dirs if (m := re.match(r"stage(\d)_", pathlib.Path(folder).name))}
    lines = [f"#include <asyncio/{header}>" for header in headers] + ["namespace asyncio::names {"]
    names = 0
    for row in rows:
        if row.not_yet or (stages and row.stage not in stages):
            continue
        for name in row.cpp:
            # Where the compiler looks for the mistake's place, the table is.
            lines += [f'#line {row.where.rpartition(":")[2]} "{TABLE.name}"', declaration(names, name)]
            names += 1
    return "\n".join([*lines, "}"]) + "\n", names


def compile_names(rows, command):
    include_dirs = [command[i + 1] for i, word in enumerate(command[:-1]) if word == "-I"]
    text, names = unit(rows, include_dirs)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "names.cpp"
        path.write_text(text, encoding="utf-8")
        if subprocess.run([*command, "-fsyntax-only", str(path)], check=False).returncode != 0:
            return 1
    print(f"{names} names exist")
    return 0


def main():
    rows = read_table()
    if sys.argv[1:2] == ["--compile"]:
        return compile_names(rows, sys.argv[2:])
    errors = check(rows)
    not_yet = sum(row.not_yet for row in rows)
    print("\n".join(errors) or f"{len(rows)} rows are right; {not_yet} of them say: not yet")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

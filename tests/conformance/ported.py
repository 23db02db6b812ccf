#!/usr/bin/env python3
"""Which of CPython's own tests we have: counted from the comments above our tests, never typed.

    // test_locks.py: LockTests.test_cancel_race
    TEST(Lock, ...

ported.py           writes PORTED.md
ported.py --check   fails if PORTED.md is not what it would write, if a comment is in another form or at another place, or
                    names a test that cpython_tests.txt does not know (or calls not portable), or if a test that can be ported
                    is missing
"""

import pathlib
import re
import sys
from collections import defaultdict

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
LIST = HERE / "cpython_tests.txt"
REPORT = HERE / "PORTED.md"

COMMENT = re.compile(r"// (test_\w+\.py): (\w+)\.(test_\w+)")
SUSPECT = re.compile(r"//.*\btest_\w+\.py\b")


class Test:
    def __init__(self, file, name, line):
        """`line` is one of the list: `*6 test_accept`, `- test_repr repr`, `.6 test_start_tls tls`."""
        mark, method, *rest = line.split()
        self.file = file
        self.name = f"{name}.{method}"
        self.star = mark[0] == "*"
        self.second = mark[0] == "+"
        self.stage6 = mark[1:] == "6"
        self.reason = rest[0] if mark[0] == "-" else None
        self.tls = rest == ["tls"]


def read_list():
    """The tests in order, and what the reasons mean."""
    tests, reasons = [], {}
    file = name = None
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"#     (\w+) +(.*)", line):
            reasons[match[1]] = match[2]
        elif match := re.fullmatch(r"(test_\w+\.py): (\w+)", line):
            file, name = match[1], match[2]
        elif line and not line.startswith("#"):
            tests.append(Test(file, name, line))
    unknown = {test.reason for test in tests if test.reason} - reasons.keys()
    if unknown:
        sys.exit(f"{LIST.name} gives reasons that it does not explain: {', '.join(sorted(unknown))}")
    return tests, reasons


def read_comments():
    """(file, Class.test) -> where it is named; and the comments that are not in the one form."""
    named, errors = defaultdict(list), []
    for path in sorted([*TESTS.glob("stage*/**/*"), *TESTS.glob("support/*"), *TESTS.glob("build/refused/*")]):
        if path.suffix not in (".cpp", ".h"):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            where = f"{path.relative_to(TESTS)}:{number}"
            if match := COMMENT.fullmatch(line):
                named[match[1], f"{match[2]}.{match[3]}"].append(where)
                below = next(line for line in lines[number:] if not line.startswith("//"))
                if path.parent.name != "refused" and not re.match(r"(TYPED_)?TEST", below):
                    errors.append(f"{where}: not above a test")
            elif SUSPECT.search(line):
                errors.append(f"{where}: not in the form `// test_file.py: Class.test_name`: {line.strip()}")
    return named, errors


def table(tests, named, with_tls):
    """The table, and the sums of its columns. With TLS, that is a column of its own, and the others leave it out."""
    lines = ["| file | ported | portable | most telling | not portable |" + " about TLS |" * with_tls]
    lines += ["|---|---:|---:|---:|---:|" + "---:|" * with_tls]
    total = [0] * 7
    for file in dict.fromkeys(test.file for test in tests):
        of_file = [test for test in tests if test.file == file]
        is_ported = lambda test: (file, test.name) in named
        portable = [test for test in of_file if not test.reason and not test.tls]
        stars = [test for test in portable if test.star]
        tls = [test for test in of_file if test.tls]
        groups = [filter(is_ported, portable), portable, filter(is_ported, stars), stars]
        groups += [(test for test in of_file if test.reason), filter(is_ported, tls), tls]
        row = [sum(1 for _ in group) for group in groups]
        total = [a + b for a, b in zip(total, row)]
        lines.append(columns(file, row, "{}", with_tls))
    lines.append(columns("**all**", total, "**{}**", with_tls))
    return lines, total


def columns(name, row, form, with_tls):
    ported, portable, stars_ported, stars, refused, tls_ported, tls = row
    texts = [ported, portable, f"{stars_ported} of {stars}", refused]
    if with_tls:
        texts.append(f"{tls_ported} of {tls}")
    return f"| {name} | " + " | ".join(form.format(text) for text in texts) + " |"


def by_file(tests, text):
    lines = []
    for file in dict.fromkeys(test.file for test in tests):
        lines.append(f"- {file}: " + ", ".join(text(test) for test in tests if test.file == file))
    return lines or ["None."]


def report(tests, reasons, named):
    lower = [test for test in tests if not test.stage6]
    upper = [test for test in tests if test.stage6]
    lower_table, (ported, portable, *_) = table(lower, named, False)
    upper_table, (ported6, portable6, *_, tls_ported, tls) = table(upper, named, True)
    marks = lambda test: ("★ " if test.star else "☆ " if test.second else "") + f"`{test.name}`"
    missing = lambda some: by_file([t for t in some if not t.reason and (t.file, t.name) not in named], marks)
    lines = [
        "# CPython's own tests, ported",
        "",
        "Written by [ported.py](ported.py) from the comments in the tests and from the list in",
        "[cpython_tests.txt](cpython_tests.txt); `ctest -R conformance.ported` fails when it is stale.",
        "A test is ported by its behaviour, not by its text: one of ours may stand for several of CPython's, and the other way round.",
        "",
        "## Stages 1 to 5",
        "",
        f"{ported} of {portable} tests that can be ported: {100 * ported // portable} %.",
        "",
        *lower_table,
        "",
        "### Not ported yet",
        "",
        "★ and ☆: first and second among the most telling.",
        "",
        *missing(lower),
        "",
        "## Stage 6",
        "",
        f"{ported6} of {portable6} tests that can be ported and are not about TLS: {100 * ported6 // portable6} %. About TLS:",
        f"{tls_ported} of {tls}.",
        "",
        *upper_table,
        "",
        "### Not ported yet",
        "",
        *missing(upper),
        "",
        "## Not portable",
        "",
    ]
    for reason, text in reasons.items():
        some = [test for test in tests if test.reason == reason]
        lines += [f"**{text[0].upper()}{text[1:]}** ({len(some)})", "", *by_file(some, lambda t: f"`{t.name}`"), ""]
    return "\n".join(lines)


def check(tests, named, errors, text):
    known = {(test.file, test.name): test for test in tests}
    for (file, name), places in named.items():
        test = known.get((file, name))
        if test is None:
            errors.append(f"{places[0]}: {LIST.name} knows no {file}: {name}")
        elif test.reason:
            errors.append(f"{places[0]}: {LIST.name} calls {file}: {name} not portable ({test.reason})")
    for test in tests:
        if not test.reason and (test.file, test.name) not in named:
            errors.append(f"a test that can be ported is missing: {test.file}: {test.name}")
    if not REPORT.exists() or REPORT.read_text(encoding="utf-8") != text:
        errors.append(f"{REPORT.name} is stale: run {pathlib.Path(__file__).name}")
    return errors


def main():
    tests, reasons = read_list()
    named, errors = read_comments()
    text = report(tests, reasons, named)
    if sys.argv[1:] == ["--check"]:
        errors = check(tests, named, errors, text)
        print("\n".join(errors) or f"{len(named)} of CPython's tests are named, {REPORT.name} is up to date")
        return 1 if errors else 0
    REPORT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

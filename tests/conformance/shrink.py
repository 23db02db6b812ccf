"""Makes a failing program smaller: of both languages, as it knows only blocks, statements and numbers."""

from scenario import Block, parse, unparse


def blocks_of(block):
    yield block
    for statement in block.statements:
        for word in statement:
            if isinstance(word, Block):
                yield from blocks_of(word)


OPERANDS_AFTER = {"gather": 1, "gatherx": 1, "asc": 1, "asa": 1, "asnew": 2, "wait": 2, "gnew": 2}  # the word before the first operand

WITH_HOOKS = ("new", "tight", "setp")  # io/: names and blocks in turn


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
                if statement[0] in WITH_HOOKS and word >= 2 and isinstance(statement[word], Block):
                    copy = parse(text)
                    del list(blocks_of(copy))[number].statements[at][word - 1 : word + 1]
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

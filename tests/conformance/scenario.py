"""The scenario language: text to tree and back. README.md says what each word means.

A program is a block: statements with ';' between them. A statement is a word with arguments; an argument is a word or
a block in braces. Every token stands alone between spaces. Blocks are numbered in the order of their opening braces;
the program itself is block 0, and a number is at the same time the name of whoever runs the block.
"""


class Block:
    __slots__ = ("id", "statements", "code")

    def __init__(self, id, statements):
        self.id = id
        self.statements = statements  # lists: [word, argument, ...]
        self.code = None  # for the interpreter: what it made of the statements

    def __str__(self):
        return unparse(self)


def parse(text):
    """The tree of a program; ValueError if a brace is missing."""
    program = Block(0, [])
    open_blocks = [program]
    statement = None
    count = 0
    for token in text.split():
        if token == ";":
            statement = None
        elif token == "{":
            count += 1
            block = Block(count, [])
            if statement is None:
                raise ValueError("a block is the argument of a statement")
            statement.append(block)
            open_blocks.append(block)
            statement = None
        elif token == "}":
            open_blocks.pop()
            if not open_blocks:
                raise ValueError("one } too many")
            statement = open_blocks[-1].statements[-1]
        elif statement is None:
            statement = [token]
            open_blocks[-1].statements.append(statement)
        else:
            statement.append(token)
    if len(open_blocks) != 1:
        raise ValueError("a } is missing")
    return program


def unparse(block):
    return " ; ".join(
        " ".join(f"{{ {unparse(word)} }}" if isinstance(word, Block) else word for word in statement)
        for statement in block.statements
    ).replace("{  }", "{ }")

"""How a block is run: its statements one after the other, with a line of the log for each. Both oracles do it so, this
folder's and io/'s; what a word does is their own. statements.h is its twin.
"""

import re

from scenario import Block

RETURN = object()  # what `ret` gives: the block is to be left
SKIP = "-"  # an operand is empty or has nothing of the kind, or waiting for it could close a circle


def without_repr(text):
    """What stands in < > differs: addresses, and names of types."""
    return re.sub("<.*>", "<>", text, flags=re.S) if "<" in text else text


class Interpreter:
    """`operations` are the words, {word: (function, is a coroutine function)}, and `show_error` says what an exception looks
    like in a log. A subclass has log(who, text)."""

    operations = {}
    show_error = None

    def compile(self, block):
        """Looks every word up once: [(word, function, is a coroutine function, arguments, what to swallow)]"""
        block.code = code = []
        for word, *arguments in block.statements:
            swallow = ()
            if word[0] == "?":
                word, swallow = word[1:], Exception
            elif word[0] == "!":
                word, swallow = word[1:], BaseException
            code.append((word, *self.operations[word], arguments, swallow))
            for argument in arguments:
                if isinstance(argument, Block):
                    self.compile(argument)

    async def run_statements(self, who, code, *scope):
        """A coroutine's; `scope` is what each word gets besides its arguments, if anything. RETURN if `ret` left it."""
        for word, function, is_async, arguments, swallow in code:
            try:
                result = function(self, *scope, *arguments)
                if is_async:
                    result = await result
            except GeneratorExit:
                raise
            except BaseException as error:
                self.log(who, f"{word} !{self.show_error(error)}")
                if isinstance(error, swallow):
                    continue
                raise
            if result is RETURN:
                return RETURN
            self.log(who, f"{word} {result}" if result is not None else word)

    def run_callback_statements(self, who, code, *scope):
        """A callback's: a word that waits is left out. RETURN if `ret` left it."""
        for word, function, is_async, arguments, swallow in code:
            try:
                result = SKIP if is_async else function(self, *scope, *arguments)
            except BaseException as error:
                self.log(who, f"{word} !{self.show_error(error)}")
                if isinstance(error, swallow):
                    continue
                raise
            if result is RETURN:
                return RETURN
            self.log(who, f"{word} {result}" if result is not None else word)

# bt: below a coroutine on the stack, the frames that await it.

import gdb
from gdb.FrameDecorator import FrameDecorator

from asyncio_gdb.memory import cplusplus
from asyncio_gdb.tasks import GENERATED, CoroFrame, coroutine_symbols, running_frame


class Variable:
    def __init__(self, name, value):
        self.name = name
        self.of_program = value

    def symbol(self):
        return self.name

    def value(self):
        return self.of_program


class PlainFrame(FrameDecorator):
    """As gdb prints it without a filter: the name of the function without the types of its parameters."""

    def function(self):
        return self.inferior_frame().name() or super().function()

    def frame_args(self):
        """Without the objects that are optimised out: the printers of the standard library fail on them, and say so."""
        return [argument for argument in super().frame_args() or () if not self.is_lost(argument)]

    def is_lost(self, argument):
        value = argument.symbol().value(self.inferior_frame())
        return value.is_optimized_out and value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT


class RunningFrame(FrameDecorator):
    """A coroutine on the stack, with the names of its source: those of the debug information are the compiler's."""

    def __init__(self, below, frame):
        super().__init__(below)
        self.frame = frame
        self.arguments, self.local_variables = frame.variables()

    def function(self):
        return self.frame.name

    def frame_args(self):
        return [Variable(*pair) for pair in self.arguments]

    def frame_locals(self):
        found = [Variable(*pair) for pair in self.local_variables]
        names = [variable.name for variable in found]
        for other in super().frame_locals() or ():  # what an optimiser keeps in registers
            name = str(other.symbol())
            if name not in names and name != "frame_ptr" and not GENERATED.match(name):
                found.append(other)
        return found


class AwaitingFrame(RunningFrame):
    """It is not on the stack. gdb prints it without a number, below the frame that it awaits."""

    def function(self):
        return "    async " + self.frame.name

    def address(self):
        return None

    def filename(self):
        return self.frame.file

    def line(self):
        return self.frame.line

    def frame_locals(self):
        return [Variable(*pair) for pair in self.local_variables]


class AwaitFilter:
    name = "asyncio"
    priority = 100
    enabled = True

    def filter(self, decorators):
        inlined = False
        for decorator in decorators:
            if not inlined:
                with cplusplus():
                    frames = self.decorated(decorator)
                yield from frames
            # An optimised coroutine is inlined into itself: it has two frames on the stack, of which one is enough.
            frame = decorator.inferior_frame()
            inlined = bool(coroutine_symbols(frame)) and frame.type() == gdb.INLINE_FRAME

    def decorated(self, decorator):
        """The frame, and the frames that await it, if it is that of a coroutine."""
        frame = decorator.inferior_frame()
        promise = running_frame(frame)
        if promise is None:
            return [PlainFrame(decorator)]
        frames = [RunningFrame(decorator, CoroFrame(promise, frame))]
        while int(promise["caller_"]):
            promise = promise["caller_"]
            frames.append(AwaitingFrame(decorator, CoroFrame(promise)))
        return frames


gdb.frame_filters[AwaitFilter.name] = AwaitFilter()

# gdb prints futures, tasks, coroutines, loops, queues and other objects as their repr().

import re

import gdb
import gdb.printing
import gdb.types

from asyncio_gdb import reprs
from asyncio_gdb.memory import cplusplus

PRINTERS = {
    r"asyncio::((Future|Task)<.*>|Any(Future|Task))": reprs.repr_of_handle,
    r"asyncio::Coro<.*>": reprs.repr_of_coro,
    r"asyncio::Loop": reprs.repr_of_loop,
    r"asyncio::(Lifo|Priority)?Queue<.*>": reprs.repr_of_queue,
    r"asyncio::Lock": reprs.repr_of_lock,
    r"asyncio::Condition": reprs.repr_of_condition,
    r"asyncio::Event": reprs.repr_of_event,
    r"asyncio::(Bounded)?Semaphore": reprs.repr_of_semaphore,
    r"asyncio::StreamReader": reprs.repr_of_reader,
}


class Printer:
    def __init__(self, value, text_of):
        self.value = value
        self.text_of = text_of

    def to_string(self):
        try:
            with cplusplus():
                return self.text_of(self.value)
        except (gdb.error, RuntimeError, ValueError) as error:  # not made yet, gone, or optimised out
            return "<unreadable: %s>" % error


class Printers(gdb.printing.PrettyPrinter):
    def __init__(self):
        super().__init__("asyncio")

    def __call__(self, value):
        name = gdb.types.get_basic_type(value.type).name or ""  # str(), in a C function, would put "struct" before it
        for pattern, text_of in PRINTERS.items():
            if re.fullmatch(pattern, name):
                return Printer(value, text_of)
        return None


gdb.printing.register_pretty_printer(None, Printers(), replace=True)

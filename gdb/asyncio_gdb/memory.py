# Reading the memory of the program: pointers, classes by their vtable, and the containers that the library uses.

import contextlib
import re

import gdb


@contextlib.contextmanager
def cplusplus():
    """Names as in C++, even if the selected frame is one of libc's. And the selected thread and frame stay selected."""
    language = gdb.parameter("language")
    thread = gdb.selected_thread()
    frame = gdb.selected_frame() if thread and thread.is_valid() else None
    gdb.execute("set language c++", to_string=True)
    try:
        yield
    finally:
        if thread:
            thread.switch()
        if frame and frame.is_valid():
            frame.select()
        gdb.execute("set language " + language, to_string=True)


class Object:
    """An object of a class of ours. (gdb itself would ask each object with virtual functions for its class, and warn if
    it finds no debug information for it: the classes of callbacks have such names.)"""

    def __init__(self, name, address):
        self.type = gdb.lookup_type("asyncio::" + name)
        self.address = int(address)

    def __getitem__(self, name):
        for field, offset in fields_of(self.type):
            if field.name == name:
                return gdb.Value(self.address + offset).cast(field.type.pointer()).dereference()
        raise gdb.error("%s has no member %s" % (self.type, name))


def fields_of(type_, offset=0):
    """The members of a class and of its bases, each with its offset."""
    for field in type_.strip_typedefs().fields():
        if hasattr(field, "bitpos"):  # not static
            yield field, offset + field.bitpos // 8
            if field.is_base_class:
                yield from fields_of(field.type, offset + field.bitpos // 8)


def has_member(type_, name):
    return any(field.name == name for field, _ in fields_of(type_))


def whole(name, base, address):
    """The object of a class at whose base `address` is."""
    for field, offset in fields_of(gdb.lookup_type("asyncio::" + name)):
        if field.is_base_class and field.name == "asyncio::" + base:
            return Object(name, int(address) - offset)
    raise gdb.error("%s is no base of %s" % (base, name))


def word(address):
    return int(gdb.Value(int(address)).cast(gdb.lookup_type("unsigned long").pointer()).dereference())


def class_at(address, at_begin=False):
    """The name of the class of the object there, by its vtable; "" if that is unknown. An address at which a base with
    a vtable of its own begins serves as well, unless `at_begin`."""
    try:
        symbol = gdb.execute("info symbol %#x" % word(address), to_string=True)
    except gdb.MemoryError:
        return ""
    found = re.match(r"vtable for (.+) \+ (\d+)", symbol)
    return found.group(1) if found and (found.group(2) == "16" or not at_begin) else ""


def size_of(name):
    return gdb.lookup_type("asyncio::" + name).sizeof


def vector(value):
    item, end = value["_M_impl"]["_M_start"], value["_M_impl"]["_M_finish"]
    while item != end:
        yield item.dereference()
        item += 1


def deque(value):
    cursor, end = value["_M_impl"]["_M_start"], value["_M_impl"]["_M_finish"]["_M_cur"]
    item, last, node = cursor["_M_cur"], cursor["_M_last"], cursor["_M_node"]
    while item != end:
        yield item.dereference()
        item += 1
        if item == last:
            node += 1
            item = node.dereference()
            last = item + 512 // max(item.type.target().sizeof, 1)


def ring(value):
    """detail::Ring"""
    for i in range(int(value["head_"]), int(value["tail_"])):
        yield unique_pointer(value["slots_"])[i & (int(value["capacity_"]) - 1)]["item"]


def unique_pointer(value):
    """Its pointer: the first member, as the deleter is empty."""
    held = value.type.strip_typedefs().template_argument(0).strip_typedefs()
    held = held.target() if held.code == gdb.TYPE_CODE_ARRAY else held
    return value.address.cast(held.pointer().pointer()).dereference()


def intrusive_list(value, name):
    """detail::IntrusiveList of the class."""
    end = int(value["head_"].address)
    link = int(value["head_"]["next_"])
    while link and link != end:
        yield whole(name, "detail::ListLink", link)
        link = int(Object("detail::ListLink", link)["next_"])


def intrusive_queue(value):
    """The addresses in a detail::IntrusiveQueue of DoneCallbacks: a ring, entered behind its last item."""
    last = item = int(value["last_"])
    while last:
        item = int(Object("detail::DoneCallback", item)["next_"])
        yield item
        if item == last:
            return


def std_string(value):
    """A std::string, or a pointer to one."""
    value = value.dereference() if value.type.code == gdb.TYPE_CODE_PTR else value
    return value["_M_dataplus"]["_M_p"].string(length=int(value["_M_string_length"]), errors="replace")

# What the repr() of the library's objects says, and in words what a task waits for.

import re

import gdb

from asyncio_gdb.memory import Object, class_at, has_member, intrusive_list, ring, size_of, std_string, unique_pointer
from asyncio_gdb.memory import vector, word
from asyncio_gdb.tasks import CoroFrame, Loop, Task, Where, file_and_line


def repr_of_value(value):
    """As detail::repr_of()."""
    type_ = value.type.strip_typedefs()
    if type_.code == gdb.TYPE_CODE_BOOL:
        return str(bool(value))
    if type_.code == gdb.TYPE_CODE_INT:
        return str(int(value))
    if type_.code == gdb.TYPE_CODE_FLT:
        return repr(float(value))
    if str(type_).startswith("std::__cxx11::basic_string<char"):
        return repr(std_string(value))
    return "<%s>" % type_


def repr_of_handle(handle):
    return repr_of_future(handle["state_"]["object_"])


def repr_of_future(pointer):
    """As detail::FutureBase::repr() and detail::TaskBase::repr()."""
    if not int(pointer):
        return "<Future empty>"
    state = Object("detail::FutureBase", pointer)
    outcome = str(state["state_"]).split("::")[-1]
    kind = class_at(pointer)
    text = "<Future "
    if kind.startswith("asyncio::detail::TaskState<"):
        task = Task(pointer)
        if outcome == "pending" and int(task.state["cancel_requests_"]):
            outcome = "cancelling"
        where = Where(task.state["where_"])
        text = "<Task %s name=%r coro=<%s()" % (outcome, task.name, where.function)
        if int(task.state["coroutine_"]):
            outermost = CoroFrame(task.state["coroutine_"])
            text += " running at %s>" % file_and_line(where.file, outermost.line)
        else:
            text += " done, defined at %s>" % file_and_line(where.file, where.line)
        if outcome in ("cancelling", "cancelled") and task.cancelled_at():
            text += " cancelled at " + task.cancelled_at()
    else:
        text = "<%s %s" % ("_GatheringFuture" if "GatheringFuture<" in kind else "Future", outcome)
    if outcome != "finished":
        return text + ">"
    error = exception_class(state["exception_"])
    if error:
        return text + " exception=<%s>>" % error
    if state["moved_out_"]:
        return text + " result=<moved out>>"
    return text + " result=%s>" % result_of(pointer)


def exception_class(pointer):
    """Of a std::exception_ptr; "" if it is null. The type_info is the first member of the __cxa_exception before it."""
    error = pointer["_M_exception_object"]
    if not int(error):
        return ""
    header = 5 * 8 + 8 + 4 * 8 + 32
    symbol = gdb.execute("info symbol %#x" % word(int(error) - header), to_string=True)
    return re.sub(r"typeinfo for |@.*| in section .*", "", symbol).strip()


def result_of(pointer):
    pointer = gdb.Value(int(pointer)).cast(gdb.lookup_type("asyncio::detail::FutureBase").pointer())
    state = pointer.cast(pointer.dynamic_type).dereference()
    if not has_member(state.type, "value_"):
        return "None"  # of void
    return repr_of_value(state["value_"]["_M_payload"]["_M_payload"]["_M_value"])


def repr_of_coro(coro):
    promise = coro["promise_"]
    if not int(promise):
        return "<Coro: awaited, moved from, or empty>"
    where = Where(promise["where_"])
    return "<Coro %s() defined at %s>" % (where.function, file_and_line(where.file, where.line))


def repr_of_loop(loop):
    ready, timers = loop["ready_"], loop["timers_"]
    counts = (
        "True" if loop["running_"]["_M_base"]["_M_i"] else "False",
        int(ready["tail_"]) - int(ready["head_"]),
        sum(is_armed(entry["timer"]) for part in ("heap_", "pile_", "inbox_") for entry in vector(timers[part])),
        sum(1 for _ in Loop(loop).tasks()),
    )
    return "<Loop running=%s ready=%d timers=%d tasks=%d>" % counts


def is_armed(timer):
    return bool(Object("detail::TimerState", timer)["armed_"])


def repr_of_primitive(name, state, waiters):
    text = "<%s [%s" % (name, state)
    count = sum(1 for _ in nodes(waiters))
    return text + (", waiters:%d]>" % count if count else "]>")


def repr_of_lock(lock):
    return repr_of_primitive("Lock", "locked" if is_locked(lock) else "unlocked", lock["waiters_"])


def is_locked(lock):
    return int(lock["state_"]) & 1


def repr_of_event(event):
    return repr_of_primitive("Event", "set" if event["is_set_"] else "unset", event["waiters_"])


def repr_of_semaphore(semaphore):
    name = "BoundedSemaphore" if int(semaphore["bound_"]) != 2**63 - 1 else "Semaphore"
    value = int(semaphore["value_"])
    locked = value == 0 or not all(is_cancelled(node) for node in nodes(semaphore["waiters_"]))
    return repr_of_primitive(name, "locked" if locked else "unlocked, value:%d" % value, semaphore["waiters_"])


def repr_of_condition(condition):
    state = "locked" if is_locked(condition["lock_"]) else "unlocked"
    return repr_of_primitive("Condition", state, condition["waiters_"])


def nodes(waiters):
    return intrusive_list(waiters["nodes_"], "detail::WaitNode")


def is_cancelled(node):
    return str(node["state_"]).endswith("cancelled")


def repr_of_queue(queue):
    """As detail::QueueBase::repr()."""
    text = "<%s maxsize=%d" % (re.sub(r"<.*", "", str(queue.type.strip_typedefs())).split("::")[-1], queue["maxsize_"])
    items = queue["items_"]["items_"]
    if int(queue["size_"]):
        stored = ring(items) if has_member(items.type, "head_") else vector(items)
        text += " _queue=[%s]" % ", ".join(repr_of_value(boxed(item)) for item in stored)
    for name in ("getters", "putters"):
        waiting = sum(1 for node in nodes(queue[name + "_"]) if not int(node["state_"]))
        text += " _%s[%d]" % (name, waiting) if waiting else ""
    text += " tasks=%d" % queue["unfinished_tasks_"] if queue["unfinished_tasks_"] else ""
    return text + (" shutdown>" if queue["is_shutdown_"] else ">")


def boxed(item):
    return unique_pointer(item["item_"]).dereference() if "Boxed<" in str(item.type.strip_typedefs()) else item


def repr_of_reader(reader):
    state = reader["state_"]["object_"]
    text = "<StreamReader"
    error = exception_class(state["exception_"])
    size = int(state["buffer_"]["bytes_"]["_M_string_length"]) - int(state["buffer_"]["begin_"])
    for part, there in (
        ("%d bytes" % size, size),
        ("eof", state["eof_"]),
        ("limit=%d" % state["limit_"], int(state["limit_"]) != 64 * 1024),
        ("waiter", int(state["waiter_"])),
        ("exception=<%s>" % error, error),
        ("paused", state["paused_"]),
    ):
        text += " " + part if there else ""
    return text + ">"


# ── what a task waits for ───────────────────────────────────────────────────────────────────────────────────────────


def waits_for(task):
    """As Waitable::repr(); "" if it does not wait."""
    waitable = int(task.state["fut_waiter_"])
    if not waitable or task.state["scheduled_"]:
        return ""
    kind = class_at(waitable)
    if re.match(r"asyncio::detail::\w*(Future|State)<|asyncio::detail::WaitState", kind):
        return repr_of_future(waitable)
    for part, describe in WAITABLES.items():
        if part in kind:
            try:
                return describe(waitable)
            except gdb.error:  # the debug information does not know it
                break
    return "<%s>" % kind.replace("asyncio::", "").replace("detail::", "")


def status(task):
    if task.is_done() or task.is_running():
        return "is done" if task.is_done() else "runs"
    return "waits for " + waits_for(task) if waits_for(task) else "is ready to run"


def repr_of_sleep(waitable):
    timer = Object("detail::TimerState", Object("detail::SleepAwaiter", waitable)["timer_"])
    return "<TimerHandle when=%.6f of sleep()>" % (int(timer["when_"]["__d"]["__r"]) / 1e9)


def repr_of_condition_wait(waitable):
    if "Condition" not in class_at(waitable):
        raise gdb.error("no condition")
    return repr_of_condition(Object("Condition", word(waitable + size_of("detail::WaitNode"))))


def repr_of_queue_wait(waitable):
    owner = word(waitable + size_of("detail::WaitNode"))
    queue = gdb.Value(owner).cast(gdb.lookup_type("asyncio::detail::QueueBase").pointer())
    if not class_at(owner).startswith("asyncio::"):
        raise gdb.error("no queue")
    return repr_of_queue(queue.cast(queue.dynamic_type).dereference())


def repr_of_descriptor(waitable):
    return "<descriptor %d>" % Object("detail::ReadyAwaiter", waitable)["fd_"]


def primitive(name, text_of):
    """Of an awaiter whose first member refers to what it waits in."""
    return lambda waitable: text_of(Object(name, word(waitable + size_of("detail::WaitNode"))))


WAITABLES = {
    "detail::SleepAwaiter": repr_of_sleep,
    "detail::ReadyAwaiter": repr_of_descriptor,
    "detail::ListWait": repr_of_condition_wait,
    "detail::QueueGet": repr_of_queue_wait,
    "detail::QueuePut": repr_of_queue_wait,
    "Lock::Acquire": primitive("Lock", repr_of_lock),
    "Event::Wait": primitive("Event", repr_of_event),
    "Semaphore::Acquire": primitive("Semaphore", repr_of_semaphore),
}

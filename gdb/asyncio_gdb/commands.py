# asyncio ps, asyncio tree, asyncio bt.

import gdb

from asyncio_gdb.memory import cplusplus
from asyncio_gdb.reprs import status
from asyncio_gdb.tasks import Graph, Task, file_and_line, loops, loops_of, running_frames


MOST_FRAMES = 32  # of a task in a table or tree
DEEPEST = 48  # in a tree


def stack(task, text_of):
    """Innermost first; of a deep stack both ends."""
    frames = task.frames()
    texts = [text_of(frame) for frame in frames]
    if len(texts) > MOST_FRAMES:
        texts[MOST_FRAMES // 2 : -(MOST_FRAMES // 2)] = ["… %d more …" % (len(texts) - MOST_FRAMES)]
    return texts


def shown_name(task):
    """As detail::on_one_line()."""
    return task.name if task.name.isprintable() else repr(task.name)


def chain(task):
    return " -> ".join(stack(task, lambda frame: frame.name))


def table(loop):
    """As format_task_table(), and `python -m asyncio ps`: a row for each task and each task that awaits it."""
    row = "{:<10} {:<20} {:<20} {:<50} {:<50} {:<15} {:<15}".format
    yield row("tid", "task id", "task name", "coroutine stack", "awaiter chain", "awaiter name", "awaiter id").rstrip()
    yield "-" * 180
    graph = Graph(loop)
    for task in graph.tasks:
        for awaiter in graph.awaited_by[task.id] or [None]:
            told = (chain(awaiter), shown_name(awaiter), hex(awaiter.id)) if awaiter else ("", "", "0x0")
            yield row(loop.tid(), hex(task.id), shown_name(task), chain(task), *told).rstrip()


def tree(loop):
    """As format_task_tree(), and `python -m asyncio pstree`: a task stands below the line that waits for it. Below the
    innermost line of the others stands what they wait for."""
    graph = Graph(loop)
    cycles = graph.cycles()
    if cycles:
        yield "ERROR: await-graph contains cycles"
        yield ""
        for cycle in cycles:
            yield "cycle: " + " → ".join(shown_name(task) for task in cycle)
        yield ""
    printed, later = set(), []

    def branch(task, prefix, last, level):
        head = prefix + ("└── " if last else "├── ") + "(T) " + shown_name(task)
        if task.id in printed:
            yield head + " (see above)"
            return
        if level > DEEPEST:
            later.append(task)
            yield head + " (continued below)"
            return
        printed.add(task.id)
        yield head + (" (cancelled at %s)" % task.cancelled_at() if task.cancelled_at() else "")
        prefix += "    " if last else "│   "
        frames = stack(task, lambda frame: frame.name + " " + file_and_line(frame.file, frame.line))
        for frame in reversed(frames):
            yield prefix + "└──  " + frame
            prefix += "    "
        below = graph.awaits[task.id]
        if task.id not in graph.awaits_only_these:
            yield prefix + ("├──  " if below else "└──  ") + status(task)
        for i, awaited in enumerate(below):
            yield from branch(awaited, prefix, i == len(below) - 1, level + 1 + len(frames))

    roots = [task for task in graph.tasks if not graph.awaited_by[task.id]]
    for root in roots + graph.tasks:  # then those that are only reached through a cycle
        later.append(root)
        while later:
            task = later.pop(0)
            if task.id not in printed:
                yield from branch(task, "", True, 0)


def find_task(argument):
    """By its name, by its address, or by an expression: a Task, an AnyTask, a TaskBase*."""
    tasks = [task for loop in loops() for task in loop.tasks()]
    for task in tasks:
        if argument == task.name:
            return task
    try:
        value = gdb.parse_and_eval(argument)
    except gdb.error:
        raise gdb.GdbError("There is no task %s: see asyncio ps" % argument)
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
        value = value["state_"]["object_"]  # of a handle
    for task in tasks:
        if task.id == int(value):
            return task
    return Task(value)


def current_task():
    """The task that the selected thread runs."""
    for state, frame in running_frames().items():
        return Task(state, frame)
    raise gdb.GdbError("No task runs in this thread. Name one: asyncio bt Task-1")


def text_of(value):
    try:
        return value.format_string(max_elements=20, max_depth=2, styling=False)
    except gdb.error as error:
        return "<error: %s>" % error


def await_stack(task):
    yield "%s %s" % (shown_name(task), status(task))
    for i, frame in enumerate(task.frames()):
        arguments, local_variables = frame.variables()
        listed = ", ".join("%s=%s" % (name, text_of(value)) for name, value in arguments)
        yield "#%-2d %s (%s) at %s:%d" % (i, frame.name, listed, frame.file, frame.line)
        for name, value in local_variables:
            yield "        %s = %s" % (name, text_of(value))


class Command(gdb.Command):
    def __init__(self, name, run):
        self.__doc__ = run.__doc__
        self.run = run
        super().__init__(name, gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        with cplusplus():
            try:
                for line in self.run(argument.strip()):
                    gdb.write(line + "\n")
            except gdb.error as error:
                raise gdb.GdbError("%s (link asyncio::gdb, or build asyncio with -g)" % error)


class Prefix(gdb.Command):
    """Looks at the tasks of this program: asyncio ps, asyncio tree, asyncio bt."""

    def __init__(self):
        super().__init__("asyncio", gdb.COMMAND_STACK, prefix=True)


def ps(argument):
    """asyncio ps [LOOP]: a table of all tasks, of the loops that run or of the given one."""
    for loop in loops_of(argument):
        yield from table(loop)


def pstree(argument):
    """asyncio tree [LOOP]: who waits for whom, at which line, and what the last of them wait for."""
    for loop in loops_of(argument):
        yield from tree(loop)


def bt(argument):
    """asyncio bt [TASK]: the frames of a task that await each other, innermost first, with arguments and locals.
    TASK is a name as in asyncio ps, an address, or an expression; without it, the task that this thread runs."""
    yield from await_stack(find_task(argument) if argument else current_task())


Prefix()
for name, run in (("ps", ps), ("tree", pstree), ("bt", bt)):
    Command("asyncio " + name, run)

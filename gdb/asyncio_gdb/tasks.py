# Loops, tasks and the frames of coroutines, and who waits for whom.

import re

import gdb

from asyncio_gdb.memory import Object, class_at, deque, intrusive_list, intrusive_queue, size_of, std_string
from asyncio_gdb.memory import unique_pointer, vector, whole, word


def coroutine_name(signature):
    """As in C++: "asyncio::Coro<int> execute(int) [with …]" → "execute"; a lambda → "<lambda>"."""
    if "asyncio::detail::call(" not in signature:  # the coroutine that owns a lambda
        signature = signature.split(" [")[0]
    if any(part in signature for part in ("<lambda(", "(lambda at ", "(anonymous class)")):
        return "<lambda>"
    signature = signature.split(" [")[0]
    signature = signature[: signature.rfind(")") + 1]
    end, depth = len(signature), 0
    for i in range(len(signature) - 1, -1, -1):
        if signature[i] in ")>}":
            depth += 1
        elif signature[i] in "(<{":
            depth -= 1
            if depth == 0 and end == len(signature):
                end = i
        elif signature[i] == " " and depth == 0:
            signature = signature[i + 1 : end]
            break
    return re.sub(r"\(anonymous namespace\)::|\{anonymous\}::", "", signature)


class Where:
    """A std::source_location of a coroutine function."""

    def __init__(self, value):
        place = value["_M_impl"]
        signature = place["_M_function_name"].string()
        self.function = coroutine_name(signature)
        self.owns_lambda = "asyncio::detail::call(" in signature  # what create_task(lambda) puts around the lambda's own
        self.file = place["_M_file_name"].string()
        self.line = int(place["_M_line"])


def file_and_line(file, line):
    """As detail::file_and_line()."""
    return "%s:%d" % (file.split("/")[-1], line)


MOST_FRAMES = 5000  # of a stack, newest first: one that has overflowed has more
PROMISE_OFFSET = 16  # behind the two function pointers with which each frame begins
FRAME_SYMBOLS = ("frame_ptr", "_Coro_self_handle", "__coro_frame", "__promise")
GENERATED = re.compile(r"_Coro_|D\.\d|Aw\d|Is(_|$)|Fs(_|$)|__|class_|struct_|union_|PointerType")


def own_symbols(block, through_inlined=False):
    """The symbols of a block and of those around it, up to the function."""
    while block is not None and not block.is_static and not block.is_global:
        yield from block
        if block.function and not through_inlined:
            return
        block = block.superblock


class CoroFrame:
    """The frame of a coroutine, by its promise. `running` is the frame on the stack, if it runs."""

    def __init__(self, promise, running=None):
        self.promise = promise
        where = Where(promise["where_"])
        self.name, self.file, self.owns_lambda = where.function, where.file, where.owns_lambda
        self.line = int(promise["line_"]) or where.line
        if running and running.find_sal().line:
            self.line = running.find_sal().line

    def variables(self):
        """Two lists of pairs (name, value): parameters and locals, as far as the debug information knows them."""
        address = int(self.promise) - PROMISE_OFFSET
        block = gdb.block_for_pc(word(address) or word(address + 8))  # the first is null at the end of the coroutine
        symbols = {symbol.name: symbol for symbol in own_symbols(block)}
        members = frame_members(symbols, address)
        names = list(members)
        if "_Coro_self_handle" in names:  # g++'s parameters stand between these two
            parameters = names[names.index("_Coro_self_handle") + 1 : names.index("_Coro_resume_index")]
        else:
            parameters = [name for name, symbol in symbols.items() if symbol.is_argument]
        in_scope = self.in_scope(block)
        local_variables = {}
        for name in names:
            plain = re.sub(r"_\d+_\d+$", "", name)  # g++'s count_1_2
            known = symbols.get(plain)
            if name in parameters or GENERATED.match(name) or (known and known.line >= self.line):
                continue
            if in_scope is None or plain in in_scope:
                local_variables.setdefault(plain, members[name])
        return [(name, members[name]) for name in parameters if name in members], list(local_variables.items())

    def in_scope(self, block):
        """The names of the variables that exist at this line; None if that is unknown."""
        while not block.function:
            block = block.superblock
        names = set()
        for at in block.function.symtab.linetable().line(self.line) or ():
            if block.start <= at.pc < block.end:
                around = own_symbols(gdb.block_for_pc(at.pc), through_inlined=True)
                names |= {symbol.name for symbol in around if symbol.line < self.line}
        return names or None


def frame_members(symbols, address):
    """The variables that lie in the frame at this address, by name. Both compilers describe it as a struct."""
    pointer = symbols.get("frame_ptr") or symbols.get("__coro_frame")
    if not pointer:
        return {}
    struct = pointer.type.target() if pointer.name == "frame_ptr" else pointer.type
    places = [(field.name, field.type, field.bitpos // 8) for field in struct.fields()]
    if not places:  # g++ hides the struct of a member function from gdb. But unless optimised, each variable has its place
        scope = gdb.execute("info scope *%#x" % word(address), to_string=True)
        found = re.findall(r"Symbol (\S+) is [^,]*?DW_OP_deref\s+\d+: DW_OP_plus_uconst (\d+)\s*,", scope)
        places = [(name, symbols[name].type, int(offset)) for name, offset in found if name in symbols]
    members = {}
    for name, type_, offset in places:  # optimised by clang, it may have two of a name: the first is the right one
        members.setdefault(name, gdb.Value(address + offset).cast(type_.pointer()).dereference())
    return members


def coroutine_symbols(frame):
    """What the compilers add to a coroutine, as pairs (symbol, frame). None in other frames."""
    try:
        found = [(symbol, frame) for symbol in own_symbols(frame.block()) if symbol.name in FRAME_SYMBOLS]
    except RuntimeError:  # no debug information
        return []
    if found and frame.type() == gdb.INLINE_FRAME and frame.older():  # an optimised coroutine, inlined into itself
        found += coroutine_symbols(frame.older())
    return found


def running_frame(frame):
    """The promise of the coroutine that runs in this frame of the stack; None if it is no coroutine."""
    for symbol, frame in coroutine_symbols(frame):  # optimised code has several of each, and a value in some
        try:
            value = symbol.value(frame)
            if symbol.name == "frame_ptr":
                address = int(value) + PROMISE_OFFSET
            elif symbol.name == "_Coro_self_handle":
                address = int(value["_M_fr_ptr"]) + PROMISE_OFFSET
            else:
                address = int(value.address) + (PROMISE_OFFSET if symbol.name == "__coro_frame" else 0)
            return gdb.Value(address).cast(gdb.lookup_type("asyncio::detail::PromiseBase").pointer())
        except (gdb.error, TypeError):  # optimised out
            continue
    return None


def running_frames():
    """The frames of the selected thread's stack that are coroutines', by the address of their task. (A step that makes
    an eager task has two on it.)"""
    found, frame = {}, gdb.newest_frame()
    for _ in range(MOST_FRAMES):
        if frame is None:
            break
        promise = running_frame(frame)
        if promise is not None:
            found.setdefault(int(promise["task_"]), frame)
        frame = frame.older()
    return found


class Task:
    def __init__(self, state, running=None):
        """`running` is the frame of the stack where it runs."""
        self.state = Object("detail::TaskBase", state)
        self.id = self.state.address
        number = int(self.state["number_"])
        self.name = "Task-%d" % number if number else std_string(self.rare()["name"])
        self.running = running

    def rare(self):
        """What most tasks do not have; None if this one does not."""
        rare = unique_pointer(self.state["rare_"])
        return rare.dereference() if int(rare) else None

    def cancelled_at(self):
        """FILE:LINE; "" if it is unknown, as it is without debug mode."""
        rare = self.rare()
        if rare is None or not int(rare["cancelled_at"]["_M_impl"]) or not int(self.state["cancel_requests_"]):
            return ""
        place = Where(rare["cancelled_at"])
        return file_and_line(place.file, place.line)

    def frames(self):
        """Innermost first. Of a task that runs, and is not found on the stack, only the outermost is known."""
        outermost, running = self.state["coroutine_"], self.running
        promise = running_frame(running) if running else outermost if self.is_running() else self.state["innermost_"]
        frames = []
        while int(outermost) and int(promise):
            frame = CoroFrame(promise, running)
            if not (frames and frame.owns_lambda):
                frames.append(frame)
            promise, running = promise["caller_"], None
        return frames

    def is_running(self):
        return not (self.state["scheduled_"] or int(self.state["fut_waiter_"]) or self.is_done())

    def is_done(self):
        return not int(self.state["coroutine_"])


def awaiters(task_id):
    """The addresses of the tasks that wait for a task; and of what may stand between, as the future of a gather()."""
    tasks, between, waits = {}, [task_id], []
    for future in between:  # grows
        for callback in intrusive_queue(Object("detail::FutureBase", future)["callbacks_"]):
            kind = class_at(callback)
            members = callback + size_of("detail::DoneCallback")
            if kind.startswith("asyncio::detail::TaskState<"):
                tasks[whole("detail::TaskBase", "detail::DoneCallback", callback).address] = None
            elif kind == "asyncio::TaskGroup::Child":
                group = word(members + size_of("detail::ListLink"))
                tasks[int(Object("TaskGroup", group)["parent_"])] = None
            elif kind == "asyncio::detail::CompletionCallback":
                queue = Object("detail::CompletionQueue", word(members))
                for getter in intrusive_list(queue["getters_"], "detail::CompletionQueue::Getter"):
                    waits.append(int(getter.address))
                    tasks[int(Object("detail::FrameFuture", getter.address)["task_"])] = None
            else:
                between += [found for found in completed_by(kind, members) if found not in between]
    return list(tasks), between + waits


def completed_by(kind, members):
    """The future that such a callback may complete: that of a gather(), a wait() or a shield()."""
    if kind == "asyncio::detail::GatheredChild":
        return [int(Object("detail::Gathering", word(members))["outer_"].address)]
    if kind == "asyncio::detail::WaitCallback":
        return [word(members)]
    if not kind.startswith("asyncio::detail::FutureCallback<asyncio::"):  # the library's
        return []
    found = [word(members), word(members + 8)]
    return [one for one in found if re.match(r"asyncio::detail::\w*(Future|State)\b", class_at(one, at_begin=True))]


class Loop:
    """A loop that a thread runs, or, without a thread, one that is given."""

    def __init__(self, value, thread=None):
        self.value = value
        self.thread = thread

    def tid(self):
        return self.thread.ptid[1] or self.thread.ptid[0] if self.thread else 0

    def tasks(self):
        """Those that are not done, oldest first."""
        if self.thread:
            self.thread.switch()
        running = running_frames() if self.thread else {}
        for service in vector(self.value["services_"]["by_age_"]):
            if class_at(service) == "asyncio::detail::TaskRegistry":
                for state in intrusive_list(Object("detail::TaskRegistry", service)["tasks_"], "detail::TaskBase"):
                    yield Task(state.address, running.get(state.address))


def loops():
    """The loops that run, by thread."""
    found = []
    for thread in sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num):
        thread.switch()
        loop = gdb.parse_and_eval("asyncio::Loop::running_loop_")
        if int(loop):
            found.append(Loop(loop.dereference(), thread))
    return found


def loops_of(argument):
    if not argument:
        found = loops()
        if not found:
            raise gdb.GdbError("No thread runs a loop. A loop that does not run can be named: asyncio ps LOOP")
        return found
    value = gdb.parse_and_eval(argument)
    return [Loop(value.dereference() if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR else value)]


class Graph:
    """The tasks of a loop, and who waits for whom."""

    def __init__(self, loop):
        self.tasks = list(loop.tasks())
        by_id = {task.id: task for task in self.tasks}
        self.awaited_by, self.awaits = {}, {task.id: [] for task in self.tasks}
        self.awaits_only_these = set()  # ids of tasks that wait for a task, directly or through a gather()'s future …
        for task in self.tasks:
            found, between = awaiters(task.id)
            self.awaited_by[task.id] = [by_id[one] for one in found if one in by_id]
            for awaiter in self.awaited_by[task.id]:
                self.awaits[awaiter.id].append(task)
                waitable = int(awaiter.state["fut_waiter_"])
                if waitable in between or (waitable and class_at(waitable) == "asyncio::TaskGroup::AllDone"):
                    self.awaits_only_these.add(awaiter.id)

    def cycles(self):
        """Each as the list of its tasks; the first is there again at the end."""
        found, finished = [], set()
        for root in self.tasks:
            path, todo = [], [(root, 0)]
            while todo:  # no recursion: a chain may be long
                task, next_child = todo.pop()
                if next_child == 0:
                    if task.id in finished:
                        continue
                    path.append(task)
                if next_child == len(self.awaits[task.id]):
                    finished.add(task.id)
                    path.pop()
                    continue
                todo.append((task, next_child + 1))
                child = self.awaits[task.id][next_child]
                if child in path:
                    found.append(path[path.index(child) :] + [child])
                else:
                    todo.append((child, 0))
        return found

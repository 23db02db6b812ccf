"""Runs scenarios on CPython's asyncio, in virtual time, and logs what happens. interpreter.cpp is its twin.

Orders that asyncio leaves open are fixed here, each as our library fixes it, and nothing else is touched: timers that
are due at the same time run first in, first out (FifoTimer); and the sets inside wait(), as_completed(), TaskGroup,
all_tasks() and shutdown_asyncgens() are walked in the order of insertion or creation (OrderedSet, LiveGenerators).
"""

import ast
import asyncio
import asyncio.base_events
import asyncio.runners
import asyncio.taskgroups
import asyncio.tasks
import collections.abc
import contextvars
import gc
import inspect
import itertools
import signal
import sys
import warnings
import weakref

from scenario import Block, parse
from statements import RETURN, SKIP, Interpreter, without_repr

MAX_TICKS = 2000  # a program that is still busy then is stopped

# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class FifoTimer(asyncio.TimerHandle):
    __slots__ = ("number",)
    numbers = itertools.count()

    def __init__(self, *args):
        super().__init__(*args)
        self.number = next(self.numbers)

    def __lt__(self, other):
        return self._when < other._when or (self._when == other._when and self.number < other.number)


class OrderedSet(dict):
    """As much of a set as asyncio uses, in the order of insertion."""

    def __init__(self, items=()):
        super().__init__(dict.fromkeys(items))

    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)

    def remove(self, item):
        del self[item]


class LiveGenerators:
    """As much of a WeakSet as the loop uses: the generators that have begun and not ended, in the order of beginning."""

    def __init__(self):
        self.references = {}

    def add(self, generator):
        self.references.pop(id(generator), None)  # of one that is gone: its place in the order is not this one's
        self.references[id(generator)] = weakref.ref(generator)

    def discard(self, generator):
        self.references.pop(id(generator), None)

    def clear(self):
        self.references.clear()

    def __iter__(self):
        generators = [reference() for reference in self.references.values()]
        return iter([it for it in generators if it is not None and it.ag_frame is not None])

    def __len__(self):
        return len(list(iter(self)))


class SetComprehensionsToCalls(ast.NodeTransformer):
    def visit_SetComp(self, node):
        self.generic_visit(node)
        generator = ast.GeneratorExp(node.elt, node.generators)
        return ast.copy_location(ast.Call(ast.Name("set", ast.Load()), [generator], []), node)


def fix_orders():
    asyncio.events.TimerHandle = FifoTimer
    for module in (asyncio.tasks, asyncio.taskgroups):
        module.set = OrderedSet  # found before the builtin one
    # as_completed() writes one of its two sets as {... for ...}: the same function, compiled with set(...) instead.
    owner = asyncio.tasks._AsCompletedIterator if hasattr(asyncio.tasks, "_AsCompletedIterator") else None
    if owner:
        source = inspect.cleandoc("\n" + inspect.getsource(owner.__init__))
        tree = SetComprehensionsToCalls().visit(ast.parse(source))
        names = {}
        exec(compile(ast.fix_missing_locations(tree), asyncio.tasks.__file__, "exec"), vars(asyncio.tasks), names)
        owner.__init__ = names["__init__"]


fix_orders()

# ── differences of this Python from 3.14, which is the one we follow; each listed in README.md ──────────────────────


def report_shielded(inner):
    if not inner.cancelled() and inner.exception() is not None:
        error = inner.exception()
        inner.get_loop().call_exception_handler(
            {"message": f"{type(error).__name__} exception in shielded future", "exception": error, "future": inner}
        )


def shield_of_3_14(awaitable):
    """3.14 tells the exception handler when the outer future was cancelled and the inner one fails later."""
    inner = asyncio.ensure_future(awaitable)
    if inner.done():
        return inner
    outer = inner.get_loop().create_future()

    def on_inner_done(inner):
        if outer.cancelled():
            return
        if inner.cancelled():
            outer.cancel()
        elif inner.exception() is not None:
            outer.set_exception(inner.exception())
        else:
            outer.set_result(inner.result())

    def on_outer_done(_):
        if not inner.done():
            inner.remove_done_callback(on_inner_done)
            inner.remove_done_callback(report_shielded)  # one report is enough for several shields
            inner.add_done_callback(report_shielded)

    inner.add_done_callback(on_inner_done)
    outer.add_done_callback(on_outer_done)
    return outer


class TaskGroupOf3_15(asyncio.TaskGroup):
    """With cancel(), after its description; and a child that is done when it is made is one like any other."""

    def create_task(self, coroutine, **options):
        refusal = "is finished" if self._exiting and not self._tasks else "is shutting down" if self._aborting else None
        if refusal:
            coroutine.close()
            raise RuntimeError(f"TaskGroup {self!r} {refusal}")
        task = self._loop.create_task(coroutine, **options)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)
        if self._aborting and not task.done():  # it has begun eagerly, and called cancel()
            task.cancel()
        return task

    def cancel(self):
        if self._aborting or (self._exiting and not self._tasks):
            return
        self._abort()
        if not self._parent_cancel_requested:
            self._parent_cancel_requested = True
            self._parent_task.cancel()

    async def __aexit__(self, kind, error, traceback):
        self._exiting = True
        cancellation = error if isinstance(error, asyncio.CancelledError) else None
        if error is not None:
            if self._is_base_error(error) and self._base_error is None:
                self._base_error = error
            if not self._aborting:
                self._abort()
        last = None
        while self._tasks:
            self._on_completed_fut = self._loop.create_future()
            try:
                await self._on_completed_fut
            except asyncio.CancelledError as caught:
                last = caught
                if not self._aborting:
                    cancellation = caught
                    self._abort()
            self._on_completed_fut = None
        if self._base_error is not None:
            raise self._base_error
        if self._parent_cancel_requested:
            if self._parent_task.uncancel() == 0:
                cancellation = None
            else:  # ours is taken back, and one is left: somebody else's, which must not be lost
                cancellation = cancellation or last or asyncio.CancelledError()
        if cancellation is not None and not self._errors:
            raise cancellation
        if error is not None and not isinstance(error, asyncio.CancelledError):
            self._errors.append(error)
        if self._errors:
            if self._parent_task.cancelling():
                self._parent_task.uncancel()
                self._parent_task.cancel()
            errors, self._errors = self._errors, []
            raise BaseExceptionGroup("unhandled errors in a TaskGroup", errors) from None
        return isinstance(error, asyncio.CancelledError)  # it was ours: not to leave the group


def forget_old_message(block, rank):
    """A task that was cancelled with a message, and then ended otherwise, keeps the message for ever; and a gather() that
    is cancelled, with this task as the last of its children, makes its own CancelledError of it. Ours does not (in no
    version of CPython does it mean anything)."""
    if rank == block.id:
        asyncio.current_task()._cancel_message = None


if sys.version_info < (3, 14):
    asyncio.shield = shield_of_3_14
TaskGroup = asyncio.TaskGroup if hasattr(asyncio.TaskGroup, "cancel") else TaskGroupOf3_15

# ── the loop in virtual time ────────────────────────────────────────────────────────────────────────────────────────


def eager_factory(loop, coroutine, *, eager_start=True, **options):
    """asyncio.eager_task_factory as it is since 3.14: one can say no."""
    return asyncio.Task(coroutine, loop=loop, eager_start=eager_start, **options)


class Closing(collections.abc.Coroutine):
    """generator.aclose(), but if it is cancelled before it begins, it is made anew. CPython throws that CancelledError at
    the yield where the generator waits; ours closes it as it would have otherwise."""

    def __init__(self, loop, generator):
        self.loop = loop
        self.generator = generator
        self.closing = None

    def send(self, value):
        if self.closing is None:
            self.closing = self.generator.aclose()
        return self.closing.send(value)

    def throw(self, error):
        if self.closing is not None:
            return self.closing.throw(error)
        self.loop.close_generator(self.generator)
        raise error

    def close(self):
        if self.closing is not None:
            self.closing.close()

    __await__ = None


class OracleLoop(asyncio.BaseEventLoop):
    """Time is a whole number, and moves only when there is nothing to run. A loop that would wait for ever stops."""

    def __init__(self):
        super().__init__()
        self.tick = 0
        self.now = 0
        self._selector = self
        self.created = []
        self._asyncgens = LiveGenerators()

    def create_task(self, coroutine, **options):
        """As 3.14's, which hands all options to the factory, or else to the Task."""
        self._check_closed()
        place = len(self.created)  # an eager one may create others before it is there
        factory = self.get_task_factory()
        task = factory(self, coroutine, **options) if factory else asyncio.Task(coroutine, loop=self, **options)
        self.created.insert(place, task)
        return task

    def _asyncgen_finalizer_hook(self, generator):
        self._asyncgens.discard(generator)
        if not self.is_closed():
            self.close_generator(generator)

    def close_generator(self, generator):
        self.call_soon(lambda: self.create_task(Closing(self, generator)))

    def time(self):
        return self.now

    def select(self, timeout):
        if timeout is None:
            self.stop()
        elif timeout > 0:
            self.now += timeout
        return ()

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass

    def _run_once(self):
        self.tick += 1
        super()._run_once()
        if self.tick >= MAX_TICKS:
            self.stop()


# ── what values and errors look like in a log ───────────────────────────────────────────────────────────────────────


class E1(Exception):
    pass


class E2(Exception):
    pass


ERRORS = {"E1": E1, "E2": E2, "C": asyncio.CancelledError, "V": ValueError}
WITHOUT_MESSAGE = {"T": TimeoutError, "K": KeyboardInterrupt, "X": SystemExit}
SAME_WORDS = {"invalid state": "done", "Result is not set.": "not done", "Exception is not set.": "not done"}


def show_error(error):
    if isinstance(error, asyncio.CancelledError):
        return f"C({error.args[0]})" if error.args and error.args[0] else "C"  # gather() makes some with ""
    if isinstance(error, TimeoutError):
        return "Timeout"
    if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit, LookupError)):
        return type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        return "G[" + ",".join(map(show_error, error.exceptions)) + "]"
    text = str(error)
    if isinstance(error, asyncio.InvalidStateError):
        text = SAME_WORDS.get(text, text)
    return f"{type(error).__name__}({without_repr(text)})"


def show(value):
    if isinstance(value, list):
        return "[" + ",".join(map(show, value)) + "]"
    if isinstance(value, BaseException):
        return "!" + show_error(value)
    return str(value)


def show_final(future):
    if not future.done():
        return "pending"
    if future.cancelled():
        return "cancelled"
    error = future._exception  # not exception(): that would count as looked at
    if error is not None:
        return "!" + (show_error(error).split("(")[0].split("[")[0])
    return "=" + show(future._result)


# ── the interpreter ─────────────────────────────────────────────────────────────────────────────────────────────────

class Scope:
    """Of one coroutine (or callback): its name, the rank of its task, and the scopes it is in."""

    __slots__ = ("who", "rank", "value", "timeouts", "running")

    def __init__(self, who, rank):
        self.who = who
        self.rank = rank
        self.value = 0
        self.timeouts = []
        self.running = False  # of a generator: somebody iterates it now


class Register:
    """A future and its rank. A task may await only what ranks higher than itself: so no circle of tasks that await
    each other can form, through which cancel() would run for ever; and none awaits itself."""

    __slots__ = ("future", "rank", "plain", "is_task")

    def __init__(self, future, rank, plain=True, is_task=False):
        self.future = future
        self.rank = rank
        self.plain = plain  # its result is one number
        self.is_task = is_task  # and one can uncancel() it


NO_RANK = 1 << 30


def message_of(word):
    return None if word == "-" else word


def delay_of(word):
    return None if word == "-" else int(word)


def make_error(kind, message):
    if kind in WITHOUT_MESSAGE:
        return WITHOUT_MESSAGE[kind]()
    return ERRORS[kind]() if message == "-" else ERRORS[kind](message)


OPERATIONS = {}  # word: (function, is a coroutine function)


class Run(Interpreter):
    """One run of one program."""

    operations = OPERATIONS
    show_error = staticmethod(show_error)

    def __init__(self, text):
        self.text = text
        self.lines = []
        self.late = []  # what is only known when objects die
        self.over = False
        self.last_tick = -1
        self.loop = OracleLoop()
        self.loop.set_exception_handler(self.on_error)
        self.registers = {}
        self.primitives = {}
        self.callbacks = {}
        self.handles = {}
        self.groups = {}
        self.iterations = {}
        self.generators = {}
        self.contexts = {}
        self.tokens = {}

    # ── the log ──

    def log(self, who, text):
        if self.over:
            return
        loop = self.loop
        if loop.tick != self.last_tick:
            self.last_tick = loop.tick
            self.lines.append(f"@{loop.tick} {loop.now}")
        self.lines.append(f"{who} {text}")

    def on_error(self, loop, context):
        message = context["message"]
        error = context.get("exception")
        task = context.get("task") or context.get("future")
        name = task.get_name() if isinstance(task, asyncio.Task) else type(task).__name__
        if name.startswith("Task-"):
            name = "Task"
        shown = show_error(error) if error is not None else "nothing"
        if message.endswith("exception was never retrieved"):
            self.late.append(f"never {name} !{shown}")
        elif message == "Task was destroyed but it is pending!":
            pass  # CPython says so whenever the collector comes by; the log has the task among the final states
        elif message.startswith("Exception in callback"):
            self.log("handler", f"callback !{shown}")
        elif message.startswith("unhandled exception during asyncio.run()"):
            self.log("handler", f"shutdown {name} !{shown}")
        elif message.endswith("exception in shielded future"):
            self.log("handler", f"shield !{shown}")
        elif "has errored out but its parent" in message:
            self.log("handler", f"orphan {name} !{shown}")
        elif message.startswith("an error occurred during closing of asynchronous generator"):
            self.log("handler", f"generator !{shown}")
        else:
            self.log("handler", f"{message} !{shown}")

    # ── running blocks ──

    async def run_block(self, scope, block):
        return await self.run_statements(scope.who, block.code, scope)

    def run_callback(self, block):
        self.log(block.id, "*")
        self.run_callback_statements(block.id, block.code, Scope(block.id, block.id))

    async def coroutine(self, block, rank):
        """A block as a coroutine of its own."""
        scope = Scope(block.id, rank)
        self.log(block.id, "+")
        try:
            await self.run_block(scope, block)
        except GeneratorExit:
            raise
        except BaseException as error:
            self.log(block.id, f"+ !{show_error(error)}")
            if not isinstance(error, asyncio.CancelledError):
                forget_old_message(block, rank)
            raise
        self.log(block.id, f"+ ={scope.value}")
        if not asyncio.current_task()._must_cancel:
            forget_old_message(block, rank)
        return scope.value

    async def generator(self, scope, block, ending):
        """A block as an asynchronous generator: it yields between its statements, not inside of them. However it ends,
        `ending` is run; there it cannot yield, and so never does when it is being closed."""
        self.log(block.id, "+")
        pending = None
        for i, (word, _, _, arguments, _) in enumerate(block.code):
            try:
                if word != "yield":
                    if await self.run_statements(scope.who, block.code[i : i + 1], scope) is RETURN:
                        break
                    continue
            except GeneratorExit:  # the task that waits is being collected
                raise
            except BaseException as error:
                pending = error
                break
            try:
                yield int(arguments[0])
            except GeneratorExit as error:
                pending = error
                break
            self.log(block.id, "yield")
        if ending:
            self.log(block.id, "finally" + (f" !{show_error(pending)}" if pending else ""))
            if await self.run_block(scope, ending) is RETURN:
                return
        if pending:
            raise pending

    # ── operands ──

    def primitive(self, name):
        if name not in self.primitives:
            if name == "C1":
                self.primitives[name] = asyncio.Condition(self.primitive("L0"))
            else:
                self.primitives[name] = PRIMITIVES[name]()
        return self.primitives[name]

    def register(self, name):
        if name not in self.registers and name[0] == "f":
            self.registers[name] = Register(self.loop.create_future(), NO_RANK)
        return self.registers.get(name)

    def operands(self, words, only_plain):
        """[(label, what to hand to asyncio, rank)]; a block becomes a coroutine."""
        found = []
        for word in words:
            if isinstance(word, Block):
                found.append((str(word.id), self.coroutine(word, word.id), word.id))
            else:
                register = self.register(word)
                if register is not None and (register.plain or not only_plain):
                    found.append((word, register.future, register.rank))
        return found

    def may_await(self, scope, register):
        return register.rank > scope.rank

    # ── the whole ──

    def run(self):
        loop = self.loop
        try:
            program = parse(self.text)
            self.compile(program)
            main = loop.create_task(self.coroutine(program, 0), context=contextvars.copy_context())
            try:
                self.log("run", "=" + show(loop.run_until_complete(main)))
            except BaseException as error:
                self.log("run", "!" + show_error(error))
            try:  # as asyncio.Runner.close()
                asyncio.runners._cancel_all_tasks(loop)
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.run_until_complete(loop.shutdown_default_executor())
            except BaseException as error:
                self.log("close", "!" + show_error(error))
            for name, register in sorted(self.registers.items()):
                self.lines.append(f"{name} {show_final(register.future)}")
            for name in sorted(self.primitives):
                self.lines.append(f"{name} {self.state_of(name)}")
        finally:
            self.over = True
            loop.close()

    def state_of(self, name):
        primitive = self.primitive(name)
        kind = name[0]
        if kind == "E":
            return "set" if primitive.is_set() else "unset"
        if kind == "B":
            return f"{primitive.n_waiting} {'broken' if primitive.broken else 'whole'}"
        if kind == "Q":
            return f"{primitive.qsize()} {'empty' if primitive.empty() else ''}{'full' if primitive.full() else ''}"
        return "locked" if primitive.locked() else "unlocked"

    def forget(self):
        """Drops all that a user would hold, so that what was never looked at is reported."""
        self.registers = self.primitives = self.callbacks = self.handles = self.groups = self.iterations = None
        self.generators = self.contexts = self.tokens = None
        self.loop.created = None


PRIMITIVES = {
    "L0": asyncio.Lock,
    "L1": asyncio.Lock,
    "E0": asyncio.Event,
    "E1": asyncio.Event,
    "C0": asyncio.Condition,
    "S0": lambda: asyncio.Semaphore(1),
    "S1": lambda: asyncio.Semaphore(2),
    "S2": lambda: asyncio.Semaphore(0),
    "S3": lambda: asyncio.BoundedSemaphore(1),
    "B0": lambda: asyncio.Barrier(2),
    "B1": lambda: asyncio.Barrier(3),
    "Q0": asyncio.Queue,
    "Q1": lambda: asyncio.Queue(1),
    "Q2": lambda: asyncio.LifoQueue(2),
    "Q3": asyncio.PriorityQueue,
    "Q4": lambda: asyncio.PriorityQueue(2),
}

# ── the words ───────────────────────────────────────────────────────────────────────────────────────────────────────


def operation(word):
    def add(function):
        OPERATIONS[word] = function, inspect.iscoroutinefunction(function)
        return function

    return add


def flag(value):
    return "T" if value else "F"


# A task's own course


@operation("sleep")
async def _(run, scope, delay):
    await asyncio.sleep(int(delay))


@operation("sleepv")
async def _(run, scope, delay, value):
    return show(await asyncio.sleep(int(delay), int(value)))


@operation("ret")
def _(run, scope, value):
    scope.value = int(value)
    return RETURN


@operation("raise")
def _(run, scope, kind, message):
    raise make_error(kind, message)


CAUGHT = {"c": asyncio.CancelledError, "e": Exception, "a": BaseException}


@operation("try")
async def _(run, scope, body, *clauses):
    """try {…} [cc|cr|ec|er|ac|ar {…}] [fin {…}]: catches CancelledError, Exception, all; then swallows or re-raises."""
    pending = None
    result = None
    try:
        result = await run.run_block(scope, body)
    except GeneratorExit:
        raise
    except BaseException as error:
        pending = error
    for clause, block in zip(clauses[::2], clauses[1::2]):
        if clause != "fin":
            if pending is None or not isinstance(pending, CAUGHT[clause[0]]):
                continue
            caught, pending = pending, None
            run.log(scope.who, f"caught {show_error(caught)}")
            try:
                result = await run.run_block(scope, block)
                if clause[1] == "r" and result is not RETURN:
                    pending = caught
            except GeneratorExit:
                raise
            except BaseException as error:
                pending = error
        else:
            run.log(scope.who, "finally")
            if await run.run_block(scope, block) is RETURN:
                return RETURN
    if pending is not None:
        raise pending
    return result


@operation("cancelme")
def _(run, scope, message):
    task = asyncio.current_task()
    return SKIP if task is None else flag(task.cancel(message_of(message)))


@operation("uncancel")
def _(run, scope):
    task = asyncio.current_task()
    return SKIP if task is None else task.uncancel()


@operation("uncancelr")
def _(run, scope, name):
    register = run.register(name)
    return register.future.uncancel() if register and register.is_task else SKIP


@operation("cancelling")
def _(run, scope):
    task = asyncio.current_task()
    return SKIP if task is None else task.cancelling()


@operation("tasks")
def _(run, scope):
    return len(asyncio.all_tasks(run.loop))


# Futures and tasks


@operation("set")
def _(run, scope, name, value):
    run.register(name).future.set_result(int(value))


@operation("exc")
def _(run, scope, name, kind, message):
    run.register(name).future.set_exception(make_error(kind, message))


@operation("cancel")
def _(run, scope, name, message):
    register = run.register(name)
    return flag(register.future.cancel(message_of(message))) if register else SKIP


@operation("res")
def _(run, scope, name):
    register = run.register(name)
    return show(register.future.result()) if register else SKIP


@operation("exn")
def _(run, scope, name):
    register = run.register(name)
    if not register:
        return SKIP
    error = register.future.exception()
    return "none" if error is None else show(error)


@operation("state")
def _(run, scope, name):
    register = run.register(name)
    if not register:
        return SKIP
    return "cancelled" if register.future.cancelled() else "done" if register.future.done() else "pending"


@operation("await")
async def _(run, scope, name):
    register = run.register(name)
    if not register or not run.may_await(scope, register):
        return SKIP
    return show(await register.future)


def spawn(run, name, block, **options):
    task = run.loop.create_task(run.coroutine(block, block.id), name=str(block.id), **options)
    run.registers[name] = Register(task, block.id, is_task=True)


@operation("spawn")
def _(run, scope, name, block):
    spawn(run, name, block)


@operation("spawne")
def _(run, scope, name, block):
    spawn(run, name, block, eager_start=True)


@operation("spawnl")
def _(run, scope, name, block):
    spawn(run, name, block, eager_start=False)


@operation("factory")
def _(run, scope, which):
    run.loop.set_task_factory(eager_factory if which == "eager" else None)


@operation("cb")
def _(run, scope, name, callback_name, block):
    register = run.register(name)
    if not register:
        return SKIP

    def callback(future):
        run.run_callback(block)

    register.future.add_done_callback(callback)
    run.callbacks[callback_name] = (register.future, callback)


@operation("rmcb")
def _(run, scope, callback_name):
    if callback_name not in run.callbacks:
        return SKIP
    future, callback = run.callbacks[callback_name]
    return future.remove_done_callback(callback)


# Callbacks of the loop


@operation("soon")
def _(run, scope, name, block):
    run.handles[name] = run.loop.call_soon(run.run_callback, block)


@operation("later")
def _(run, scope, name, delay, block):
    run.handles[name] = run.loop.call_later(int(delay), run.run_callback, block)


@operation("soonts")
def _(run, scope, block):
    run.loop.call_soon_threadsafe(run.run_callback, block)


@operation("stop")
def _(run, scope):
    run.loop.stop()


@operation("at")
def _(run, scope, name, when, block):
    run.handles[name] = run.loop.call_at(int(when), run.run_callback, block)


@operation("hcancel")
def _(run, scope, name):
    if name not in run.handles:
        return SKIP
    run.handles[name].cancel()


@operation("hstate")
def _(run, scope, name):
    return flag(run.handles[name].cancelled()) if name in run.handles else SKIP


# Context variables


VARIABLES = {"v0": contextvars.ContextVar("v0"), "v1": contextvars.ContextVar("v1", default=0)}


@operation("vset")
def _(run, scope, token, variable, value):
    run.tokens[token] = variable, VARIABLES[variable].set(int(value))


@operation("vget")
def _(run, scope, variable):
    return VARIABLES[variable].get()


@operation("vreset")
def _(run, scope, token):
    if token not in run.tokens:
        return SKIP
    variable, token = run.tokens[token]
    try:
        VARIABLES[variable].reset(token)
    except RuntimeError:
        return "used"
    except ValueError:
        return "foreign"


@operation("xnew")
def _(run, scope, name):
    run.contexts[name] = contextvars.copy_context()


@operation("xget")
def _(run, scope, name, variable):
    return run.contexts[name].get(VARIABLES[variable], "none") if name in run.contexts else SKIP


@operation("xrun")
def _(run, scope, name, block):
    """The block is a callback's."""
    if name not in run.contexts:
        return SKIP
    began = False

    def body():
        nonlocal began
        began = True
        run.run_callback(block)

    try:
        run.contexts[name].run(body)
    except RuntimeError:
        if began:
            raise
        return "entered"


@operation("xsoon")
def _(run, scope, name, block):
    if name not in run.contexts:
        return SKIP
    run.loop.call_soon(run.run_callback, block, context=run.contexts[name])


@operation("xcb")
def _(run, scope, context, name, block):
    register = run.register(name)
    if context not in run.contexts or not register:
        return SKIP
    register.future.add_done_callback(lambda _: run.run_callback(block), context=run.contexts[context])


@operation("xspawn")
def _(run, scope, context, name, block):
    if context not in run.contexts:
        return SKIP
    spawn(run, name, block, context=run.contexts[context], eager_start=False)


@operation("xspawne")
def _(run, scope, context, name, block):
    """A context that is entered is refused before anything has happened: gh-157301. Before that was mended, the task that
    was refused stayed the current one, and the loop hung."""
    if context not in run.contexts:
        return SKIP
    try:
        run.contexts[context].run(lambda: None)
    except RuntimeError:
        return "entered"
    spawn(run, name, block, context=run.contexts[context], eager_start=True)


# Asynchronous generators


class Caller:
    """The body of a generator is run by the task that iterates it, and may await what that one may."""

    def __init__(self, generator_scope, scope):
        self.scope = None if generator_scope.running else generator_scope  # None: this call will be refused
        if self.scope:
            self.scope.rank = scope.rank

    def __enter__(self):
        if self.scope:
            self.scope.running = True

    def __exit__(self, *_):
        if self.scope:
            self.scope.running = False


@operation("yield")
def _(run, scope, value):
    """Only a generator's own block can do it: Run.generator."""
    return SKIP


@operation("gnew")
def _(run, scope, name, block, ending=None):
    generator_scope = Scope(block.id, scope.rank)
    run.generators[name] = run.generator(generator_scope, block, ending), generator_scope


@operation("gnext")
async def _(run, scope, name):
    if name not in run.generators:
        return SKIP
    with Caller(run.generators[name][1], scope):
        try:
            return await anext(run.generators[name][0])  # in no variable: gdrop is to drop the last reference
        except StopAsyncIteration:
            return "end"


@operation("gall")
async def _(run, scope, name):
    while name in run.generators:
        with Caller(run.generators[name][1], scope):
            try:
                value = await anext(run.generators[name][0])
            except StopAsyncIteration:
                return
        run.log(scope.who, f"gall {value}")


@operation("gclose")
async def _(run, scope, name):
    if name not in run.generators:
        return SKIP
    with Caller(run.generators[name][1], scope):
        await run.generators[name][0].aclose()


@operation("gdrop")
def _(run, scope, name):
    if name not in run.generators:
        return SKIP
    del run.generators[name]


# Combinators


def gather(run, name, words, return_exceptions):
    children = run.operands(words, only_plain=True)
    awaitables = [child for _, child, _ in children]
    if len(awaitables) > 2 and not all(map(asyncio.iscoroutine, awaitables)):  # a vector has but one type in C++
        awaitables = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    future = asyncio.gather(*awaitables, return_exceptions=return_exceptions)
    rank = min((rank for _, _, rank in children), default=NO_RANK)
    run.registers[name] = Register(future, rank, plain=False)


@operation("gather")
def _(run, scope, name, *words):
    gather(run, name, words, False)


@operation("gatherx")
def _(run, scope, name, *words):
    gather(run, name, words, True)


@operation("shield")
def _(run, scope, name, word):
    inner = run.operands([word], only_plain=False)
    if not inner:
        return SKIP
    plain = isinstance(word, Block) or run.register(word).plain
    _, awaitable, rank = inner[0]
    future = asyncio.shield(awaitable)
    is_task = future is awaitable and run.register(word).is_task
    run.registers[name] = Register(future, rank, plain, is_task)


WHEN = {"first": asyncio.FIRST_COMPLETED, "error": asyncio.FIRST_EXCEPTION, "all": asyncio.ALL_COMPLETED}


@operation("wait")
async def _(run, scope, when, timeout, *words):
    futures = run.operands(words, only_plain=False)
    labels = {}
    for label, future, _ in futures:
        labels.setdefault(future, label)
    done, pending = await asyncio.wait([future for _, future, _ in futures], timeout=delay_of(timeout),
                                       return_when=WHEN[when])
    return ",".join(labels[future] for future in done) + "|" + ",".join(labels[future] for future in pending)


@operation("asc")
async def _(run, scope, timeout, *words):
    for coming in asyncio.as_completed([x for _, x, _ in run.operands(words, only_plain=True)],
                                       timeout=delay_of(timeout)):
        try:
            run.log(scope.who, "asc " + show(await coming))
        except Exception as error:
            run.log(scope.who, "asc !" + show_error(error))


@operation("asa")
async def _(run, scope, timeout, *words):
    operands = run.operands(words, only_plain=True)
    labels = {}
    for label, future, _ in operands:
        labels.setdefault(future, label)
    async for future in asyncio.as_completed([x for _, x, _ in operands], timeout=delay_of(timeout)):
        run.log(scope.who, f"asa {labels.get(future, 'new')} {show_final(future)}")


@operation("asnew")
def _(run, scope, name, timeout, *words):
    operands = run.operands(words, only_plain=True)
    labels = {}
    for label, future, _ in operands:
        labels.setdefault(future, label)
    run.iterations[name] = asyncio.as_completed([x for _, x, _ in operands], timeout=delay_of(timeout)), labels


@operation("asnext")
async def _(run, scope, name):
    if name not in run.iterations:
        return SKIP
    iteration, labels = run.iterations[name]
    try:
        future = await anext(iteration)
    except StopAsyncIteration:
        return "end"
    return f"{labels.get(future, 'new')} {show_final(future)}"


@operation("wfor")
async def _(run, scope, timeout, word):
    if isinstance(word, Block):
        return show(await asyncio.wait_for(run.coroutine(word, scope.rank), delay_of(timeout)))
    register = run.register(word)
    if not register or not run.may_await(scope, register):
        return SKIP
    return show(await asyncio.wait_for(register.future, delay_of(timeout)))


async def in_timeout(run, scope, limit, block):
    async with limit:
        scope.timeouts.append(limit)
        try:
            return await run.run_block(scope, block)
        finally:
            scope.timeouts.pop()


@operation("tmo")
async def _(run, scope, delay, block):
    return await in_timeout(run, scope, asyncio.timeout(delay_of(delay)), block)


@operation("tat")
async def _(run, scope, when, block):
    limit = asyncio.timeout_at(delay_of(when))
    try:
        return await in_timeout(run, scope, limit, block)
    except GeneratorExit:
        raise
    finally:
        run.log(scope.who, f"after {flag(limit.expired())}")


@operation("resched")
def _(run, scope, delay):
    if not scope.timeouts:
        return SKIP
    scope.timeouts[-1].reschedule(None if delay == "-" else run.loop.time() + int(delay))


@operation("expired")
def _(run, scope):
    if not scope.timeouts:
        return SKIP
    when = scope.timeouts[-1].when()
    return f"{'-' if when is None else when} {flag(scope.timeouts[-1].expired())}"


@operation("tg")
async def _(run, scope, name, block):
    group = TaskGroup()
    try:
        async with group:
            run.groups[name] = group
            return await run.run_block(scope, block)
    finally:
        if not run.over and run.groups.get(name) is group:
            del run.groups[name]


@operation("tgs")
def _(run, scope, group, name, block):
    if group not in run.groups:
        return SKIP
    task = run.groups[group].create_task(run.coroutine(block, block.id), name=str(block.id))
    run.registers[name] = Register(task, block.id, is_task=True)


@operation("tgcancel")
def _(run, scope, group):
    if group not in run.groups:
        return SKIP
    run.groups[group].cancel()


# Synchronization


@operation("acq")
async def _(run, scope, name):
    await run.primitive(name).acquire()


def first_wait(primitive):
    """What one waits for at a primitive, as asyncio hands it out."""
    if isinstance(primitive, asyncio.Queue):
        return primitive.get()
    return primitive.wait() if isinstance(primitive, asyncio.Event) else primitive.acquire()


@operation("wprim")
async def _(run, scope, timeout, name):
    """wait_for(lock.acquire(), timeout) and the like."""
    result = await asyncio.wait_for(first_wait(run.primitive(name)), delay_of(timeout))
    return None if result is True else show(result)


@operation("rel")
def _(run, scope, name):
    run.primitive(name).release()


@operation("with")
async def _(run, scope, name, block):
    async with run.primitive(name) as place:
        run.log(scope.who, f"in {place}" if name[0] == "B" else "in")
        return await run.run_block(scope, block)


@operation("prim")
def _(run, scope, name):
    return run.state_of(name)


@operation("eset")
def _(run, scope, name):
    run.primitive(name).set()


@operation("eclear")
def _(run, scope, name):
    run.primitive(name).clear()


@operation("ewait")
async def _(run, scope, name):
    await run.primitive(name).wait()


@operation("cwait")
async def _(run, scope, name):
    await run.primitive(name).wait()


@operation("cwaitfor")
async def _(run, scope, name, future):
    return flag(await run.primitive(name).wait_for(lambda: run.register(future).future.done()))


@operation("notify")
def _(run, scope, name, n):
    run.primitive(name).notify(int(n))


@operation("notifyall")
def _(run, scope, name):
    run.primitive(name).notify_all()


@operation("bwait")
async def _(run, scope, name):
    return await run.primitive(name).wait()


@operation("breset")
async def _(run, scope, name):
    await run.primitive(name).reset()


@operation("babort")
async def _(run, scope, name):
    await run.primitive(name).abort()


@operation("put")
async def _(run, scope, name, value):
    await run.primitive(name).put(int(value))


@operation("get")
async def _(run, scope, name):
    return await run.primitive(name).get()


@operation("putn")
def _(run, scope, name, value):
    run.primitive(name).put_nowait(int(value))


@operation("getn")
def _(run, scope, name):
    return run.primitive(name).get_nowait()


@operation("tdone")
def _(run, scope, name):
    run.primitive(name).task_done()


@operation("join")
async def _(run, scope, name):
    await run.primitive(name).join()


@operation("shutdown")
def _(run, scope, name, immediate):
    run.primitive(name).shutdown(immediate == "now")


# ── many programs ───────────────────────────────────────────────────────────────────────────────────────────────────


class OrderedTasks:
    """asyncio.tasks as asyncio.runners sees it, but for the order of all_tasks()."""

    def __getattr__(self, name):
        return getattr(asyncio.tasks, name)

    @staticmethod
    def all_tasks(loop):
        tasks = asyncio.tasks.all_tasks(loop)
        return [task for task in loop.created if task in tasks]


def prepare():
    """Settings for a process that does nothing but this."""
    warnings.simplefilter("ignore")  # coroutines that were never awaited
    sys.unraisablehook = lambda _: None  # coroutines that are collected while they wait
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.runners.tasks = OrderedTasks()
    gc.disable()
    gc.freeze()


def collect(runs):
    for run in runs:
        run.forget()
    gc.collect()


def run_programs(texts, at_once=25):
    """The logs of many programs, as lists of lines. The garbage is collected for many at a time: it is slow."""
    logs = []
    for start in range(0, len(texts), at_once):
        runs = [Run(text) for text in texts[start : start + at_once]]
        for run in runs:
            contextvars.copy_context().run(run.run)
        # Coroutines that are collected while they wait may go on for a while: not in the context of the next programs.
        contextvars.copy_context().run(collect, runs)
        for run in runs:
            logs.append(run.lines + sorted(run.late))
    return logs


if __name__ == "__main__":
    prepare()
    for lines in run_programs([line.strip() for line in sys.stdin if line.strip()]):
        print(*lines, sep="\n")
        print("%")

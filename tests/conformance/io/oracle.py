"""Runs programs of transports, streams and sockets on CPython's asyncio, and logs what happens. run.cpp is its twin.

Nothing is compared loosely: where README.md lists a difference, this file changes CPython's side, one class or one
function for each, and the logs must be equal to the byte.
"""

import asyncio
import asyncio.log
import asyncio.selector_events
import asyncio.streams
import asyncio.unix_events
import errno
import fcntl
import gc
import os
import selectors
import signal
import socket
import sys
import warnings
import zlib

from scenario import Block, parse
from statements import RETURN, SKIP, Interpreter, without_repr

# ── differences of this Python from 3.14, which is the one we follow ────────────────────────────────────────────────


class SocketOf3_14(asyncio.selector_events._SelectorSocketTransport):
    """After close() it can still send what is in the buffer; writelines() counts lost writes, and pauses."""

    def close(self):
        write_ready = self._write_ready
        super().close()
        self._write_ready = write_ready

    def writelines(self, lines):
        lines = [line for line in lines if line]  # it would never get rid of an empty one
        if self._conn_lost and not self._eof and lines:
            if self._conn_lost >= asyncio.constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES:
                asyncio.log.logger.warning("socket.send() raised exception.")
            self._conn_lost += 1
            return
        super().writelines(lines)
        if self._buffer:
            self._maybe_pause_protocol()


class DatagramsOf3_14(asyncio.selector_events._SelectorDatagramTransport):
    """The bytes that are added to each datagram's size are taken away again."""

    def get_write_buffer_size(self):
        return sum(len(data) + 8 for data, _ in self._buffer)


# ── deliberate differences, and what CPython only does by mistake ───────────────────────────────────────────────────


def is_watched(transport, event):
    return asyncio.selector_events._test_selector_event(transport._loop._selector, transport.fd(), event)


class LazyPause:
    """pause_reading() leaves the descriptor watched until something comes: pause and resume cost no system call. So
    what was found ready before both is still read in its tick."""

    def pause_reading(self):
        if self.is_reading():
            self._paused = True

    def resume_reading(self):
        if not self._closing and self._paused:
            self._paused = False
            if not is_watched(self, selectors.EVENT_READ):
                self._add_reader(self.fd(), self._read_ready)

    def _read_ready(self):
        if self._paused:
            self._loop._remove_reader(self.fd())
        else:
            super()._read_ready()


class LostOnce:
    """A transport that is lost right after its last byte knows that it is: abort() and write() fail in CPython. And if
    resume_writing() closes it, connection_lost() is called once, not there and then, and in the next tick again."""

    sending = False  # the buffer; resume_writing() is called from there
    later = False  # within resume_writing(), and there was nothing in the buffer

    def _call_connection_lost(self, error):
        if not self.later and not (self.sending and self._conn_lost):
            self._conn_lost = self._conn_lost or 1
            loop = self._loop
            super()._call_connection_lost(error)
            self._loop = loop  # to report what pause_writing() throws after it


class Socket(LazyPause, LostOnce, SocketOf3_14):
    """eof_received() is called once: a later resume_reading() does not read again. write_eof() does not throw. writelines() does not register the
    writer again if there is one, which would put off what was found ready."""

    ended = False

    def fd(self):
        return self._sock_fd

    def write_eof(self):
        try:
            super().write_eof()
        except OSError:
            pass  # the peer has reset the connection, as connection_lost() will tell

    def _read_ready__on_eof(self):
        self.ended = True
        super()._read_ready__on_eof()

    def _add_reader(self, fd, callback, *args):
        if not self.ended:
            super()._add_reader(fd, callback, *args)

    def _write_sendmsg(self):
        before, self.sending = self.sending, True
        try:
            super()._write_sendmsg()
        finally:
            self.sending = before

    def writelines(self, lines):
        before, self.later = self.later, self.sending and not self._buffer
        try:
            super().writelines(lines)
        finally:
            self.later = before


class Datagrams(LostOnce, DatagramsOf3_14):
    """abort() after an error of sendto() stops watching; in CPython connection_lost() is then called twice."""

    def _force_close(self, error):
        if not self._conn_lost:
            self._loop._remove_writer(self._sock_fd)
        super()._force_close(error)

    def _sendto_ready(self):
        self.sending = True
        try:
            super()._sendto_ready()
        finally:
            self.sending = False


class ReadPipe(LazyPause, asyncio.unix_events._UnixReadPipeTransport):
    def fd(self):
        return self._fileno


class WritePipe(asyncio.unix_events._UnixWritePipeTransport):
    """What is said of LostOnce, and: a second abort(), or its reader's end after it, does nothing."""

    lost = sending = False

    def _read_ready(self):
        if not self.lost:
            super()._read_ready()

    def _close(self, exc=None):
        if not self.lost:
            self.lost = True
            super()._close(exc)

    def write_eof(self):
        if not self._closing and not self._buffer:
            self.lost = True
        super().write_eof()

    def _write_ready(self):
        size = len(self._buffer)
        self.sending = True
        try:
            super()._write_ready()
        finally:
            self.sending = False
        if 0 < len(self._buffer) < size and not self.lost:
            self._maybe_resume_protocol()  # at the low mark, as a socket's; in CPython, when nothing is left

    def _call_connection_lost(self, error):
        if self.sending and self._buffer:  # written within resume_writing(); CPython drops it
            self._loop._add_reader(self._fileno, self._read_ready)
        elif not (self.sending and self.lost):
            self.lost = True
            loop = self._loop
            super()._call_connection_lost(error)
            self._loop = loop


class Closed(asyncio.Future):
    """The future behind wait_closed(): a waiter that is cancelled does not cancel it for the others."""

    def __init__(self, loop):
        super().__init__(loop=loop)
        self.waiters = []

    async def wait(self):
        if not self.done():
            waiter = self.get_loop().create_future()
            self.waiters.append(waiter)
            await waiter
        self.result()

    def wake(self):
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)

    def set_result(self, result):
        super().set_result(result)
        self.wake()

    def set_exception(self, error):
        super().set_exception(error)
        self.wake()


class StreamProtocol(asyncio.StreamReaderProtocol):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._closed = Closed(self._loop)

    def _get_close_waiter(self, stream):
        return self._closed.wait()


class Reader(asyncio.StreamReader):
    """A task that was woken, and waits again, does not make the reader forget another that began to wait meanwhile: it
    gets the RuntimeError. After an error nothing more comes, so nobody waits: readexactly() would, and for ever. A
    read() whose bytes another task has taken waits again: b"" would mean the end."""

    async def read(self, size=-1):
        if size <= 0:
            return await super().read(size)
        if self._exception is not None:
            raise self._exception
        while not self._buffer and not self._eof:
            await self._wait_for_data("read")
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._maybe_resume_transport()
        return data

    async def _wait_for_data(self, name):
        if self._waiter is not None:
            raise RuntimeError(f"{name}() called while another coroutine is already waiting for incoming data")
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        if self._exception is not None:
            raise self._exception
        self._waiter = waiter = self._loop.create_future()
        try:
            await waiter
        finally:
            if self._waiter is waiter:
                self._waiter = None


class Clients(dict):
    """As much of a WeakSet as a Server uses, in the order of insertion."""

    def add(self, client):
        self[client] = None

    def discard(self, client):
        self.pop(client, None)

    def copy(self):
        return list(self)


class Server(asyncio.base_events.Server):
    """A client that was accepted just before close() is served: CPython drops it by an assertion that fails. A closed
    server cannot start serving: in CPython that is a TypeError. The clients are closed in the order of their coming; there
    they are a set."""

    def __init__(self, *args):
        super().__init__(*args)
        self._clients = Clients()

    def _attach(self, transport):
        if self._waiters is None:  # closed, and there was no client: there is one now, for whom wait_closed() waits
            self._waiters = []
        self._clients.add(transport)

    def _wakeup(self):
        if self._waiters is not None:
            super()._wakeup()

    def _start_serving(self):
        if self._sockets is None:
            raise RuntimeError(f"server {self!r} is closed")
        super()._start_serving()


def prepare():
    asyncio.base_events.Server = Server
    asyncio.selector_events._SelectorSocketTransport = Socket
    asyncio.selector_events._SelectorDatagramTransport = Datagrams
    asyncio.unix_events._UnixReadPipeTransport = ReadPipe
    asyncio.unix_events._UnixWritePipeTransport = WritePipe
    asyncio.streams.StreamReaderProtocol = StreamProtocol
    asyncio.streams.StreamReader = Reader
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    sys.unraisablehook = lambda _: None
    gc.disable()


class OracleLoop(asyncio.SelectorEventLoop):
    """Counts its ticks, and takes what is ready in the order of the descriptors. The sock_*() functions wait until the
    descriptor is ready, and the task itself calls recv() or send(): when it is cancelled, no byte is lost. In CPython
    the descriptor's callback does, one tick earlier."""

    tick = 0

    def _run_once(self):
        self.tick += 1
        super()._run_once()

    def _add_writer(self, fd, callback, *args):
        key = self._selector.get_map().get(fd)
        if key is not None and key.data[1] is not None and key.data[1]._callback == callback:
            return key.data[1]
        return super()._add_writer(fd, callback, *args)

    def _process_events(self, events):
        super()._process_events(sorted(events, key=lambda event: event[0].fd))

    async def until_ready(self, fd, add, remove):
        self._ensure_fd_no_transport(fd)
        waiter = self.create_future()
        handle = add(fd, lambda: waiter.done() or waiter.set_result(None))
        try:
            await waiter
        finally:
            if not handle.cancelled():
                remove(fd)

    async def sock_recv(self, sock, size):
        while True:
            try:
                return sock.recv(size)
            except BlockingIOError:
                await self.until_ready(sock.fileno(), self._add_reader, self._remove_reader)

    async def sock_sendall(self, sock, data):
        while data:
            try:
                data = data[sock.send(data) :]
            except BlockingIOError:
                await self.until_ready(sock.fileno(), self._add_writer, self._remove_writer)


# ── what data and errors look like in a log ─────────────────────────────────────────────────────────────────────────

PATTERN = "".join("\n" if i % 7 == 6 else chr(ord("a") + i % 26) for i in range(182)).encode() * 600


def make_data(size, position):
    """The bytes, and where in the pattern the next ones go on."""
    if size[0] == "z":
        return b"z" * int(size[1:]), position
    begin = position % 182
    return PATTERN[begin : begin + int(size)], position + int(size)


def show_data(data):
    data = bytes(data)

    def show(part):
        return part.decode("latin1").replace("\n", "$")

    if len(data) <= 16:
        return f"{len(data)}:{show(data)}"
    return f"{len(data)}:{show(data[:4])}~{show(data[-4:])}#{zlib.adler32(data)}"


WITHOUT_CODE = {ConnectionResetError: "ECONNRESET", BrokenPipeError: "EPIPE", ConnectionAbortedError: "ECONNABORTED"}


def show_error(error):
    if isinstance(error, asyncio.CancelledError):
        return "C"
    if isinstance(error, asyncio.IncompleteReadError):
        expected = "-" if error.expected is None else error.expected
        return f"Incomplete({show_data(error.partial)},{expected},{error})"
    if isinstance(error, asyncio.LimitOverrunError):
        return f"Limit({error.consumed},{error})"
    if isinstance(error, OSError):
        name = WITHOUT_CODE.get(type(error)) if error.errno is None else errno.errorcode[error.errno]
        return f"O({name})"
    name = "Assert" if isinstance(error, AssertionError) else type(error).__name__
    return f"{name}({without_repr(str(error))})"


def make_error(kind):
    if kind == "V":
        return ValueError("v")
    if kind == "R":
        return RuntimeError("r")
    if kind == "O":
        return OSError(errno.ECONNREFUSED, "")
    if kind == "P":
        return OSError(errno.EPIPE, "")
    if kind == "C":
        return asyncio.CancelledError()
    raise ValueError("unknown kind of error: " + kind)


# ── objects ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Object:
    """The ends of a connection, and all that stands on ours; the kinds are explained in run.h."""

    def __init__(self, name, number):
        self.name, self.kind = name, name[0]
        self.fd, self.peer = 200 + 2 * number, 201 + 2 * number
        self.transport = self.reader = self.writer = self.raw = None
        self.server = self.address = None
        self.remote = ""  # of a datagram endpoint: the one that it is connected to
        self.tight = self.filled = self.receiving = self.sending_all = False
        self.unread = self.sent = self.peer_sent = self.fed = 0

    def is_open(self):
        return self.kind == "k" or (self.transport is not None and not self.transport.is_closing())

    def reading(self):
        return self.transport if self.kind in "sbrxavicjo" else None

    def writing(self):
        return self.transport if self.kind in "sbwxzvicjo" else None

    def sending(self):
        return self.transport if self.kind in "sbwxzvicjode" else None


def move_to(item, ours, peer):
    os.dup2(ours, item.fd, False)
    os.dup2(peer, item.peer, False)


def make_descriptors(item, tight):
    if item.kind in "sbxvk":
        with_ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    elif item.kind == "d":
        with_ends = [socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
        for end in with_ends:
            end.bind("")
        for end, other in zip(with_ends, reversed(with_ends)):
            end.connect(other.getsockname())
    else:
        with_ends = [open(end, mode, 0) for end, mode in zip(os.pipe(), ("rb", "wb"))]
        if item.kind in "wz":
            with_ends.reverse()
    ours, peer = with_ends
    move_to(item, ours.fileno(), peer.fileno())
    ours.close()
    peer.close()
    os.set_blocking(item.fd, False)
    os.set_blocking(item.peer, False)
    if tight:
        item.tight = True
        if item.kind in "rwaz":
            fcntl.fcntl(item.fd, fcntl.F_SETPIPE_SZ, 4096)
        else:
            for fd in (item.fd, item.peer):
                end = socket.socket(fileno=fd)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
                end.detach()


class Hooks:
    """What a protocol does in each of its callbacks: a block, the first three times."""

    def __init__(self, run, item, name, clauses):
        self.run, self.item, self.name = run, item, name
        self.blocks = {}
        for event, block in zip(clauses[::2], clauses[1::2]):
            if isinstance(block, Block):
                self.blocks[event] = [block, 3]

    def call(self, event, detail=""):
        if event != "get":
            self.run.log(self.name, f"{event} {detail}" if detail else event)
        hook = self.blocks.get(event)
        if hook is None or hook[1] <= 0:
            return False
        hook[1] -= 1
        return self.run.run_callback(hook[0])

    # ── what all protocols have ──

    def connection_made(self, transport):
        self.item.transport = transport
        self.call("made")

    def connection_lost(self, error):
        self.call("lost", "" if error is None else "!" + show_error(error))

    def pause_writing(self):
        self.call("pause")

    def resume_writing(self):
        self.call("resume")

    def eof_received(self):
        return self.call("eof")


class HookedProtocol(Hooks, asyncio.Protocol):
    def data_received(self, data):
        self.call("data", show_data(data))


class HookedBuffer(Hooks, asyncio.BufferedProtocol):
    size = 1

    def get_buffer(self, hint):
        self.memory = bytearray(0 if self.call("get") else self.size)
        return self.memory

    def buffer_updated(self, size):
        self.call("data", show_data(self.memory[:size]))


class HookedDatagrams(Hooks, asyncio.DatagramProtocol):
    def datagram_received(self, data, address):
        sender = [other.name for other in self.run.objects.values() if other.kind == "e" and other.address == address]
        self.call("data", show_data(data) + "".join(" " + name for name in sender))

    def error_received(self, error):
        self.call("error", "!" + show_error(error))


def make_protocol(run, item, name, clauses):
    if item.kind == "b":
        protocol = HookedBuffer(run, item, name, clauses[1:])
        protocol.size = int(clauses[0])
        return protocol
    if item.kind in "ice":
        clauses = clauses[1:]
    return (HookedDatagrams if item.kind in "de" else HookedProtocol)(run, item, name, clauses)


HOST = "127.0.0.1"


async def make_server(run, item, where, *args):
    """`where`: tcp or unix; with a "-" behind it, the server does not accept yet."""
    if item.kind == "n":
        def factory():
            incoming = run.make_next("i")
            return make_protocol(run, incoming, incoming.name, (where, *args))
    else:
        def handler(reader, writer):
            incoming = run.make_next("j")
            incoming.transport, incoming.reader, incoming.writer = writer.transport, reader, writer
            return run.coroutine(args[1])

        def factory():
            reader = Reader(int(args[0]), run.loop)
            return StreamProtocol(reader, handler, run.loop)

    serves = not where.endswith("-")
    if where.startswith("tcp"):
        item.server = await run.loop.create_server(factory, HOST, 0, start_serving=serves)
        item.address = item.server.sockets[0].getsockname()
    else:
        item.address = run.path(item.name)
        item.server = await run.loop.create_unix_server(factory, item.address, start_serving=serves)


async def connect_to(run, item, server, *args):
    address = run.objects[server].address
    if item.kind == "c":
        protocol = make_protocol(run, item, item.name, (server, *args))
        factory = lambda: protocol
    else:
        reader = Reader(int(args[0]), run.loop)
        factory = lambda: StreamProtocol(reader, loop=run.loop)
    if isinstance(address, str):
        transport, protocol = await run.loop.create_unix_connection(factory, address)
    else:
        transport, protocol = await run.loop.create_connection(factory, *address)
    if item.kind == "o":
        item.transport, item.reader = transport, reader
        item.writer = asyncio.StreamWriter(transport, protocol, item.reader, run.loop)


async def make_endpoint(run, item, remote, *args):
    protocol = make_protocol(run, item, item.name, (remote, *args))
    item.remote = remote if remote in run.objects else ""
    transport, _ = await run.loop.create_datagram_endpoint(
        lambda: protocol, (HOST, 0), run.objects[remote].address if item.remote else None
    )
    item.address = transport.get_extra_info("sockname")


LEAST_ARGUMENTS = {"b": 1, "x": 1, "a": 1, "y": 1, "v": 2, "n": 1, "u": 3, "c": 1, "o": 2, "e": 1}


async def make_object(run, tight, name, *args):
    if len(args) < LEAST_ARGUMENTS.get(name[0], 0):
        return SKIP
    if name[0] in "co" and (args[0] not in run.objects or run.objects[args[0]].server is None):
        return SKIP
    if name[0] == "e" and args[0] != "-" and (args[0][0] != "e" or run.objects.get(args[0]) is None
                                              or run.objects[args[0]].address is None):
        return SKIP
    item = run.make(name)
    if item is None:
        return SKIP
    loop = run.loop
    if item.kind in "nucoe":
        item.peer = -1
        await (make_server if item.kind in "nu" else connect_to if item.kind in "co" else make_endpoint)(run, item, *args)
        return None
    if item.kind == "y":
        item.peer = -1
        item.reader = Reader(int(args[0]), loop)
        return None
    make_descriptors(item, tight)
    if item.kind == "k":
        item.raw = socket.socket(fileno=item.fd)
    elif item.kind in "sb":
        protocol = make_protocol(run, item, name, args)
        await loop.create_connection(lambda: protocol, sock=socket.socket(fileno=item.fd))
    elif item.kind == "r":
        protocol = make_protocol(run, item, name, args)
        await loop.connect_read_pipe(lambda: protocol, open(item.fd, "rb", 0))
    elif item.kind == "w":
        protocol = make_protocol(run, item, name, args)
        await loop.connect_write_pipe(lambda: protocol, open(item.fd, "wb", 0))
    elif item.kind == "d":
        protocol = make_protocol(run, item, name, args)
        await loop.create_datagram_endpoint(lambda: protocol, sock=socket.socket(fileno=item.fd))
    elif item.kind == "x":
        reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=item.fd), limit=int(args[0]))
        item.transport, item.reader, item.writer = writer.transport, reader, writer
    elif item.kind == "v":

        def handler(reader, writer):
            item.transport, item.reader, item.writer = writer.transport, reader, writer
            return run.coroutine(args[1])

        reader = Reader(int(args[0]), loop)
        await loop.connect_accepted_socket(
            lambda: StreamProtocol(reader, handler, loop), socket.socket(fileno=item.fd)
        )
    elif item.kind == "a":
        reader = Reader(int(args[0]), loop)
        item.transport, _ = await loop.connect_read_pipe(lambda: StreamProtocol(reader, None, loop), open(item.fd, "rb", 0))
        item.reader = reader
    elif item.kind == "z":
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.streams.FlowControlMixin(loop), open(item.fd, "wb", 0)
        )
        item.transport, item.writer = transport, asyncio.StreamWriter(transport, protocol, None, loop)
    return None


# ── a run ───────────────────────────────────────────────────────────────────────────────────────────────────────────

OPERATIONS = {}  # word: (function, is a coroutine function)


class Run(Interpreter):
    """One run of one program."""

    operations = OPERATIONS
    show_error = staticmethod(show_error)

    current = None

    def __init__(self, text):
        self.text = text
        self.lines = []
        self.over = False
        self.last_tick = -1
        self.objects = {}
        self.tasks = {}
        self.loop = OracleLoop()
        self.loop.set_exception_handler(self.on_error)

    def log(self, who, text):
        if self.over:
            return
        if self.loop.tick != self.last_tick:
            self.last_tick = self.loop.tick
            self.lines.append(f"@{self.loop.tick}")
        self.lines.append(f"{who} {text}")

    def on_error(self, loop, context):
        message, error = context["message"], context.get("exception")
        if message.endswith("was never retrieved") or message == "Task was destroyed but it is pending!":
            return  # a served stream's task, when it is collected
        shown = "" if error is None else " !" + show_error(error)
        if isinstance(context.get("protocol"), StreamProtocol):  # ours receives into the reader's memory
            message = message.replace("data_received", "buffer_updated")
        self.log("handler", ("callback" if message.startswith("Exception in callback") else without_repr(message)) + shown)

    def warn(self, message, *args):
        self.log("handler", message)

    # ── running blocks ──

    async def run_block(self, block):
        await self.run_statements(block.id, block.code)

    def run_callback(self, block):
        """True if it was left by `ret`."""
        return self.run_callback_statements(block.id, block.code) is RETURN

    async def coroutine(self, block):
        self.log(block.id, "+")
        try:
            await self.run_block(block)
        except GeneratorExit:
            raise
        except BaseException as error:
            self.log(block.id, f"+ !{show_error(error)}")
            raise
        self.log(block.id, "+ =")

    async def task(self, block):
        try:
            await self.coroutine(block)
        except GeneratorExit:
            raise
        except BaseException:
            pass  # it is in the log

    # ── objects ──

    def make(self, name):
        if name in self.objects or name[0] not in "sbrwdxvazyknucoe":
            return None
        item = self.objects[name] = Object(name, len(self.objects))
        return item

    def make_next(self, kind):
        """A server's next connection: i0, i1 …, or with streams j0, j1 …"""
        name = kind + str(sum(it.kind == kind for it in self.objects.values()))
        item = self.objects[name] = Object(name, len(self.objects))
        item.peer = -1
        return item

    def path(self, name):
        return f"/tmp/asyncio_io_{os.getpid()}_{name}"

    async def clean_up(self):
        self.log("end", "")
        for item in self.objects.values():
            if item.server is not None:
                item.server.close()
            elif item.kind == "k":
                self.loop.remove_reader(item.fd)
                self.loop.remove_writer(item.fd)
            elif item.sending() is not None:
                item.transport.abort()
            elif item.transport is not None:
                item.transport.close()
        for _, task in sorted(self.tasks.items()):
            task.cancel()
        for _ in range(8):
            await asyncio.sleep(0)
        for name, task in sorted(self.tasks.items()):
            self.log(name, "done" if task.done() else "pending")
        self.over = True
        while others := asyncio.all_tasks() - {asyncio.current_task()}:  # some swallow it, and wait again
            for task in others:
                task.cancel()
            await asyncio.sleep(0)

    async def drive(self, program):
        main = self.loop.create_task(self.task(program))
        for _ in range(500):
            if main.done():
                break
            await asyncio.sleep(0)
        main.cancel()
        await self.clean_up()

    def run(self):
        program = parse(self.text)
        self.compile(program)
        asyncio.log.logger.warning = self.warn
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            try:
                runner.run(self.drive(program))
            except BaseException as error:
                self.log("run", "!" + show_error(error))
            self.over = True
        for item in self.objects.values():
            if item.raw is not None:
                item.raw.close()
            if isinstance(item.address, str) and os.path.exists(item.address):
                os.unlink(item.address)
            if item.peer != -1:
                os.close(item.peer)


# ── words: transports ───────────────────────────────────────────────────────────────────────────────────────────────

def word(function):
    OPERATIONS[function.__name__.rstrip("_")] = (function, asyncio.iscoroutinefunction(function))
    return function


MOST_UNREAD, MOST_UNREAD_HERE, MOST_DATAGRAMS_UNREAD = 16000, 8000, 5  # why, says words.cpp


def has_room(item, size):
    if item.tight:
        return True
    if item.unread + size > (MOST_UNREAD_HERE if item.kind in "icjo" else MOST_UNREAD):
        return False
    item.unread += size
    return True


def find(run, name, role):
    """The object, and its transport in that role; None if it has none."""
    item = run.objects.get(name)
    return item, getattr(item, role)() if item is not None else None


@word
def w(run, name, size):
    item, transport = find(run, name, "writing")
    if transport is None:
        return SKIP
    data, position = make_data(size, item.sent)
    if not has_room(item, len(data)):
        return SKIP
    item.sent = position
    transport.write(data)


@word
def wl(run, name, first, second):
    item, transport = find(run, name, "writing")
    if transport is None:
        return SKIP
    one, position = make_data(first, item.sent)
    two, position = make_data(second, position)
    if not has_room(item, len(one) + len(two)):
        return SKIP
    item.sent = position
    transport.writelines([one, two])


@word
def weof(run, name):
    _, transport = find(run, name, "writing")
    if transport is None:
        return SKIP
    transport.write_eof()


@word
def cwe(run, name):
    _, transport = find(run, name, "writing")
    return SKIP if transport is None else flag(transport.can_write_eof())


def flag(value):
    return "T" if value else "F"


def transport_of(run, name):
    item = run.objects.get(name)
    return None if item is None else item.transport


@word
def close(run, name):
    transport = transport_of(run, name)
    if transport is None:
        return SKIP
    transport.close()


@word
def isc(run, name):
    transport = transport_of(run, name)
    return SKIP if transport is None else flag(transport.is_closing())


@word
def abort(run, name):
    _, transport = find(run, name, "sending")
    if transport is None:
        return SKIP
    transport.abort()


@word
def pr(run, name):
    _, transport = find(run, name, "reading")
    if transport is None:
        return SKIP
    transport.pause_reading()


@word
def rr(run, name):
    _, transport = find(run, name, "reading")
    if transport is None:
        return SKIP
    transport.resume_reading()


@word
def isr(run, name):
    _, transport = find(run, name, "reading")
    return SKIP if transport is None else flag(transport.is_reading())


@word
def size(run, name):
    _, transport = find(run, name, "sending")
    return SKIP if transport is None else str(transport.get_write_buffer_size())


@word
def lim(run, name, high, low):
    _, transport = find(run, name, "sending")
    if transport is None:
        return SKIP
    transport.set_write_buffer_limits(
        high=None if high == "-" else int(high), low=None if low == "-" else int(low)
    )


@word
def getlim(run, name):
    _, transport = find(run, name, "sending")
    return SKIP if transport is None else "{},{}".format(*transport.get_write_buffer_limits())


@word
def setp(run, name, *clauses):
    item = run.objects.get(name)
    if item is None or item.kind not in "sbrwd" or not item.is_open():
        return SKIP
    item.transport.set_protocol(make_protocol(run, item, name + "'", clauses))


@word
def st(run, name, size):
    item = run.objects.get(name)
    if item is None or item.kind not in "de" or not item.is_open() or (item.kind == "e" and not item.remote):
        return SKIP
    if not item.tight and item.unread >= MOST_DATAGRAMS_UNREAD * (10 if item.kind == "e" else 1):
        return SKIP
    item.unread += 1
    data, item.sent = make_data(size, item.sent)
    item.transport.sendto(data)


@word
def stt(run, name, to, size):
    item, other = run.objects.get(name), run.objects.get(to)
    if item is None or item.kind != "e" or not item.is_open() or item.remote not in ("", to):
        return SKIP
    if other is None or other.kind != "e" or other.address is None or item.unread >= MOST_DATAGRAMS_UNREAD * 10:
        return SKIP
    item.unread += 1
    data, item.sent = make_data(size, item.sent)
    item.transport.sendto(data, other.address)


# ── words: servers ──────────────────────────────────────────────────────────────────────────────────────────────────


def server_of(run, name):
    return run.objects[name].server if name in run.objects else None


@word
def sis(run, name):
    server = server_of(run, name)
    return SKIP if server is None else f"{flag(server.is_serving())} {len(server.sockets)}"


@word
def sclose(run, name):
    server = server_of(run, name)
    if server is None:
        return SKIP
    server.close()


@word
def sclients(run, name, how):
    server = server_of(run, name)
    if server is None:
        return SKIP
    server.abort_clients() if how == "abort" else server.close_clients()


@word
async def sstart(run, name):
    server = server_of(run, name)
    if server is None:
        return SKIP
    await server.start_serving()


@word
async def sforever(run, name):
    server = server_of(run, name)
    if server is None:
        return SKIP
    await server.serve_forever()


@word
async def swait(run, name):
    server = server_of(run, name)
    if server is None:
        return SKIP
    await server.wait_closed()


# ── words: streams ──────────────────────────────────────────────────────────────────────────────────────────────────


def reader_of(run, name):
    item = run.objects.get(name)
    return None if item is None else item.reader


def writer_of(run, name, kinds):
    item = run.objects.get(name)
    return None if item is None or item.kind not in kinds else item.writer


@word
def feed(run, name, size):
    reader = reader_of(run, name)
    if reader is None:
        return SKIP
    item = run.objects[name]
    data, item.fed = make_data(size, item.fed)
    reader.feed_data(data)


@word
def feof(run, name):
    reader = reader_of(run, name)
    if reader is None:
        return SKIP
    reader.feed_eof()


@word
def exc(run, name, kind):
    reader = reader_of(run, name)
    if reader is None:
        return SKIP
    reader.set_exception(make_error(kind))


@word
def ateof(run, name):
    reader = reader_of(run, name)
    return SKIP if reader is None else flag(reader.at_eof())


@word
def exn(run, name):
    reader = reader_of(run, name)
    if reader is None:
        return SKIP
    return "none" if reader.exception() is None else show_error(reader.exception())


@word
async def read(run, name, count):
    reader = reader_of(run, name)
    return SKIP if reader is None else show_data(await reader.read(int(count)))


@word
async def readx(run, name, count):
    reader = reader_of(run, name)
    return SKIP if reader is None else show_data(await reader.readexactly(int(count)))


@word
async def readline(run, name):
    reader = reader_of(run, name)
    return SKIP if reader is None else show_data(await reader.readline())


@word
async def readu(run, name, *separators):
    reader = reader_of(run, name)
    if reader is None:
        return SKIP
    return show_data(await reader.readuntil(tuple(b"" if it == "-" else it.encode() for it in separators)))


@word
async def drain(run, name):
    writer = writer_of(run, name, "xzvjo")
    if writer is None:
        return SKIP
    await writer.drain()


@word
async def wclosed(run, name):
    writer = writer_of(run, name, "xvjo")
    if writer is None:
        return SKIP
    await writer.wait_closed()


# ── words: the peer's end, and ours without a transport ─────────────────────────────────────────────────────────────


def put(item, fd, data):
    if item.kind in "rwaz":
        return os.write(fd, data)
    end = socket.socket(fileno=fd)
    try:
        return end.send(data)
    finally:
        end.detach()


def get(fd, size):
    try:
        return show_data(os.read(fd, size))
    except OSError as error:
        return "!" + show_error(error)


@word
def send(run, name, size):
    item = run.objects.get(name)
    if item is None or item.peer == -1 or item.kind in "wz":
        return SKIP
    data, item.peer_sent = make_data(size, item.peer_sent)
    try:
        return str(put(item, item.peer, data))
    except OSError as error:
        return "!" + show_error(error)


@word
def recv(run, name, size):
    item = run.objects.get(name)
    if item is None or item.peer == -1 or item.kind in "ra" or (item.filled and not item.tight):
        return SKIP
    return get(item.peer, int(size))


@word
def recvall(run, name):
    item = run.objects.get(name)
    if item is None or item.peer == -1 or item.kind in "ra":
        return SKIP
    received, end, empty = b"", "", 0
    while True:
        try:
            data = os.read(item.peer, 300000)
        except OSError as error:
            end = "" if error.errno == errno.EAGAIN else "!" + show_error(error)
            break
        if not data:
            empty += 1
            if item.kind != "d" or empty >= 20:
                end = "eof"
                break
        received += data + (b"|" if item.kind == "d" else b"")
    if item.kind == "d":
        while received.startswith(b"F|"):
            received = received[2:]
    else:
        received = received.lstrip(b"F")
    item.filled = False
    item.unread = 0
    return show_data(received) + (" " + end if end else "")


@word
def shut(run, name):
    item = run.objects.get(name)
    if item is None or item.peer == -1 or item.kind in "rwazd":
        return SKIP
    end = socket.socket(fileno=item.peer)
    try:
        end.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    end.detach()


@word
def pclose(run, name):
    item = run.objects.get(name)
    if item is None or item.peer == -1:
        return SKIP
    os.close(item.peer)
    item.peer = -1


@word
def fill(run, name):
    item = run.objects.get(name)
    if item is None or item.peer == -1 or not item.is_open() or item.kind not in "sbwxzvdk" or item.unread > 0:
        return SKIP
    if item.sending() is not None and item.transport.get_write_buffer_size() > 0:
        return SKIP
    for size in (4096, 1):
        data = b"F" * (1 if item.kind == "d" else size)
        try:
            while put(item, item.fd, data) > 0:
                pass
        except OSError:
            pass
    item.filled = True


@word
def krecv(run, name, size):
    item = run.objects.get(name)
    if item is None or item.kind != "k":
        return SKIP
    return get(item.fd, int(size))


def watchable(item):
    return item is not None and item.kind in "sbxvdk" and item.is_open()


def add_watch(run, item, block, what, add, remove):
    if not watchable(item):
        return SKIP
    left = 3

    def callback():
        nonlocal left
        run.log(block.id, what)
        left -= 1
        if left == 0:
            remove(item.fd)
        run.run_callback(block)

    add(item.fd, callback)
    return None


@word
def addr(run, name, block):
    return add_watch(run, run.objects.get(name), block, "readable", run.loop.add_reader, run.loop.remove_reader)


@word
def addw(run, name, block):
    return add_watch(run, run.objects.get(name), block, "writable", run.loop.add_writer, run.loop.remove_writer)


@word
def remr(run, name):
    item = run.objects.get(name)
    return flag(run.loop.remove_reader(item.fd)) if watchable(item) else SKIP


@word
def remw(run, name):
    item = run.objects.get(name)
    return flag(run.loop.remove_writer(item.fd)) if watchable(item) else SKIP


@word
async def srecv(run, name, size):
    item = run.objects.get(name)
    if item is None or item.kind != "k" or item.receiving:
        return SKIP
    item.receiving = True
    try:
        return show_data(await run.loop.sock_recv(item.raw, int(size)))
    finally:
        item.receiving = False


@word
async def ssend(run, name, size):
    item = run.objects.get(name)
    if item is None or item.kind != "k" or item.sending_all:
        return SKIP
    data, position = make_data(size, item.sent)
    if not has_room(item, len(data)):
        return SKIP
    item.sent = position
    item.sending_all = True
    try:
        await run.loop.sock_sendall(item.raw, data)
    finally:
        item.sending_all = False


# ── words: tasks and callbacks ──────────────────────────────────────────────────────────────────────────────────────


@word
async def t(run, count):
    for _ in range(int(count)):
        await asyncio.sleep(0)


@word
def task(run, name, block):
    if name in run.tasks:
        return SKIP
    run.tasks[name] = run.loop.create_task(run.task(block))


@word
def cancel(run, name):
    return flag(run.tasks[name].cancel()) if name in run.tasks else SKIP


@word
def soon(run, block):
    run.loop.call_soon(run.run_callback, block)


@word
def raise_(run, kind):
    raise make_error(kind)


@word
def ret(run):
    return RETURN


@word
async def new(run, name, *args):
    return await make_object(run, False, name, *args)


@word
async def tight(run, name, *args):
    return await make_object(run, True, name, *args)


def run_programs(texts, at_once=25):
    """The logs of many programs, as lists of lines. The garbage is collected for many at a time: it is slow."""
    logs = []
    for start in range(0, len(texts), at_once):
        runs = [Run(text) for text in texts[start : start + at_once]]
        for run in runs:
            run.run()
            logs.append(run.lines)
        del runs, run
        gc.collect()
    return logs

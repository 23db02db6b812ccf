# What peer.cpp does, with CPython's asyncio and ssl.
import asyncio
import random
import ssl
import sys


def make_context(purpose):
    context = ssl.create_default_context(purpose, cafile=options.get('ca'))
    if 'cert' in options:
        context.load_cert_chain(options['cert'], options['key'])
    if purpose == ssl.Purpose.CLIENT_AUTH and 'ca' in options:
        context.verify_mode = ssl.CERT_REQUIRED
    if 'alpn' in options:
        context.set_alpn_protocols([options['alpn']])
    if options.get('max') == '1.2':
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def report(transport):
    tls = transport.get_extra_info('ssl_object')
    print(tls.version(), 'resumed' if tls.session_reused else 'new', tls.selected_alpn_protocol() or '')


DATA = random.Random(1).randbytes(1 << 20)


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def ask_streams(**how):
    reader, writer = await asyncio.open_connection('127.0.0.1', int(options['port']), **how)

    async def send():
        writer.write(DATA)
        await writer.drain()

    sending = asyncio.create_task(send())
    assert await reader.readexactly(len(DATA)) == DATA
    await sending
    report(writer.transport)
    writer.close()
    await writer.wait_closed()


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


class Asking(asyncio.Protocol):
    def __init__(self):
        self.back = b''
        self.complete = asyncio.Event()
        self.lost = asyncio.Event()

    def connection_made(self, transport):
        transport.write(DATA)

    def data_received(self, data):
        self.back += data
        if len(self.back) >= len(DATA):
            self.complete.set()

    def connection_lost(self, exc):
        self.error = exc or ConnectionError('lost')
        self.complete.set()
        self.lost.set()


async def ask_protocol(**how):
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(Asking, '127.0.0.1', int(options['port']), **how)
    await protocol.complete.wait()
    if protocol.lost.is_set():
        raise protocol.error
    assert protocol.back == DATA
    report(transport)
    transport.close()
    await protocol.lost.wait()


async def serve():
    context = make_context(ssl.Purpose.CLIENT_AUTH)
    if options['how'] == 'protocol':
        server = await asyncio.get_running_loop().create_server(Echo, '127.0.0.1', 0, ssl=context)
    else:
        server = await asyncio.start_server(echo, '127.0.0.1', 0, ssl=context)
    print('port', server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def ask():
    how = {'ssl': make_context(ssl.Purpose.SERVER_AUTH), 'server_hostname': options.get('name', 'localhost')}
    for _ in range(int(options.get('times', 1))):
        await (ask_protocol if options['how'] == 'protocol' else ask_streams)(**how)


options = dict(argument.split('=', 1) for argument in sys.argv[2:])
asyncio.run(serve() if sys.argv[1] == 'serve' else ask())

# What echo.cpp does, with CPython's asyncio.
import asyncio
import random
import sys


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def ask_stream(reader, writer):
    writer.write(b'hello\n')
    assert await reader.readline() == b'hello\n'
    data = random.Random(1).randbytes(1 << 20)

    async def send():
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    sending = asyncio.create_task(send())
    assert await reader.readexactly(len(data)) == data
    await sending
    assert await reader.read() == b''
    writer.close()
    await writer.wait_closed()


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)


class Inbox(asyncio.DatagramProtocol):
    def __init__(self):
        self.messages = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.messages.put_nowait(data)


async def ask_datagrams(port):
    loop = asyncio.get_running_loop()
    transport, inbox = await loop.create_datagram_endpoint(Inbox, remote_addr=('127.0.0.1', port))
    for size in (1, 2, 100, 1000, 1400, 5000):
        message = random.Random(size).randbytes(size)
        transport.sendto(message)
        assert await asyncio.wait_for(inbox.messages.get(), 60) == message
    transport.close()


async def serve(kind, where):
    if kind == 'udp':
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=('127.0.0.1', 0))
        print('port', transport.get_extra_info('sockname')[1])
        await asyncio.sleep(86400)
    elif kind == 'unix':
        server = await asyncio.start_unix_server(echo, where)
        print('ready')
        await server.serve_forever()
    else:
        server = await asyncio.start_server(echo, '127.0.0.1', 0)
        print('port', server.sockets[0].getsockname()[1])
        await server.serve_forever()


async def ask(kind, where):
    if kind == 'udp':
        await ask_datagrams(int(where))
    elif kind == 'unix':
        await ask_stream(*await asyncio.open_unix_connection(where))
    else:
        await ask_stream(*await asyncio.open_connection('127.0.0.1', int(where)))


what, kind, where = (sys.argv[1:] + [''])[:3]
asyncio.run(serve(kind, where) if what == 'serve' else ask(kind, where))

"""The jobs of our benchmarks on CPython's asyncio, or with `--uvloop` on that. Prints what Google Benchmark would:

  python_jobs.py [--uvloop] [--min-time=SECONDS]
"""

import asyncio
import json
import random
import socket
import sys
import time
import tracemalloc

MIN_TIME = 0.1
results = []


def report(name, **columns):
    results.append({"name": name, "run_type": "iteration", **columns})


class Iterations:
    """for _ in Iterations(name, items): as often as it takes to last MIN_TIME of processor time; after one for warmth."""

    def __init__(self, name, items=1, batch=1):
        self.name, self.items, self.batch = name, items, batch

    def __iter__(self):
        yield 0
        iterations, begin = 0, time.process_time()
        while (took := time.process_time() - begin) < MIN_TIME:
            for _ in range(self.batch):  # as the clock is not free
                yield 0
            iterations += self.batch
        report(self.name, per_item=took / iterations / self.items)


# ── callbacks ──


def run_tick(loop):
    loop.call_soon(loop.stop)
    loop.run_forever()


def callbacks(loop):
    def nothing():
        pass

    for _ in Iterations("stage1/call_soon_burst_1000", 1000):
        for _ in range(1000):
            loop.call_soon(nothing)
        run_tick(loop)

    for _ in Iterations("stage1/call_soon_threadsafe", 1000):
        for _ in range(1000):
            loop.call_soon_threadsafe(nothing)
        run_tick(loop)

    def chain():
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(chain)
        else:
            loop.stop()

    for _ in Iterations("stage1/call_soon_chain", 1000):
        left = 1000
        loop.call_soon(chain)
        loop.run_forever()

    def job(number):
        loop.call_soon(finish, number)

    def finish(number):
        nonlocal total, left
        total += number
        left -= 1
        if not left:
            loop.stop()

    for _ in Iterations("stage1/run_1000_jobs", 1000):
        total, left = 0, 1000
        for number in range(1000):
            loop.call_soon(job, number)
        loop.run_forever()


def futures(loop):
    def set_result(future, number):
        future.set_result(number)

    def add(future):
        nonlocal total, left
        total += future.result()
        left -= 1
        if not left:
            loop.stop()

    for _ in Iterations("stage2/run_1000_jobs", 1000):
        total, left = 0, 1000
        for number in range(1000):
            future = loop.create_future()
            future.add_done_callback(add)
            loop.call_soon(set_result, future, number)
        loop.run_forever()


def timers(loop):
    many = 100_000
    source = random.Random(1)
    delays = [source.randint(1, 1_000_000_000) / 1e6 for _ in range(many)]

    def nothing():
        pass

    def fired():
        nonlocal left
        left -= 1
        if not left:
            loop.stop()

    for _ in Iterations("stage1/timers_due_100k", many):
        left = many
        for delay in delays:
            loop.call_later(delay / 10_000, fired)
        time.sleep(0.1)
        loop.run_forever()

    for _ in Iterations("stage1/call_later_cancel_bulk_100k", many):
        handles = [loop.call_later(delay, nothing) for delay in delays]
        run_tick(loop)
        for handle in handles:
            handle.cancel()
        run_tick(loop)

    others = [loop.call_later(1 + delay, nothing) for delay in delays]
    for _ in Iterations("stage1/call_later_cancel_one_beside_100k", batch=100):
        loop.call_later(30, nothing).cancel()
    for handle in others:
        handle.cancel()
    run_tick(loop)


# ── tasks ──


async def ready(value):
    return value


async def wait_and_add(total, job):
    await asyncio.sleep(0)
    total[0] += job


async def wait_and_return(job):
    await asyncio.sleep(0)
    return job


async def switches(count):
    async def other():
        while more:
            await asyncio.sleep(0)

    more = True
    others = [asyncio.create_task(other()) for _ in range(count - 1)]
    for _ in Iterations(f"stage3/sleep_0/{count}", count):
        await asyncio.sleep(0)
    more = False
    for task in others:
        await task


async def tasks():
    await switches(1)
    await switches(1000)

    for _ in Iterations("stage3/create_run_await", batch=10):
        await asyncio.create_task(ready(1))
    for _ in Iterations("stage3/await_ready_coroutine", batch=100):
        await ready(1)
    for _ in Iterations("stage3/run_1000_jobs", 1000):
        total = [0]
        for task in [asyncio.create_task(wait_and_add(total, job)) for job in range(1000)]:
            await task

    async def pong():
        nonlocal ping, answer
        while await ping:
            ping = asyncio.get_running_loop().create_future()
            answer.set_result(1)

    ping, answer = (asyncio.get_running_loop().create_future() for _ in range(2))
    partner = asyncio.create_task(pong())
    await asyncio.sleep(0)
    for _ in Iterations("stage3/future_to_task", 2):
        ping.set_result(1)
        await answer
        answer = asyncio.get_running_loop().create_future()
    ping.set_result(0)
    await partner

    async def inner():
        await asyncio.sleep(3600)

    async def outer():
        await inner()

    for _ in Iterations("stage3/cancel_task_through_2_frames"):
        task = asyncio.create_task(outer())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        assert task.cancelled()


async def several():
    for _ in Iterations("stage4/run_1000_jobs", 1000):
        sum(await asyncio.gather(*[wait_and_return(job) for job in range(1000)]))
    for _ in Iterations("stage4/gather_2"):
        await asyncio.gather(ready(1), ready(2))

    async def in_time():
        await asyncio.sleep(0)

    for _ in Iterations("stage4/wait_for_not_fired"):
        await asyncio.wait_for(in_time(), 10)


# ── sharing ──


async def sharing():
    lock = asyncio.Lock()
    for _ in Iterations("stage5/lock_uncontended", batch=10):
        await lock.acquire()
        lock.release()

    async def contend():
        await lock.acquire()
        await asyncio.sleep(0)
        lock.release()
        while more:
            await lock.acquire()
            lock.release()

    more = True
    contenders = [asyncio.create_task(contend()) for _ in range(99)]
    await lock.acquire()
    await asyncio.sleep(0)
    lock.release()
    for _ in Iterations("stage5/lock_handover_100", 100):  # a round, in which each of the 100 has it once
        await lock.acquire()
        lock.release()
    more = False
    await asyncio.gather(*contenders)

    queue = asyncio.Queue(1)

    async def consume():
        while await queue.get():
            pass

    consumer = asyncio.create_task(consume())
    for _ in Iterations("stage5/queue1_put_get", batch=10):
        await queue.put(1)
    await queue.put(0)
    await consumer

    queue = asyncio.Queue(100)
    total = 0

    async def work():
        nonlocal total
        while True:
            job = await queue.get()
            await asyncio.sleep(0)
            total += job
            queue.task_done()

    workers = [asyncio.create_task(work()) for _ in range(10)]
    for _ in Iterations("stage5/run_1000_jobs", 1000):
        for job in range(1000):
            await queue.put(job)
        await queue.join()
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


# ── descriptors ──


async def descriptors():
    if "uvloop" in sys.modules:  # it wants one task at a time to use a socket, and otherwise waits for ever
        return
    loop = asyncio.get_running_loop()
    one, other = socket.socketpair()
    one.setblocking(False)
    other.setblocking(False)

    async def send_wait_and_add(job):
        nonlocal total
        await loop.sock_sendall(one, job.to_bytes(4, "little"))
        received = await loop.sock_recv(other, 4)
        await asyncio.sleep(0)
        total += int.from_bytes(received, "little")

    for _ in Iterations("stage6/run_1000_jobs", 1000):
        total = 0
        for task in [asyncio.create_task(send_wait_and_add(job)) for job in range(1000)]:
            await task
    one.close()
    other.close()


async def memory():
    count = 10_000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    sleepers = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(count)]
    await asyncio.sleep(0.01)
    report("memory/sleeping_task", bytes=(tracemalloc.get_traced_memory()[0] - before) / count)
    tracemalloc.stop()
    for task in sleepers:
        task.cancel()
    await asyncio.gather(*sleepers, return_exceptions=True)


def main():
    global MIN_TIME
    for argument in sys.argv[1:]:
        if argument == "--uvloop":
            import uvloop

            uvloop.install()
        elif argument.startswith("--min-time="):
            MIN_TIME = float(argument.removeprefix("--min-time="))
    for job in callbacks, futures, timers:
        loop = asyncio.new_event_loop()
        job(loop)
        loop.close()
    for job in tasks, several, sharing, descriptors, memory:
        asyncio.run(job())
    json.dump({"benchmarks": results}, sys.stdout, indent=1)


main()

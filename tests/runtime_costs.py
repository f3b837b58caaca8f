"""What `bench_runtime.py` runs: prints what the `mruntime` on the path costs, as JSON; `--scale`: how it bears many.

A cost is what the runtime adds to the bare thing, in microseconds of processor time; for a panic all of it, for a
task with a context what that adds. The bare thing of a member of a Group is one of `asyncio.TaskGroup`, before Python
3.11 a task that is waited for; where anyio is installed, what one of its task groups adds to that is a row too.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import json
import logging
import statistics
import sys
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import mruntime
from mruntime import KeepRunning, SafeGo, SafeGoWithContextAndComponent, metrics

try:
    import anyio
except ImportError:
    anyio = None

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Spawn = Callable[[], asyncio.Task[None]]

ROUNDS = 15


def job() -> None:
    pass


async def nothing() -> None:
    pass


async def fail() -> None:
    raise ValueError("the reason")


async def step(n: int) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


async def wait() -> None:
    await asyncio.Event().wait()


def bare_thread() -> None:
    thread = threading.Thread(target=job)
    thread.start()
    thread.join()


def calls(call: Callable[[], object], n: int) -> float:
    """Microseconds of one of `n` calls."""
    began = time.process_time()
    for _ in range(n):
        call()
    return (time.process_time() - began) / n * 1e6


async def tasks(spawn: Spawn, n: int = 500) -> float:
    """Microseconds of one of `n` tasks, made at once and then waited for."""
    gc.collect()
    began = time.process_time()
    await asyncio.wait([spawn() for _ in range(n)])
    seconds = time.process_time() - began
    await asyncio.sleep(0)
    return seconds / n * 1e6


async def members(block: Callable[[int], Awaitable[None]], n: int = 500) -> float:
    """Microseconds of one of `n` members of a group."""
    gc.collect()
    began = time.process_time()
    await block(n)
    return (time.process_time() - began) / n * 1e6


async def of_asyncio(n: int) -> None:
    if sys.version_info < (3, 11):
        await asyncio.wait([asyncio.create_task(nothing()) for _ in range(n)])
        return
    async with asyncio.TaskGroup() as group:
        for _ in range(n):
            group.create_task(nothing())


async def of_anyio(n: int) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(n):
            group.start_soon(nothing)


async def of_mruntime(n: int) -> None:
    async with mruntime.Group() as group:
        for _ in range(n):
            group.go("bench", KeepRunning, nothing())


async def groups() -> dict[str, float]:
    """What a member of a group costs beyond one of asyncio's, where there are such groups."""
    bare = await members(of_asyncio)
    found = {"member of a Group": await members(of_mruntime) - bare} if hasattr(mruntime, "Group") else {}
    return found if anyio is None else found | {"the same of anyio": await members(of_anyio) - bare}


async def steps(spawn: Callable[[Any], Awaitable[None]]) -> float:
    """Microseconds of one further await of a task."""
    began = time.process_time()
    await spawn(step(10))
    middle = time.process_time()
    await spawn(step(1010))
    return ((time.process_time() - middle) - (middle - began)) / 1000 * 1e6


async def memory(spawn: Spawn, n: int = 5000) -> int:
    """Bytes of one of `n` tasks that wait."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    made = [spawn() for _ in range(n)]
    await asyncio.sleep(0)
    size = (tracemalloc.get_traced_memory()[0] - before) // n
    tracemalloc.stop()
    for task in made:
        task.cancel()
    await asyncio.wait(made)
    return size


async def added() -> dict[str, float]:
    logger = logging.getLogger("mruntime")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    # What each costs that is logged; the commit to compare with may log all.
    if hasattr(mruntime, "set_storm_limit"):
        mruntime.set_storm_limit(None)
    ctx, _ = mruntime.with_cancel(mruntime.background())
    pool = concurrent.futures.ThreadPoolExecutor(1)

    def safe() -> asyncio.Task[None]:
        return SafeGo("bench", KeepRunning, nothing())

    def linked() -> asyncio.Task[None]:
        return SafeGoWithContextAndComponent(ctx, "bench", KeepRunning, nothing())

    async def once() -> dict[str, float]:
        bare, plain = await tasks(lambda: asyncio.create_task(nothing())), await tasks(safe)
        waited = await steps(asyncio.create_task)
        submitted = calls(lambda: pool.submit(job).result(), 200)
        return {
            "task": plain - bare,
            "context": await tasks(linked) - plain,
            "panic": await tasks(lambda: SafeGo("bench", KeepRunning, fail()), 50),
            "await": await steps(lambda coro: SafeGo("bench", KeepRunning, coro)) - waited,
            "thread": calls(lambda: SafeGo("bench", KeepRunning, job).join(), 100) - calls(bare_thread, 100),
            "pool job": calls(lambda: SafeGo("bench", KeepRunning, job, executor=pool).result(), 200) - submitted,
            **await groups(),
        }

    rounds = [await once() for _ in range(ROUNDS)]
    pool.shutdown()
    size = await memory(lambda: SafeGo("bench", KeepRunning, wait())) - await memory(
        lambda: asyncio.create_task(wait())
    )
    return {row: statistics.median(one[row] for one in rounds) for row in rounds[0]} | {"bytes of a live task": size}


async def alive(n: int) -> float:
    """Seconds for so many tasks at once."""
    gate = asyncio.Event()

    async def until() -> None:
        await gate.wait()

    began = time.perf_counter()
    made = [SafeGo("tasks", KeepRunning, until()) for _ in range(n)]
    await asyncio.sleep(0)
    assert metrics()["goroutine_active"]["tasks"] == n
    gate.set()
    await asyncio.gather(*made)
    return time.perf_counter() - began


async def million() -> list[int]:
    """The bytes in use after each hundred thousand tasks, one hundred at a time."""
    sizes: list[int] = []
    for _ in range(10):
        for _ in range(1000):
            await asyncio.wait([SafeGo("many", KeepRunning, nothing()) for _ in range(100)])
        gc.collect()
        sizes.append(tracemalloc.get_traced_memory()[0])
    return sizes


def many() -> None:
    print(f"Python {sys.version.split()[0]}")
    print(f"100,000 tasks at once: {asyncio.run(alive(100_000)):.2f} s")
    gate = threading.Event()
    began = time.perf_counter()
    threads = [SafeGo("threads", KeepRunning, gate.wait) for _ in range(1000)]
    assert metrics()["goroutine_active"]["threads"] == 1000
    gate.set()
    for thread in threads:
        thread.join()
    print(f"1,000 threads at once: {time.perf_counter() - began:.2f} s")
    tracemalloc.start()
    sizes = asyncio.run(million())
    print(f"1,000,000 tasks: KB in use after each 100,000: {[size // 1000 for size in sizes]}")
    assert metrics()["goroutine_active"]["many"] == 0


if __name__ == "__main__":
    if "--scale" in sys.argv:
        many()
    else:
        print(json.dumps(asyncio.run(added())))

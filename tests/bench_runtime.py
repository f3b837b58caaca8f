"""Print what the runtime costs beside the bare thing, in microseconds.

    python tests/bench_runtime.py [PYTHON ...]             under these interpreters, else under this one
    python tests/bench_runtime.py --scale [PYTHON ...]     many at once, and a million one after the other

The variants of a row take turns, and a figure is the median of the rounds.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import logging
import os
import statistics
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

RUNTIME = Path(__file__).parent.parent / "panicguard"
ROUNDS = 40
BUDGETS = {"task": 6.0, "task with a context": 7.5, "thread": 15.0, "pool job": 12.0, "await": 0.5, "panic": 400.0}
"""Microseconds that the runtime may add; for a panic, all of it."""


def main() -> int:
    scale = "--scale" in sys.argv
    pythons = [argument for argument in sys.argv[1:] if argument not in ("--scale", "--here")]
    if "--here" in sys.argv:
        many() if scale else asyncio.run(table())
        return 0
    for python in pythons or [sys.executable]:
        flags = ["--here", *(["--scale"] if scale else [])]
        env = {**os.environ, "PYTHONPATH": str(RUNTIME)}
        subprocess.run([python, "-X", "utf8", __file__, *flags], env=env, check=True)
    return 0


async def table() -> None:
    import mruntime
    from mruntime import KeepRunning, SafeGo

    logger = logging.getLogger("mruntime")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    keep: set[asyncio.Task[None]] = set()

    def job() -> None:
        pass

    async def nothing() -> None:
        pass

    async def fail() -> None:
        raise ValueError("the reason")

    async def step(n: int) -> None:
        for _ in range(n):
            await asyncio.sleep(0)

    def idiom() -> asyncio.Task[None]:
        task = asyncio.create_task(nothing())
        keep.add(task)
        task.add_done_callback(keep.discard)
        return task

    ctx, _ = mruntime.with_cancel(mruntime.background())
    pool = concurrent.futures.ThreadPoolExecutor(1)

    def bare_thread() -> None:
        thread = threading.Thread(target=job)
        thread.start()
        thread.join()

    async def steps(spawn: Callable[[Any], Awaitable[None]]) -> float:
        begin = time.perf_counter()
        await spawn(step(10))
        middle = time.perf_counter()
        await spawn(step(1010))
        return ((time.perf_counter() - middle) - (middle - begin)) / 1000 * 1e6

    with_ctx = mruntime.SafeGoWithContextAndComponent
    print(f"Python {sys.version.split()[0]}")
    print(f"{'':22}{'bare':>9}{'idiom':>9}{'runtime':>9}{'added':>9}{'budget':>9}")
    rounds = [
        (
            await tasks(lambda: asyncio.create_task(nothing())),
            await tasks(idiom),
            await tasks(lambda: SafeGo("bench", KeepRunning, nothing())),
            await tasks(lambda: with_ctx(ctx, "bench", KeepRunning, nothing())),
            await tasks(lambda: SafeGo("bench", KeepRunning, fail()), 50),
        )
        for _ in range(ROUNDS)
    ]
    bare, docs, safe, linked, panic = (statistics.median(column) for column in zip(*rounds, strict=True))
    row("task", bare, docs, safe)
    row("task with a context", bare, docs, linked)
    row("panic", None, None, panic)
    pairs = [
        (await steps(asyncio.create_task), await steps(lambda coro: SafeGo("bench", KeepRunning, coro)))
        for _ in range(ROUNDS)
    ]
    row("await", *two(pairs))
    pairs = [
        (calls(bare_thread, 100), calls(lambda: SafeGo("bench", KeepRunning, job).join(), 100)) for _ in range(ROUNDS)
    ]
    row("thread", *two(pairs))
    pairs = [
        (
            calls(lambda: pool.submit(job).result(), 200),
            calls(lambda: SafeGo("bench", KeepRunning, job, executor=pool).result(), 200),
        )
        for _ in range(ROUNDS)
    ]
    row("pool job", *two(pairs))
    pool.shutdown()

    async def wait() -> None:
        await asyncio.Event().wait()

    size, bytes_safe = (
        await memory(lambda: asyncio.create_task(wait())),
        await memory(lambda: SafeGo("bench", KeepRunning, wait())),
    )
    print(f"{'bytes of a live task':22}{size:9}{'':9}{bytes_safe:9}{bytes_safe - size:9}{600:9}")


def row(name: str, bare: float | None, docs: float | None, safe: float) -> None:
    """The cost is relative to the bare thing, for a task to what the documentation of asyncio recommends."""
    added = safe - (docs if docs is not None else bare or 0.0)
    cells = "".join(f"{'' if value is None else f'{value:.2f}':>9}" for value in (bare, docs, safe))
    print(f"{name:22}{cells}{added:9.2f}{BUDGETS[name]:9.1f}{'' if added <= BUDGETS[name] else '  over'}")


def two(pairs: list[tuple[float, float]]) -> tuple[float, None, float]:
    bare, safe = (statistics.median(column) for column in zip(*pairs, strict=True))
    return bare, None, safe


def calls(call: Callable[[], object], n: int) -> float:
    begin = time.perf_counter()
    for _ in range(n):
        call()
    return (time.perf_counter() - begin) / n * 1e6


async def tasks(spawn: Callable[[], asyncio.Task[None]], n: int = 500) -> float:
    gc.collect()
    begin = time.perf_counter()
    made = [spawn() for _ in range(n)]
    await asyncio.wait(made)
    seconds = time.perf_counter() - begin
    await asyncio.sleep(0)
    return seconds / n * 1e6


async def memory(spawn: Callable[[], asyncio.Task[None]], n: int = 5000) -> int:
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


def many() -> None:
    from mruntime import KeepRunning, SafeGo, metrics

    async def alive(n: int) -> float:
        gate = asyncio.Event()

        async def wait() -> None:
            await gate.wait()

        begin = time.perf_counter()
        made = [SafeGo("tasks", KeepRunning, wait()) for _ in range(n)]
        await asyncio.sleep(0)
        assert metrics()["goroutine_active"]["tasks"] == n
        gate.set()
        await asyncio.gather(*made)
        return time.perf_counter() - begin

    print(f"Python {sys.version.split()[0]}")
    print(f"100,000 tasks at once: {asyncio.run(alive(100_000)):.2f} s")
    gate = threading.Event()
    begin = time.perf_counter()
    threads = [SafeGo("threads", KeepRunning, gate.wait) for _ in range(1000)]
    assert metrics()["goroutine_active"]["threads"] == 1000
    gate.set()
    for thread in threads:
        thread.join()
    print(f"1,000 threads at once: {time.perf_counter() - begin:.2f} s")

    async def nothing() -> None:
        pass

    async def million() -> list[int]:
        sizes: list[int] = []
        for _ in range(10):
            for _ in range(1000):
                await asyncio.wait([SafeGo("many", KeepRunning, nothing()) for _ in range(100)])
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
        return sizes

    tracemalloc.start()
    sizes = asyncio.run(million())
    print(f"1,000,000 tasks: KB in use after each 100,000: {[size // 1000 for size in sizes]}")
    assert metrics()["goroutine_active"]["many"] == 0


if __name__ == "__main__":
    sys.exit(main())

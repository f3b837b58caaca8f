"""Print what `Group` does beside the task groups of asyncio (3.11+) and anyio, and the scheduler of aiojobs.

    python tests/beside_groups.py      where anyio and aiojobs are installed

A row is how a block ended and what became of its members. Exits with 1 if `Group` differs where asyncio and anyio
agree.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiojobs
import anyio

sys.path.insert(0, str(Path(__file__).parent.parent))

from panicguard.mruntime import Group, KeepRunning

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Spawn = Callable[[Any], Awaitable[object]]

LIMIT = 2


@contextlib.asynccontextmanager
async def of_mruntime() -> AsyncIterator[Spawn]:
    async with Group(limit=LIMIT) as group:
        yield lambda fn: group.go_async("beside", KeepRunning, fn)


@contextlib.asynccontextmanager
async def of_asyncio() -> AsyncIterator[Spawn]:
    async with asyncio.TaskGroup() as group:

        async def spawn(fn: Any) -> None:
            group.create_task(fn())

        yield spawn


@contextlib.asynccontextmanager
async def of_anyio() -> AsyncIterator[Spawn]:
    async with anyio.create_task_group() as group:

        async def spawn(fn: Any) -> None:
            group.start_soon(fn)

        yield spawn


@contextlib.asynccontextmanager
async def of_aiojobs() -> AsyncIterator[Spawn]:
    async with aiojobs.Scheduler(limit=LIMIT, exception_handler=lambda *_: None) as scheduler:
        yield lambda fn: scheduler.spawn(fn())
        await scheduler.wait_and_close()


class Members:
    """What members do, and what became of them."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.now = self.most = 0

    async def run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await work()
            self.ends.append(f"{name} returned")
        except asyncio.CancelledError:
            self.ends.append(f"{name} cancelled")
            raise
        finally:
            self.now -= 1

    def __getattr__(self, name: str) -> Any:
        return functools.partial(self.run, name, globals()[name])


async def long() -> None:
    await asyncio.sleep(0.05)


async def bad() -> None:
    await asyncio.sleep(0.01)
    raise ValueError("bad")


async def worse() -> None:
    try:
        await asyncio.sleep(1)
    finally:
        raise KeyError("worse")


async def all_well(spawn: Spawn, members: Members) -> None:
    for _ in range(4):
        await spawn(members.long)


async def one_fails(spawn: Spawn, members: Members) -> None:
    await spawn(members.long)
    await spawn(members.bad)


async def two_fail(spawn: Spawn, members: Members) -> None:
    await spawn(members.worse)
    await spawn(members.bad)


async def the_body_is_cut(spawn: Spawn, members: Members) -> None:
    await spawn(members.bad)
    await members.long()


async def the_body_fails(spawn: Spawn, members: Members) -> None:
    await spawn(members.long)
    await asyncio.sleep(0)
    raise KeyError("body")


async def it_is_cancelled(spawn: Spawn, members: Members) -> None:
    await spawn(members.long)
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_later(0.01, task.cancel)


async def once(group: Callable[[], Any], case: Callable[[Spawn, Members], Awaitable[None]]) -> str:
    members = Members()

    async def block() -> None:
        async with group() as spawn:
            await case(spawn, members)

    task = asyncio.ensure_future(block())
    await asyncio.wait([task])
    exc = None if task.cancelled() else task.exception()
    inner = getattr(exc, "exceptions", None)
    how = (
        "cancelled" if task.cancelled() else "well" if exc is None else sorted(map(repr, inner)) if inner else repr(exc)
    )
    return f"{how}; {', '.join(sorted(members.ends))}; at most {members.most} at once"


def main() -> int:
    logging.getLogger("mruntime").addHandler(logging.NullHandler())
    logging.getLogger("mruntime").propagate = False
    groups = {"Group": of_mruntime, "TaskGroup": of_asyncio, "anyio": of_anyio, "aiojobs": of_aiojobs}
    if sys.version_info < (3, 11):
        del groups["TaskGroup"]
    differs = 0
    for case in (all_well, one_fails, two_fail, the_body_is_cut, the_body_fails, it_is_cancelled):
        found = {name: asyncio.run(once(group, case)) for name, group in groups.items()}
        print(case.__name__.replace("_", " "))
        for name, text in found.items():
            print(f"  {name:<10} {text}")
        # A limit is Group's and aiojobs' alone.
        ours, *theirs = (found[name].partition("; at most")[0] for name in found if name != "aiojobs")
        differs += len(set(theirs)) == 1 and ours != theirs[0]
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())

"""Work that ends together: a group tells what its members returned, and what failed."""

from __future__ import annotations

import asyncio

from panicguard import mruntime
from panicguard.mruntime import KeepRunning


async def square(number: int) -> int:
    await asyncio.sleep(0.01 * (5 - number))
    return number * number


async def follow() -> None:
    try:
        await asyncio.sleep(60)
    finally:
        print("stopped:", mruntime.current_context().err())


async def parse(text: str) -> int:
    await asyncio.sleep(0.01)
    return int(text)


async def main() -> None:
    async with mruntime.Group(limit=2) as group:  # two at once; `go_async` waits for room
        for number in (1, 2, 3, 4):
            await group.go_async("square", KeepRunning, square(number))
    print(group.results)
    try:
        async with mruntime.Group() as group:
            group.go("follow", KeepRunning, follow())
            group.go("parse", KeepRunning, parse("five"))  # its error cancels the rest
    except mruntime.ExceptionGroup as errors:
        print(errors.exceptions)


if __name__ == "__main__":
    asyncio.run(main())

# Prints:
# [1, 4, 9, 16]
# panic recovered in parse/parse: invalid literal for int() with base 10: 'five'
# stopped: context canceled
# (ValueError("invalid literal for int() with base 10: 'five'"),)

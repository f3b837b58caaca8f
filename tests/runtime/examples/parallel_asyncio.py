"""Parallel processing: a WaitGroup tells when all are done, a channel what went wrong."""

from __future__ import annotations

import asyncio

from panicguard import mruntime

Errors = mruntime.Channel[str]


async def check(number: str, errors: Errors) -> None:
    try:
        int(number)
    except ValueError as error:
        await errors.send_async(str(error))


async def main() -> None:
    numbers = ["1", "two", "3", "four"]
    errors = Errors(capacity=len(numbers))  # room for all, so that nobody waits for main to receive
    group = mruntime.WaitGroup()
    for number in numbers:
        group.go("check", mruntime.KeepRunning, check(number, errors))
    await group.wait_async()
    errors.close()
    async for error in errors:
        print(error)


if __name__ == "__main__":
    asyncio.run(main())

# Prints:
# invalid literal for int() with base 10: 'two'
# invalid literal for int() with base 10: 'four'

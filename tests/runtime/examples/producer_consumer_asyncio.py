"""One producer and two consumers: closing the channel is what ends the consumers."""

from __future__ import annotations

import asyncio

from panicguard import mruntime

Numbers = mruntime.Channel[int]


async def produce(numbers: Numbers) -> None:
    try:
        for number in range(1, 6):
            await numbers.send_async(number)
    finally:
        numbers.close()  # after a panic as well, or the consumers would wait forever


async def consume(numbers: Numbers, squares: Numbers) -> None:
    async for number in numbers:
        await squares.send_async(number * number)


async def main() -> None:
    numbers, squares = Numbers(capacity=2), Numbers(capacity=5)
    group = mruntime.WaitGroup()
    group.go("produce", mruntime.KeepRunning, produce(numbers))
    for _ in range(2):
        group.go("consume", mruntime.KeepRunning, consume(numbers, squares))
    await group.wait_async()
    squares.close()
    print(sorted([square async for square in squares]))


if __name__ == "__main__":
    asyncio.run(main())

# Prints:
# [1, 4, 9, 16, 25]

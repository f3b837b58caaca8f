"""A ticker: it does something again and again, and stops in the middle of a pause."""

from __future__ import annotations

import asyncio
import itertools

from panicguard import mruntime


async def ticker(ticks: mruntime.Channel[int], seconds: float) -> None:
    for number in itertools.count(1):
        await asyncio.sleep(seconds)  # cancelled, as the whole task is, when ctx is done
        await ticks.send_async(number)


async def main() -> None:
    ticks = mruntime.Channel[int]()
    ctx, stop = mruntime.with_cancel(mruntime.background())
    task = mruntime.SafeGoWithContextAndComponent(ctx, "ticker", mruntime.KeepRunning, ticker(ticks, 0.01))
    for _ in range(3):
        print("tick", await ticks.receive_async())
    stop()
    await asyncio.wait([task])
    print("stopped")


if __name__ == "__main__":
    asyncio.run(main())

# Prints:
# tick 1
# tick 2
# tick 3
# stopped

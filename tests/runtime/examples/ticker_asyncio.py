"""A ticker: it does something again and again, and stops in the middle of a pause."""

from __future__ import annotations

import asyncio

from panicguard import mruntime


async def ticker(ctx: mruntime.Context, ticks: mruntime.Channel[int], seconds: float) -> None:
    number = 0
    while not await ctx.done().wait_async(seconds):
        number += 1
        await ticks.send_async(number, ctx=ctx)


async def main() -> None:
    ticks = mruntime.Channel[int]()
    ctx, stop = mruntime.with_cancel(mruntime.background())
    task = mruntime.SafeGoWithContextAndComponent(ctx, "ticker", mruntime.KeepRunning, ticker, args=(ticks, 0.01))
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

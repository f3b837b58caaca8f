"""A ticker: it does something again and again, and stops in the middle of a pause."""

from __future__ import annotations

import itertools

from panicguard import mruntime


def ticker(ctx: mruntime.Context, ticks: mruntime.Channel[int], seconds: float) -> None:
    numbers = itertools.count(1)
    while not ctx.done().wait(seconds):  # a sleep that ends when ctx does
        ticks.send(next(numbers), ctx=ctx)


def main() -> None:
    ticks = mruntime.Channel[int]()
    ctx, stop = mruntime.with_cancel(mruntime.background())
    worker = mruntime.SafeGoWithContextAndComponent(ctx, "ticker", mruntime.KeepRunning, ticker, args=(ticks, 0.01))
    for _ in range(3):
        print("tick", ticks.receive())
    stop()
    worker.join()
    print("stopped")


if __name__ == "__main__":
    main()

# Prints:
# tick 1
# tick 2
# tick 3
# stopped

"""Work with a time limit: a context with a timeout, which cancels the task."""

from __future__ import annotations

import asyncio

from panicguard import mruntime


async def search() -> None:
    shelf = 0
    while True:
        await asyncio.sleep(0.01)
        shelf += 1


async def main() -> None:
    with mruntime.with_timeout(mruntime.background(), 0.1) as ctx:
        # A coroutine that was called already cannot be handed ctx; its task is cancelled when ctx is done.
        task = mruntime.SafeGoWithContextAndComponent(ctx, "search", mruntime.KeepRunning, search())
        await asyncio.wait([task])
        print("the search has ended:", ctx.err())
    print("cancelled:", task.cancelled())
    print("panics:", mruntime.metrics()["goroutine_panics_total"])


if __name__ == "__main__":
    asyncio.run(main())

# Prints:
# the search has ended: context deadline exceeded
# cancelled: True
# panics: {}

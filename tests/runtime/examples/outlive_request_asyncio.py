"""A request starts work that outlives it: the work gets a fresh context, because the request's own ends with it."""

from __future__ import annotations

import asyncio

from panicguard import mruntime

Entries = mruntime.Channel[str]


async def audit(ctx: mruntime.Context, entries: Entries, what: str) -> None:
    await entries.send_async(f"request {ctx.value('request-id')}: {what}", ctx=ctx)


async def handle(ctx: mruntime.Context, entries: Entries) -> str:
    fresh = mruntime.without_cancel(ctx)  # keeps the values; background() would be an empty one
    mruntime.SafeGoWithContextAndComponent(fresh, "audit", mruntime.KeepRunning, audit, args=(entries, "an order"))
    return "201 Created"


async def main() -> None:
    entries = Entries()
    with mruntime.with_timeout(mruntime.background(), 30) as ctx:
        print(await handle(mruntime.with_value(ctx, "request-id", 7), entries))
    print("the request has ended:", ctx.err())
    print(await entries.receive_async())


if __name__ == "__main__":
    asyncio.run(main())

# Prints:
# 201 Created
# the request has ended: context canceled
# request 7: an order

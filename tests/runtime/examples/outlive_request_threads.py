"""A request starts work that outlives it: the work gets a fresh context, because the request's own ends with it."""

from __future__ import annotations

from panicguard import mruntime

Entries = mruntime.Channel[str]


def audit(ctx: mruntime.Context, entries: Entries, what: str) -> None:
    entries.send(f"request {ctx.value('request-id')}: {what}", ctx=ctx)


def handle(ctx: mruntime.Context, entries: Entries) -> str:
    fresh = mruntime.without_cancel(ctx)  # keeps the values; background() would be an empty one
    mruntime.SafeGoWithContextAndComponent(fresh, "audit", mruntime.KeepRunning, audit, args=(entries, "an order"))
    return "201 Created"


def main() -> None:
    entries = Entries()
    with mruntime.with_timeout(mruntime.background(), 30) as ctx:
        print(handle(mruntime.with_value(ctx, "request-id", 7), entries))
    print("the request has ended:", ctx.err())
    print(entries.receive())


if __name__ == "__main__":
    main()

# Prints:
# 201 Created
# the request has ended: context canceled
# request 7: an order

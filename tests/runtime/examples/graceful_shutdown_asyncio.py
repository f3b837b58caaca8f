"""A server with a worker: SIGTERM or Ctrl-C lets both finish what they are doing, then the process ends."""

from __future__ import annotations

import asyncio

from panicguard import mruntime


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"hello\n")
    await writer.drain()
    writer.close()


def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # A coroutine function in its place would be a task that the runtime does not know and does not wait for.
    mruntime.SafeGo("http", mruntime.KeepRunning, answer(reader, writer))


async def saver(ctx: mruntime.Context) -> None:
    await ctx.done()
    print("saved for the last time")


async def main() -> None:
    mruntime.install_signal_handlers()  # a signal cancels root()
    mruntime.SafeGoWithContextAndComponent(mruntime.root(), "saver", mruntime.KeepRunning, saver)
    async with await asyncio.start_server(connected, "127.0.0.1", 0):
        print("serving", flush=True)
        await mruntime.root().done()
    report = await mruntime.shutdown_async(timeout=10)
    print("all ended in time" if report.clean else report)


if __name__ == "__main__":
    asyncio.run(main())

# Prints:
# serving
# (SIGTERM)
# saved for the last time
# all ended in time

"""The work of an application of aiohttp.

python aiohttp_app.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from panicguard import mruntime
from panicguard.mruntime import servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def saver(ctx: mruntime.Context) -> None:
    print("working", flush=True)
    ctx.done().wait()
    print("saved", flush=True)


async def work(app: web.Application) -> AsyncIterator[None]:
    mruntime.SafeGoWithContextAndComponent(mruntime.root(), "saver", mruntime.KeepRunning, saver)
    yield


app = web.Application()
app.cleanup_ctx.append(work)
app.cleanup_ctx.append(servers.aiohttp)  # the last one, which is the first to end

if __name__ == "__main__":
    web.run_app(app, port=0)

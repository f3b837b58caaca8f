"""The work of a FastAPI application ends with the lifespan.

python -m uvicorn --port 0 fastapi_app:app
python -m hypercorn --bind 127.0.0.1:0 fastapi_app:app
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI

from panicguard import mruntime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def saver(ctx: mruntime.Context) -> None:
    print("working", flush=True)
    ctx.done().wait()
    print("saved", flush=True)


@asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[None]:
    # What the work needs is opened before this block, and closed after it.
    async with mruntime.lifespan(app):
        mruntime.SafeGoWithContextAndComponent(mruntime.root(), "saver", mruntime.KeepRunning, saver)
        yield


app = FastAPI(lifespan=life)

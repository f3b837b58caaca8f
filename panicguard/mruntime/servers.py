"""How the end of a server becomes the end of the work where no block holds it; the README says which is whose."""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import TYPE_CHECKING, Any

from ._lifespan import Lifespan, lifespan
from ._shutdown import GRACE_AFTER_CANCEL
from ._under import SERVERS, Server, server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping

    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    App = Callable[[Any, Any, Any], Awaitable[None]]

__all__ = ["SERVERS", "Server", "aiohttp", "asgi", "celery", "server", "worker_exit"]


def asgi(app: App, *, timeout: float | None = None) -> App:
    """An ASGI application that is `app`, and stops and joins all work before `app` hears that the server ends.

    It answers the lifespan for an `app` that knows none, as Django's. daphne has none either: there it is done before
    the reactor ends.
    """
    if server().name == "daphne":
        _before_the_reactor_ends(timeout)

    async def serve(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(app, scope, receive, send, lifespan(timeout=timeout))
        else:
            await app(scope, receive, send)

    return serve


async def _live(app: App, scope: MutableMapping[str, Any], receive: Receive, send: Send, life: Lifespan) -> None:
    received = False

    async def hear() -> MutableMapping[str, Any]:
        nonlocal received
        received = True
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await life.join_async()
        return message

    await life.__aenter__()
    try:
        await app(scope, hear, send)
    except Exception:
        if received:
            raise
    if not received:
        for what in ("startup", "shutdown"):
            await hear()
            await send({"type": f"lifespan.{what}.complete"})


def _before_the_reactor_ends(timeout: float | None) -> None:
    reactor: Any = sys.modules["twisted.internet.reactor"]
    deferred: Any = sys.modules["twisted.internet.defer"]

    def stop() -> Any:
        return deferred.Deferred.fromFuture(asyncio.ensure_future(lifespan(timeout=timeout).join_async()))

    reactor.addSystemEventTrigger("before", "shutdown", stop)


async def aiohttp(app: object) -> AsyncIterator[None]:
    """For `cleanup_ctx` of an application of aiohttp. Appended last, it ends before what the work needs."""
    async with lifespan(app):
        yield


def worker_exit(arbiter: object, worker: Any) -> None:
    """The hook of gunicorn: stop and join all work of a worker that serves no more, within its `graceful_timeout`."""
    # A part of it went by with the requests in flight.
    seconds = worker.cfg.graceful_timeout * 2 / 3 - GRACE_AFTER_CANCEL
    lifespan(timeout=max(seconds, 0)).join()


def celery(*, timeout: float | None = None) -> None:
    """Stop and join all work where a worker of Celery ends: in each process of a prefork pool, or else in its own."""
    signals: Any = importlib.import_module("celery.signals")

    def stop(**_: object) -> None:
        lifespan(timeout=timeout).join()

    for signal in (signals.worker_process_shutdown, signals.worker_shutdown):
        signal.connect(stop, weak=False)

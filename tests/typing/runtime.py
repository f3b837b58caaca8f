"""What the calls of the runtime return, for type checkers: this is checked and never run."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from typing_extensions import assert_type

from panicguard.mruntime import (
    Canceled,
    Channel,
    ComponentHealth,
    Context,
    CrashProcess,
    ExceptionGroup,
    Group,
    Health,
    KeepRunning,
    LastPanic,
    Lifespan,
    RecoverAndLog,
    RecoverWithPolicy,
    SafeGo,
    SafeGoWithContext,
    SafeGoWithContextAndComponent,
    SafeThread,
    ShutdownReport,
    WaitGroup,
    background,
    guarded,
    health,
    install_signal_handlers,
    lifespan,
    metrics,
    reopen,
    set_storm_limit,
    shutdown,
    shutdown_async,
    with_timeout,
)
from panicguard.mruntime.servers import asgi, server
from panicguard.mruntime.testing import Crash, Panics, capture_crash, capture_panics, no_panics

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


async def fetch(url: str) -> bytes:
    return url.encode()


def parse(text: str) -> int:
    return int(text)


async def spawns(
    pool: concurrent.futures.Executor, future: asyncio.Future[str], loop: asyncio.AbstractEventLoop
) -> None:
    assert_type(SafeGo("c", KeepRunning, fetch("x")), asyncio.Task[bytes])
    assert_type(SafeGo("c", KeepRunning, fetch, args=("x",)), asyncio.Task[bytes])
    assert_type(SafeGo("c", KeepRunning, parse, args=("1",)), SafeThread)
    assert_type(SafeGo("c", KeepRunning, parse, args=("1",), executor=pool), concurrent.futures.Future[int])
    assert_type(SafeGo("c", KeepRunning, future), asyncio.Future[str])
    assert_type(SafeGo("c", KeepRunning, asyncio.create_task(fetch("x"))), asyncio.Task[bytes])
    assert_type(SafeGo("c", KeepRunning, parse, args=("1",), loop=loop), Any)
    assert_type(await SafeGo("c", KeepRunning, fetch("x")), bytes)


async def group(
    pool: concurrent.futures.Executor, future: asyncio.Future[str], loop: asyncio.AbstractEventLoop
) -> None:
    group = WaitGroup()
    assert_type(group.go("c", KeepRunning, fetch("x")), asyncio.Task[bytes])
    assert_type(group.go("c", KeepRunning, fetch, args=("x",), name="n"), asyncio.Task[bytes])
    assert_type(group.go("c", KeepRunning, parse, args=("1",), daemon=True), SafeThread)
    assert_type(group.go("c", KeepRunning, parse, args=("1",), executor=pool), concurrent.futures.Future[int])
    assert_type(group.go("c", KeepRunning, future), asyncio.Future[str])
    assert_type(group.go("c", KeepRunning, fetch("x"), loop=loop), Any)
    assert_type(group.go("c", KeepRunning, parse, args=("1",), loop=loop), Any)
    # What a call does not take is an error: an ignore that is not needed would be one, too.
    group.go("c", KeepRunning, parse, executor=pool, daemon=True)  # type: ignore[call-overload]
    SafeGo("c", KeepRunning, fetch("x"), args=("x",))  # type: ignore[call-overload]


async def together(
    pool: concurrent.futures.Executor, future: asyncio.Future[str], loop: asyncio.AbstractEventLoop
) -> None:
    async with Group(limit=2, cancel_on_error=False, ctx=background()) as group:
        assert_type(group, Group)
        assert_type(group.ctx, Context)
        assert_type(group.go("c", KeepRunning, fetch("x")), asyncio.Task[bytes])
        assert_type(group.go("c", KeepRunning, fetch, args=("x",), name="n", timeout=1.0), asyncio.Task[bytes])
        assert_type(group.go("c", KeepRunning, parse, args=("1",), daemon=True), SafeThread)
        assert_type(group.go("c", KeepRunning, parse, args=("1",), executor=pool), concurrent.futures.Future[int])
        assert_type(group.go("c", KeepRunning, fetch("x"), loop=loop), Any)
        assert_type(await group.go_async("c", KeepRunning, fetch("x")), asyncio.Task[bytes])
        assert_type(await (await group.go_async("c", KeepRunning, fetch("x"))), bytes)
        assert_type(await group.go_async("c", KeepRunning, parse, args=("1",), timeout=1), SafeThread)
    assert_type(group.results, list[Any])
    with Group() as threads:
        assert_type(threads, Group)
    limited = WaitGroup(limit=3)
    assert_type(await limited.go_async("c", KeepRunning, fetch("x"), timeout=1), asyncio.Task[bytes])
    assert_type(await limited.go_async("c", KeepRunning, fetch, args=("x",)), asyncio.Task[bytes])
    assert_type(await limited.go_async("c", KeepRunning, parse, args=("1",)), SafeThread)
    assert_type(
        await limited.go_async("c", KeepRunning, parse, args=("1",), executor=pool), concurrent.futures.Future[int]
    )
    assert_type(await limited.go_async("c", KeepRunning, future), asyncio.Future[str])
    assert_type(await limited.go_async("c", KeepRunning, parse, args=("1",), loop=loop), Any)
    await limited.go_async("c", KeepRunning, parse, executor=pool, daemon=True)  # type: ignore[call-overload]


async def in_time(pool: concurrent.futures.Executor, future: asyncio.Future[str], ctx: Context) -> None:
    assert_type(SafeGo("c", KeepRunning, fetch("x"), timeout=1), asyncio.Task[bytes])
    assert_type(SafeGo("c", KeepRunning, fetch, args=("x",), timeout=0.5), asyncio.Task[bytes])
    assert_type(SafeGo("c", KeepRunning, parse, args=("1",), timeout=None), SafeThread)
    assert_type(SafeGo("c", KeepRunning, parse, args=("1",), executor=pool, timeout=1), concurrent.futures.Future[int])
    assert_type(SafeGoWithContextAndComponent(ctx, "c", KeepRunning, fetch("x"), timeout=1), asyncio.Task[bytes])
    assert_type(SafeGoWithContext(ctx, KeepRunning, fetch("x"), timeout=1), asyncio.Task[bytes])  # noqa: PNC201
    assert_type(WaitGroup().go("c", KeepRunning, fetch("x"), timeout=1), asyncio.Task[bytes])
    SafeGo("c", KeepRunning, fetch("x"), timeout="1")  # type: ignore[call-overload]


def group_error(error: Exception) -> None:
    if isinstance(error, ExceptionGroup):
        assert_type(error.message, str)
        for one in error.exceptions:
            assert isinstance(one, BaseException)


async def work(ctx: Context, text: str) -> int:
    return len(text)


def work_in_thread(ctx: Context, text: str) -> int:
    return len(text)


async def with_context(ctx: Context, pool: concurrent.futures.Executor) -> None:
    assert_type(SafeGoWithContextAndComponent(ctx, "c", KeepRunning, work, args=("x",)), asyncio.Task[int])
    assert_type(SafeGoWithContextAndComponent(ctx, "c", KeepRunning, fetch("x")), asyncio.Task[bytes])
    assert_type(SafeGoWithContextAndComponent(ctx, "c", KeepRunning, work_in_thread, args=("x",)), SafeThread)
    assert_type(
        SafeGoWithContextAndComponent(ctx, "c", KeepRunning, work_in_thread, args=("x",), executor=pool),
        concurrent.futures.Future[int],
    )
    assert_type(SafeGoWithContext(ctx, KeepRunning, work, args=("x",)), asyncio.Task[int])  # noqa: PNC201
    assert_type(SafeGoWithContext(ctx, KeepRunning, work_in_thread, args=("x",)), SafeThread)  # noqa: PNC201
    assert_type(SafeGoWithContext(ctx, KeepRunning, fetch("x")), asyncio.Task[bytes])  # noqa: PNC201
    assert_type(
        SafeGoWithContext(ctx, KeepRunning, work_in_thread, args=("x",), executor=pool),  # noqa: PNC201
        concurrent.futures.Future[int],
    )


def recovery() -> None:
    with RecoverAndLog("block"):
        parse("1")

    @RecoverAndLog("job")
    def job(text: str) -> int:
        return parse(text)

    @RecoverAndLog("job")
    async def job_async(url: str) -> bytes:
        return await fetch(url)

    @RecoverWithPolicy("job", CrashProcess)
    def fatal(text: str) -> int:
        return parse(text)

    @guarded(component="c")
    def kept(text: str) -> int:
        return parse(text)

    assert_type(job("1"), "int | None")
    assert_type(fatal("1"), "int | None")
    assert_type(job_async("x"), Coroutine[Any, Any, "bytes | None"]).close()
    assert_type(kept("1"), int)


def the_rest() -> None:
    ctx, cancel = with_timeout(background(), 1.0)
    assert_type(ctx, Context)
    cancel(ValueError("the cause"))
    assert_type(ctx.err(), "Canceled | None")
    assert_type(ctx.deadline(), "float | None")
    with with_timeout(ctx, 1.0) as inner:
        assert_type(inner, Context)
    thread: threading.Thread = SafeThread("c", KeepRunning, target=parse, args=("1",))
    thread.start()
    group = WaitGroup()
    assert_type(group.wait(1.0), bool)
    channel: Channel[int] = Channel(1)
    channel.send(1)
    assert_type(channel.receive(), int)
    for item in channel:
        assert_type(item, int)
    assert_type(metrics(), dict[str, dict[str, float]])
    assert_type(shutdown(), ShutdownReport)
    assert_type(reopen(), None)
    now = health()
    assert_type(now, Health)
    assert_type(now.ready, bool)
    assert_type(now.json(), str)
    assert_type(now.component("c"), ComponentHealth)
    for one in now.components:
        if one.last_panic is not None:
            assert_type(one.last_panic, LastPanic)
    set_storm_limit(100)
    set_storm_limit(None)
    set_storm_limit(1.5)  # type: ignore[arg-type]
    with no_panics():
        parse("1")
    assert_type(shutdown(5, cancel_futures=True, children=True).status, int)
    assert_type(install_signal_handlers(), "Callable[[], None]")
    with lifespan(timeout=5) as life:
        assert_type(life, Lifespan)
    assert_type(life.report, "ShutdownReport | None")
    with capture_panics() as panics:
        assert_type(panics, Panics)
    with capture_crash() as crash:
        assert_type(crash, Crash)
        assert_type(crash.code, "int | None")


async def the_rest_async(channel: Channel[int]) -> None:
    assert_type(await channel.receive_async(), int)
    async for item in channel:
        assert_type(item, int)
    assert_type(await WaitGroup().wait_async(), bool)
    assert_type(await shutdown_async(), ShutdownReport)
    async with lifespan() as state:
        assert_type(state, None)
    await background().done()


async def app(scope: dict[str, Any], receive: object, send: object) -> None: ...


async def serve(scope: dict[str, Any], receive: object, send: object) -> None:
    await asgi(app, timeout=5)(scope, receive, send)
    assert_type(server().seconds, float)


def raised(error: Canceled, call: Callable[[], None]) -> None:
    try:
        call()
    except TimeoutError:
        raise error from None

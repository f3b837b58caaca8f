"""Tasks that report how they die."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import sys
from asyncio import CancelledError
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from ._context import running_loop, wake_later, wake_started
from ._functions import close
from ._record import Record, retrieve
from ._state import STATE, count_started, wake_waiters

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Awaitable, Callable, Coroutine, Generator


class _FirstStep:
    """Awaited, it ends with the first step of the task, or with what is thrown into it instead."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        # An iterator does, and is less for the garbage collector to look at than a generator.
        return iter((None,))  # type: ignore[return-value]


_FIRST_STEP = _FirstStep()


async def _drive(record: Record, inner: Coroutine[Any, Any, Any]) -> Any:
    well = False
    try:
        if record.counts is None:
            # An eager one, which has begun before it is registered.
            with STATE.lock:
                if record.counts is None:
                    record.counts = count_started(record.component)
        elif record.primed:
            try:
                await _FIRST_STEP
            except BaseException:
                close(inner)
                raise
        if record.ctx is not None:
            STATE.current.set(record.ctx)
            if record.limit is not None:
                try:
                    record.limit.begin()
                except BaseException:
                    close(inner)
                    raise
        result = await inner
        well = True
        return result
    except CancelledError as exc:
        record.cut = True
        if record.limit is not None and record.limit.ended(record.task):
            raise record.timed_out() from exc
        raise
    except GeneratorExit:
        raise
    except BaseException as exc:
        record.failed(exc)
        if not isinstance(exc, Exception) and not record.passed:
            # It leaves an eager task through `create_task`, which then gives no task to mark.
            with contextlib.suppress(RuntimeError):
                cast("asyncio.Task[Any]", asyncio.current_task()).add_done_callback(retrieve)
        raise
    finally:
        if record.primed:
            record.left(well)


async def await_it(awaitable: Awaitable[Any]) -> Any:
    """A coroutine for what can only be awaited."""
    return await awaitable


def create(
    record: Record,
    inner: Coroutine[Any, Any, Any],
    loop: asyncio.AbstractEventLoop,
    name: str | None,
    context: contextvars.Context | None,
    *,
    runs: bool = True,
) -> asyncio.Task[Any]:
    """A task of `loop`, to be called on its thread. If there can be none the coroutine is closed.

    `runs`: the loop runs on this thread, so that the task cannot begin meanwhile.
    """
    wrapper = _drive(record, inner)
    try:  # noqa: SIM105  (a context manager is a third of the cost of the whole call)
        wrapper.__qualname__ = inner.__qualname__  # type: ignore[attr-defined]
    except Exception:
        pass
    record.began = perf_counter()
    try:
        if context is None:
            task = loop.create_task(wrapper) if name is None else loop.create_task(wrapper, name=name)
        elif sys.version_info >= (3, 11):
            task = loop.create_task(wrapper, name=name, context=context)
        else:
            task = context.run(lambda: loop.create_task(wrapper, name=name))
    except BaseException:
        close(wrapper)
        close(inner)
        if record.counts is not None:
            # An eager one that has begun, and ended the loop.
            record.leave(None)
        raise
    if task.done():
        # An eager one that never had to wait; in 3.12.1, to ask it for its coroutine ends the process.
        record.done(task)
    elif runs and record.counts is None and record.finish is None and _is_plain(task, wrapper):
        record.keep(task, True)
        # Begun, the coroutine sees even a cancellation that comes before the first step, and so can count the end
        # itself: a done callback would cost a turn of the loop.
        record.primed = True
        wrapper.send(None)
    else:
        record.inner = inner
        record.keep(task, True)
        task.add_done_callback(record.done)
    return task


def _is_plain(task: object, coro: object) -> bool:
    """It runs this very coroutine: one that a factory has wrapped could not be awaited any more once it has begun."""
    return type(task) is asyncio.Task and task.get_coro() is coro


class _Begin:
    """What a loop is to call once. Closed before, it drops it, and nobody would ever hear of that."""

    __slots__ = ("begin", "dropped")

    def __init__(self, begin: Callable[[], None], dropped: Callable[[], None]) -> None:
        self.begin: Callable[[], None] | None = begin
        self.dropped = dropped

    def __call__(self) -> None:
        begin, self.begin = self.begin, None
        if begin is not None:
            begin()

    def __del__(self) -> None:
        if self.begin is not None:
            with contextlib.suppress(Exception):
                self.dropped()


def submit(
    record: Record,
    inner: Coroutine[Any, Any, Any],
    loop: asyncio.AbstractEventLoop,
    name: str | None,
    context: contextvars.Context | None,
) -> concurrent.futures.Future[Any]:
    """As `create`, for a loop that runs in another thread."""
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def leave() -> None:
        with STATE.lock:
            STATE.jobs.pop(record, None)
            if STATE.waiters:
                wake_waiters()

    def begin() -> None:
        if future.cancelled():
            leave()
            close(inner)
            if record.finish is not None:
                record.finish(future)
            return
        try:
            task = create(record, inner, loop, name, context)
        except BaseException as exc:
            if future.set_running_or_notify_cancel():
                future.set_exception(exc)
            if record.finish is not None:
                record.finish(future)
            raise
        finally:
            leave()
        task.add_done_callback(arrived)
        future.add_done_callback(lambda f: wake_later(loop, task.cancel) if f.cancelled() else None)

    def arrived(task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            future.cancel()
        if not future.set_running_or_notify_cancel():
            return
        exc = task.exception()
        if exc is None:
            future.set_result(task.result())
        else:
            future.set_exception(exc)

    def dropped() -> None:
        leave()
        close(inner)
        if future.set_running_or_notify_cancel():
            future.set_exception(RuntimeError(f"{record.name}: the event loop was closed before it began"))
        if record.finish is not None:
            record.finish(future)

    with STATE.lock:
        STATE.jobs[record] = None
    try:
        loop.call_soon_threadsafe(_Begin(begin, dropped))
    except BaseException:
        leave()
        close(inner)
        raise
    return future


def observe(record: Record, future: asyncio.Future[Any]) -> None:
    """Report the exception of a future that exists already, once."""
    with STATE.lock:
        if future in STATE.tasks:
            known = STATE.tasks[future]
            finish, record.finish = record.finish, None
            if finish is not None:
                before = known.finish

                def both(ended: Any) -> None:
                    finish(ended)
                    if before is not None:
                        before(ended)

                known.finish = both
            return
    loop = future.get_loop()
    record.began = perf_counter()

    def begin() -> None:
        if future.done():
            record.observed(future)
        else:
            record.keep(future, False)
            future.add_done_callback(record.observed)

    if running_loop() is loop:
        begin()
    elif loop.is_running():
        with STATE.lock:
            STATE.tasks[future] = record
        loop.call_soon_threadsafe(begin)
    else:
        begin()
        wake_started(loop)

"""Tasks that report how they die."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import sys
from asyncio import CancelledError
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from ._classify import CLEAN, EXIT, PANIC, classify, code_of
from ._context import arm, running_loop, wake_later, wake_started
from ._crash import crash
from ._derived import current_context, own
from ._log import note
from ._panic import describe, report, value_of
from ._policy import crashes
from ._state import STATE, count_ended, count_started, take_back, wake_waiters

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Awaitable, Callable, Coroutine

    from ._context import Context
    from ._state import Counts


class Record:
    """What the runtime knows of one task or future; it lives as long as that is pending."""

    __slots__ = ("began", "component", "counts", "ctx", "finish", "inner", "link", "name", "policy", "timer", "watch")

    def __init__(
        self,
        component: str,
        policy: object,
        name: str,
        ctx: Context | None,
        link: bool,
        finish: Callable[[], None] | None,
    ) -> None:
        self.component = component
        self.policy = policy
        self.name = name
        self.ctx = ctx
        self.link = link
        self.finish = finish
        self.inner: Coroutine[Any, Any, Any] | None = None
        self.counts: Counts | None = None
        self.began = 0.0
        self.watch: Any = None
        self.timer: asyncio.TimerHandle | None = None

    def failed(self, exc: BaseException) -> None:
        """Report `exc` if it is a panic."""
        ctx = current_context() if self.ctx is None else own(self.ctx)
        kind = classify(exc, ctx, task=True)
        if kind == PANIC:
            if crashes(self.policy):
                crash(exc, component=self.component, name=self.name, ctx=ctx)
            else:
                report(exc, component=self.component, name=self.name, policy=self.policy, ctx=ctx)
        elif kind == EXIT:
            code = code_of(exc)
            if crashes(self.policy) and code is not None:
                crash(exc, component=self.component, name=self.name, ctx=ctx, code=code)
            note(logging.WARNING, f"{self.component}/{self.name} stops the event loop: {describe(exc)} {value_of(exc)}")
        elif kind == CLEAN:
            note(logging.DEBUG, f"{self.component}/{self.name} ended: {describe(exc)}")

    def done(self, task: asyncio.Future[Any]) -> None:
        """The done callback."""
        with STATE.lock:
            STATE.tasks.pop(task, None)
            if self.counts is not None:
                count_ended(self.counts, perf_counter() - self.began)
            if STATE.waiters:
                wake_waiters()
        if self.watch is not None:
            self.watch.stop()
            self.watch = None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        inner, self.inner = self.inner, None
        if inner is not None and task.cancelled():
            # Cancelled before its first step the wrapper never came to await it.
            with contextlib.suppress(BaseException):
                inner.close()
        # It was reported where it was raised.
        _retrieve(task)
        finish, self.finish = self.finish, None
        if finish is not None:
            finish()

    def observed(self, future: asyncio.Future[Any]) -> None:
        """The done callback for a future that somebody else made."""
        try:
            exc = None if future.cancelled() else future.exception()
            if exc is not None:
                self.failed(exc)
        finally:
            self.done(future)

    def keep(self, future: asyncio.Future[Any], loop: asyncio.AbstractEventLoop) -> None:
        """Register it; if it is linked to a context that can be done, have that cancel it."""
        with STATE.lock:
            STATE.tasks[future] = self
        if self.link and self.ctx is not None and own(self.ctx)._node is not None:
            self._link(own(self.ctx), future, loop)

    def _link(self, ctx: Context, future: asyncio.Future[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.watch = ctx._watch(lambda: wake_later(loop, future.cancel))
        self.watch.start()
        if ctx.err() is not None:
            future.cancel()
        else:
            self.timer = arm(ctx, loop, future.cancel)


async def _drive(record: Record, inner: Coroutine[Any, Any, Any]) -> Any:
    if record.ctx is not None:
        STATE.current.set(record.ctx)
    try:
        return await inner
    except (CancelledError, GeneratorExit):
        raise
    except BaseException as exc:
        record.failed(exc)
        if not isinstance(exc, Exception):
            # It leaves an eager task through `create_task`, which then gives no task to mark.
            with contextlib.suppress(RuntimeError):
                cast("asyncio.Task[Any]", asyncio.current_task()).add_done_callback(_retrieve)
        raise


def _retrieve(task: asyncio.Future[Any]) -> None:
    """Mark the exception retrieved."""
    if not task.cancelled():
        task.exception()


async def await_it(awaitable: Awaitable[Any]) -> Any:
    """A coroutine for what can only be awaited."""
    return await awaitable


def close(coro: Any) -> None:
    """Close a coroutine that will not run, so that Python does not warn of it."""
    with contextlib.suppress(BaseException):
        coro.close()


def create(
    record: Record,
    inner: Coroutine[Any, Any, Any],
    loop: asyncio.AbstractEventLoop,
    name: str | None,
    context: contextvars.Context | None,
) -> asyncio.Task[Any]:
    """A task of `loop`, to be called on its thread. If there can be none the coroutine is closed."""
    record.inner = inner
    wrapper = _drive(record, inner)
    try:  # noqa: SIM105  (a context manager is a third of the cost of the whole call)
        wrapper.__qualname__ = inner.__qualname__  # type: ignore[attr-defined]
    except Exception:
        pass
    record.counts = count_started(record.component)
    record.began = perf_counter()
    try:
        if context is None:
            task = loop.create_task(wrapper) if name is None else loop.create_task(wrapper, name=name)
        elif sys.version_info >= (3, 11):
            task = loop.create_task(wrapper, name=name, context=context)
        else:
            task = context.run(lambda: loop.create_task(wrapper, name=name))
    except BaseException:
        take_back(record.counts)
        record.inner = None
        close(wrapper)
        close(inner)
        raise
    if task.done():
        # An eager task that never had to wait.
        record.done(task)
    else:
        task.add_done_callback(record.done)
        record.keep(task, loop)
    return task


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
                record.finish()
            return
        try:
            task = create(record, inner, loop, name, context)
        except BaseException as exc:
            if record.finish is not None:
                record.finish()
            if future.set_running_or_notify_cancel():
                future.set_exception(exc)
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

    with STATE.lock:
        STATE.jobs[record] = None
    try:
        loop.call_soon_threadsafe(begin)
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

                def both() -> None:
                    finish()
                    if before is not None:
                        before()

                known.finish = both
            return
    loop = future.get_loop()

    def begin() -> None:
        if future.done():
            record.observed(future)
        else:
            record.keep(future, loop)
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

"""Waiting for a group of goroutines: Go's `sync.WaitGroup`."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from ._channel import Channel
from ._context import _wake, in_event_loop, refuse_copies, wake_later
from ._functions import close_coroutine
from ._safego import SafeGo
from ._spawn import Options, spawn
from ._state import STATE
from ._typed import GO_ASYNC, typed_as

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Executor

    from ._context import Context


def _places(limit: int) -> Channel[None]:
    """An item for each place: cancelled while it waits for one, nobody takes it along."""
    if limit < 1:
        raise ValueError("a limit is at least 1")
    places: Channel[None] = Channel(limit)
    for _ in range(limit):
        places.send(None)
    return places


class WaitGroup:
    """A counter to wait for, from threads and event loops at once; at zero it may be used again.

    `limit`: how many of those that `go` starts may run at once. ValueError if it is less than one.
    """

    __slots__ = ("__weakref__", "_count", "_epoch", "_places", "_wakers")

    def __init__(self, *, limit: int | None = None) -> None:
        self._count = 0
        self._epoch = STATE.epoch
        self._places = None if limit is None else _places(limit)
        self._wakers: dict[object, Callable[[], object]] = {}

    def __reduce__(self) -> NoReturn:
        refuse_copies(self)

    def _renew(self) -> bool:
        # What a parent process had counted will not finish in its child.
        if self._epoch == STATE.epoch:
            return False
        self._epoch = STATE.epoch
        self._count = 0
        self._wakers = {}
        if self._places is not None:
            self._places = _places(self._places.capacity)
        return True

    def add(self, n: int = 1) -> None:
        """Add `n`, which may be negative. ValueError if that makes the counter negative."""
        wakers: list[Callable[[], object]] = []
        with STATE.lock:
            if self._renew() and n < 0:
                return
            if self._count + n < 0:
                raise ValueError("negative WaitGroup counter")
            self._count += n
            if self._count == 0:
                wakers = list(self._wakers.values())
                self._wakers.clear()
        for wake in wakers:
            wake()

    def done(self) -> None:
        """Subtract one. ValueError if there is none left."""
        self.add(-1)

    def wait(self, timeout: float | None = None) -> bool:
        """Block this thread until the counter is zero, or `timeout` seconds are over; True if it is zero.

        RuntimeError on the thread of a running event loop, which it would stop: use `wait_async` there.
        """
        woken = threading.Event()
        with STATE.lock:
            self._renew()
            if self._count == 0:
                return True
            if timeout is not None and timeout <= 0:
                return False
            if in_event_loop():
                raise RuntimeError("WaitGroup.wait() would block the running event loop; use `await wait_async()`")
            self._wakers[woken] = woken.set
        try:
            return woken.wait(timeout)
        finally:
            with STATE.lock:
                self._wakers.pop(woken, None)

    async def wait_async(self, timeout: float | None = None) -> bool:
        """As `wait`, for a coroutine."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        with STATE.lock:
            self._renew()
            if self._count == 0:
                return True
            if timeout is not None and timeout <= 0:
                return False
            self._wakers[woken] = lambda: wake_later(loop, _wake, woken)
        try:
            if timeout is None:
                await woken
            else:
                await asyncio.wait((woken,), timeout=timeout)
            return woken.done()
        finally:
            woken.cancel()
            with STATE.lock:
                self._wakers.pop(woken, None)

    def take(self, fn: object, component: str, ctx: Context | None = None) -> None:
        """Wait for a place for `fn`; a `Member` gives it back.

        Raises what `ctx.err()` is once that is done; RuntimeError if it would block the running event loop.
        """
        if self._places is None:
            return
        places = self._renewed()
        try:
            places.receive(ctx=ctx)
        except BaseException as exc:
            close_coroutine(fn)
            if type(exc) is not RuntimeError:
                raise
        else:
            return
        way = "waiting here would block the running event loop; use `await go_async()`"
        raise RuntimeError(f"go({component!r}): {places.capacity} run already, and {way}")

    async def take_async(self, fn: object, ctx: Context | None = None) -> None:
        """As `take`, for a coroutine."""
        if self._places is not None:
            try:
                await self._renewed().receive_async(ctx=ctx)
            except BaseException:
                close_coroutine(fn)
                raise

    def _renewed(self) -> Channel[None]:
        with STATE.lock:
            self._renew()
            assert self._places is not None
            return self._places

    @typed_as(SafeGo)
    def go(
        self,
        component: str,
        policy: object,
        fn: Any,
        /,
        *,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        daemon: bool | None = None,
        executor: Executor | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        context: contextvars.Context | None = None,
        timeout: float | None = None,
    ) -> Any:
        """`SafeGo`, counted here until it has ended in whatever way; returns what that returns.

        Where `limit` of them run it waits for one to end, on the thread of an event loop with a RuntimeError instead:
        `await go_async(...)` waits there. If it cannot be started the counter is as before.
        """
        options = Options(args, kwargs, name, daemon, executor, loop, context, timeout)
        self.take(fn, component)
        return Member(self).start(None, component, policy, fn, options)

    @typed_as(GO_ASYNC)
    async def go_async(
        self,
        component: str,
        policy: object,
        fn: Any,
        /,
        *,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        daemon: bool | None = None,
        executor: Executor | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        context: contextvars.Context | None = None,
        timeout: float | None = None,
    ) -> Any:
        """As `go`, for a coroutine: it waits until there is room. Cancelled meanwhile, it starts nothing."""
        options = Options(args, kwargs, name, daemon, executor, loop, context, timeout)
        await self.take_async(fn)
        return Member(self).start(None, component, policy, fn, options)


class Member:
    """One that a WaitGroup counts, and that has a place if those are limited."""

    __slots__ = ("_epoch", "_group", "_heard")

    def __init__(self, group: WaitGroup, heard: Callable[[Any], None] | None = None) -> None:
        """`heard` is called with the task, future or thread that has ended."""
        group.add()
        self._group: WaitGroup | None = group
        self._epoch = STATE.epoch
        self._heard = heard

    def start(self, ctx: Context | None, component: str, policy: object, fn: Any, options: Options) -> Any:
        """`spawn` it; `ctx` cancels its task. If it cannot be started it is not counted any more."""
        options.finish = self._finish
        try:
            return spawn(ctx, False, component, policy, fn, options)
        except BaseException:
            if options.finish is not None:
                self.leave()
            raise

    def _finish(self, ended: Any) -> None:
        # Forked off in the middle of it, the child has begun to count anew.
        if self._heard is not None and self._epoch == STATE.epoch:
            self._heard(ended)
        self.leave()

    def leave(self) -> None:
        """It is not counted any more, and its place is free."""
        group, self._group = self._group, None
        if group is not None and self._epoch == STATE.epoch:
            if group._places is not None:
                group._places.send(None)
            group.done()

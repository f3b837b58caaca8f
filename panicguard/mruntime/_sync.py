"""Waiting for a group of goroutines: Go's `sync.WaitGroup`."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar, cast

from ._context import _wake, in_event_loop, refuse_copies, wake_later
from ._safego import SafeGo
from ._spawn import Options, spawn
from ._state import STATE

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Executor

Call = TypeVar("Call")
CallOut = TypeVar("CallOut", covariant=True)


class _Method(Protocol[CallOut]):
    def __get__(self, instance: object, owner: type | None = None, /) -> CallOut: ...


def _typed_as(call: Call) -> Callable[[object], _Method[Call]]:
    """For type checkers the method then takes and returns, after `self`, what `call` does."""
    return lambda method: cast("_Method[Call]", method)


class WaitGroup:
    """A counter to wait for, from threads and event loops at once; at zero it may be used again."""

    __slots__ = ("__weakref__", "_count", "_epoch", "_wakers")

    def __init__(self) -> None:
        self._count = 0
        self._epoch = STATE.epoch
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
            await asyncio.wait((woken,), timeout=timeout)
            return woken.done()
        finally:
            woken.cancel()
            with STATE.lock:
                self._wakers.pop(woken, None)

    @_typed_as(SafeGo)
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
    ) -> Any:
        """`SafeGo`, counted here until it has ended in whatever way; returns what that returns.

        If it cannot be started the counter is as before.
        """
        self.add()
        epoch = STATE.epoch

        def finish() -> None:
            # Forked off in the middle of it, the child has begun to count anew.
            if epoch == STATE.epoch:
                self.done()

        try:
            options = Options(args, kwargs, name, daemon, executor, loop, context, finish)
            return spawn(None, False, component, policy, fn, options)
        except BaseException:
            finish()
            raise

"""`Supervise`: work that is started anew when it panics, less and less often, and not for ever."""

from __future__ import annotations

import asyncio
import collections
import logging
import random
import time
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._classify import PANIC, classify
from ._derived import background, current_context, root
from ._functions import checked, name_of, refuse_unrunnable
from ._log import note
from ._panic import report
from ._policy import KeepRunning, crashes
from ._spawn import Options, spawn
from ._state import STATE, count_restart

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from ._context import Context
    from ._thread import SafeThread

T = TypeVar("T")


class _Restarts:
    """Those of one supervised work."""

    def __init__(
        self, component: str, name: str, backoff: tuple[float, float], most: int | None, within: float
    ) -> None:
        self.component = component
        self.name = name
        self.first, self.longest = backoff
        self.most = most
        self.within = within
        self.count = 0
        self._began = perf_counter()
        self._recent: collections.deque[float] = collections.deque(maxlen=64 if most is None else max(most, 1))

    def after(self, exc: Exception, policy: object, ctx: Context) -> float | None:
        """The seconds until work that has ended with `exc` is to be started again; None if it is not to be."""
        if classify(exc, ctx, task=True) != PANIC or STATE.closed or ctx.done().is_set():
            return None
        now = time.monotonic()
        while self._recent and now - self._recent[0] > self.within:
            self._recent.popleft()
        if self.most is not None and len(self._recent) >= self.most:
            often = f"{self.most} restarts within {self.within:g} s"
            note(logging.ERROR, f"{self.component}/{self.name} is not started again: {often}")
            if not crashes(policy):
                self._report(exc, policy, ctx)
            return None
        self._report(exc, KeepRunning, ctx)
        seconds = min(self.longest, self.first * 2.0 ** len(self._recent)) * random.uniform(0.5, 1)
        self._recent.append(now)
        self.count += 1
        count_restart(self.component)
        note(logging.INFO, f"{self.component}/{self.name} is started again in {seconds:.3g} s")
        return seconds

    def _report(self, exc: Exception, policy: object, ctx: Context) -> None:
        report(
            exc,
            component=self.component,
            name=self.name,
            policy=policy,
            ctx=ctx,
            restarts=self.count,
            since=self._began,
        )


@overload
def Supervise(  # type: ignore[overload-overlap]
    component: str,
    fn: Callable[..., Coroutine[Any, Any, T]],
    /,
    *,
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    policy: object = KeepRunning,
    backoff: tuple[float, float] = (0.1, 30.0),
    max_restarts: int | None = 10,
    within: float = 300.0,
    name: str | None = None,
    ctx: Context | None = None,
) -> asyncio.Task[T]: ...
@overload
def Supervise(
    component: str,
    fn: Callable[..., object],
    /,
    *,
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    policy: object = KeepRunning,
    backoff: tuple[float, float] = (0.1, 30.0),
    max_restarts: int | None = 10,
    within: float = 300.0,
    name: str | None = None,
    daemon: bool | None = None,
    ctx: Context | None = None,
) -> SafeThread: ...
def Supervise(  # noqa: N802
    component: str,
    fn: Callable[..., Any],
    /,
    *,
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    policy: object = KeepRunning,
    backoff: tuple[float, float] = (0.1, 30.0),
    max_restarts: int | None = 10,
    within: float = 300.0,
    name: str | None = None,
    daemon: bool | None = None,
    ctx: Context | None = None,
) -> Any:
    """Run `fn(*args, **kwargs)` in the background, and again when it panics; it ends when it returns.

    An async callable becomes an `asyncio.Task`, a sync one a started SafeThread; both go on over restarts. Each panic
    is reported as by `SafeGo`. After `max_restarts` within `within` seconds (None: as often as it takes) the next one
    is the last, and `policy` says whether it ends the process. `backoff`: seconds before the first restart, twice as
    long before each further one, and at most; of that a random part of at least half.

    It is not started again once `ctx` is done: by default the current context, or else `root()`, so that `shutdown`
    ends it. TypeError for a coroutine, which can run only once, and for what `SafeGo` refuses.
    """
    where = f"Supervise({component!r})"
    if asyncio.iscoroutine(fn):
        fn.close()
        raise TypeError(f"{where}: a coroutine can run only once; pass the async function and its args")
    kind = refuse_unrunnable(fn, where)
    if ctx is None:
        ctx = current_context()
        if ctx is background():
            ctx = root()
    name = name_of(fn) if name is None else name
    restarts = _Restarts(component, name, backoff, max_restarts, within)
    given, named = tuple(args), dict(kwargs or {})
    run: Any
    if kind == "async":
        if daemon is not None:
            raise TypeError(f"{where}: daemon is for a sync callable, not for an async one")
        run = _keep_async(restarts, fn, given, named, policy, ctx)
        return spawn(ctx, False, component, policy, run, Options((), None, name, None, None, None, None))
    options = Options((restarts, fn, given, named, policy, ctx), None, name, daemon, None, None, None)
    return spawn(ctx, False, component, policy, _keep, options)


async def _keep_async(
    restarts: _Restarts, fn: Callable[..., Any], args: Any, kwargs: Any, policy: object, ctx: Context
) -> Any:
    while True:
        try:
            return await fn(*args, **kwargs)
        except Exception as exc:
            seconds = restarts.after(exc, policy, ctx)
            if seconds is None:
                raise
        # Its context cancels this task.
        await asyncio.sleep(seconds)


def _keep(restarts: _Restarts, fn: Callable[..., Any], args: Any, kwargs: Any, policy: object, ctx: Context) -> Any:
    while True:
        try:
            return checked(fn(*args, **kwargs), restarts.name)
        except Exception as exc:
            seconds = restarts.after(exc, policy, ctx)
            if seconds is None:
                raise
        if ctx.done().wait(seconds):
            return None

"""Reporting at a place of your own: around a block, or on a function."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from ._classify import CLEAN, EXIT, PANIC, classify, code_of
from ._context import in_event_loop
from ._crash import crash
from ._derived import current_context
from ._functions import name_of, refuse_unrunnable, watched_result
from ._log import note
from ._panic import describe, report
from ._policy import CrashProcess, KeepRunning, crashes, refuse_text
from ._thread import GuardedThread

if TYPE_CHECKING:
    from types import TracebackType

    from ._context import Context

T = TypeVar("T")
P = ParamSpec("P")
Passes = tuple[type[BaseException], ...]
AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


def _in_plain_thread() -> bool:
    """True where an exception would end a thread, and not the program or a task."""
    return threading.current_thread() is not threading.main_thread() and not in_event_loop()


class RecoverWithPolicy:
    """Go's `defer RecoverWithPolicy(...)`: `with`, `async with`, or a decorator on `def` and `async def`.

    KeepRunning: what the body raises is reported and goes no further; a decorated function returns None.
    CrashProcess: it is reported and the process ends; nothing around can stop that.
    Cancellation passes, and so does every other BaseException that is no Exception: frameworks steer by them.
    In a thread KeyboardInterrupt and SystemExit are panics.
    `Canceled` is no panic once `ctx` (default: the current context) is done.
    What is in `passes` passes too: the exceptions that a framework steers by, beyond those known of it.
    One object may be used again, and by many at once.
    """

    def __init__(
        self,
        name: str,
        policy: object,
        *,
        component: str | None = None,
        ctx: Context | None = None,
        logger: Any = None,
        passes: Passes = (),
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(f'{type(self).__name__} needs a name: {type(self).__name__}("worker", ...)')
        self._name = name
        refuse_text(policy, type(self).__name__)
        self._policy = policy
        self._component = "" if component is None else component
        self._ctx = ctx
        self._logger = logger
        self._passes = passes

    def _recover(self, exc: BaseException) -> bool:
        """Report it; True if it goes no further."""
        if isinstance(exc, self._passes):
            return False
        task = not _in_plain_thread()
        ctx = current_context() if self._ctx is None else self._ctx
        kind = classify(exc, ctx, task=task)
        if kind == PANIC:
            if crashes(self._policy):
                code = code_of(exc) if isinstance(exc, SystemExit) else 0
                crash(exc, component=self._component, name=self._name, ctx=ctx, code=code or 0, logger=self._logger)
                return False
            report(exc, component=self._component, name=self._name, policy=self._policy, ctx=ctx, logger=self._logger)
            return True
        if kind == EXIT and crashes(self._policy) and in_event_loop():
            code = code_of(exc)
            if code is not None:
                crash(exc, component=self._component, name=self._name, ctx=ctx, code=code, logger=self._logger)
        if kind == CLEAN and isinstance(exc, SystemExit):
            note(logging.WARNING, f"{self._component}/{self._name} ends its thread: {describe(exc)}")
        if kind == CLEAN and isinstance(exc, Exception) and getattr(type(exc), "__mruntime_canceled__", False):
            note(logging.DEBUG, f"{self._component}/{self._name} ended: {describe(exc)}")
            return True
        return False

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> bool:
        return exc is not None and self._recover(exc)

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> bool:
        return exc is not None and self._recover(exc)

    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, T]], /) -> Callable[P, Coroutine[Any, Any, T | None]]: ...
    @overload
    def __call__(self, fn: Callable[P, T], /) -> Callable[P, T | None]: ...
    def __call__(self, fn: Callable[..., Any], /) -> Callable[..., Any]:
        """Decorate. TypeError for a generator function, whose body runs elsewhere."""
        if refuse_unrunnable(fn, type(self).__name__) == "async":

            @functools.wraps(fn)
            async def recovered_async(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await fn(*args, **kwargs)

            return recovered_async

        async def awaited(result: Any) -> Any:
            with self:
                return await result

        @functools.wraps(fn)
        def recovered(*args: Any, **kwargs: Any) -> Any:
            with self:
                return watched_result(fn(*args, **kwargs), awaited, fn)

        return recovered


class RecoverAndLog(RecoverWithPolicy):
    """`RecoverWithPolicy` with KeepRunning."""

    def __init__(
        self,
        name: str,
        *,
        component: str | None = None,
        ctx: Context | None = None,
        logger: Any = None,
        passes: Passes = (),
    ) -> None:
        super().__init__(name, KeepRunning, component=component, ctx=ctx, logger=logger, passes=passes)


class RecoverAndCrash(RecoverWithPolicy):
    """`RecoverWithPolicy` with CrashProcess."""

    def __init__(
        self,
        name: str,
        *,
        component: str | None = None,
        ctx: Context | None = None,
        logger: Any = None,
        passes: Passes = (),
    ) -> None:
        super().__init__(name, CrashProcess, component=component, ctx=ctx, logger=logger, passes=passes)


def guarded(
    *, component: str, policy: object = KeepRunning, passes: Passes = (), swallow: bool = False
) -> Callable[[AnyFunction], AnyFunction]:
    """Decorate a function that somebody else spawns: what it raises is reported, then raised to the caller.

    On the `run` of a thread nobody is there to catch it: reported, it goes no further; SystemExit is a panic
    unless it means success. Elsewhere that passes, as KeyboardInterrupt and cancellation do, and what is in `passes`.
    With `swallow` what a sync function raises goes no further anywhere, SystemExit in a thread neither, and it returns
    None: for the callbacks of a library whose thread is to live on. TypeError for a generator function.
    """

    refuse_text(policy, "guarded")

    def decorate(fn: AnyFunction) -> AnyFunction:
        kind_of_fn = refuse_unrunnable(fn, "guarded")
        name = name_of(fn)

        def failed(exc: BaseException, owner: object) -> bool:
            """Report it; True if it goes no further."""
            if isinstance(exc, passes):
                return False
            # A SafeThread's own `run` has somebody to catch it: the SafeThread, which keeps it in `panic`.
            bare = owner is threading.current_thread() and not isinstance(owner, GuardedThread)
            last = bare and getattr(fn, "__name__", "") == "run"
            kind = classify(exc, current_context(), task=not (last or _in_plain_thread()))
            if kind == EXIT and crashes(policy) and in_event_loop() and code_of(exc) is not None:
                crash(exc, component=component, name=name, code=code_of(exc) or 0)
            if kind == CLEAN:
                said = logging.WARNING if isinstance(exc, SystemExit) and not last else logging.DEBUG
                note(said, f"{component}/{name} ended: {describe(exc)}")
            if kind != PANIC:
                return kind == CLEAN and (last or (swallow and isinstance(exc, SystemExit)))
            if crashes(policy):
                crash(
                    exc,
                    component=component,
                    name=name,
                    code=(code_of(exc) if isinstance(exc, SystemExit) else 0) or 0,
                )
            else:
                report(exc, component=component, name=name, policy=policy)
            return last or swallow

        if kind_of_fn == "async":

            @functools.wraps(fn)
            async def watched_async(*args: Any, **kwargs: Any) -> Any:
                try:
                    return await fn(*args, **kwargs)
                except BaseException as exc:
                    failed(exc, None)
                    raise

            return watched_async  # type: ignore[return-value]

        async def awaited(result: Any) -> Any:
            try:
                return await result
            except BaseException as exc:
                failed(exc, None)
                raise

        @functools.wraps(fn)
        def watched(*args: Any, **kwargs: Any) -> Any:
            try:
                return watched_result(fn(*args, **kwargs), awaited, fn)
            except BaseException as exc:
                if not failed(exc, args[0] if args else None):
                    raise
                return None

        return watched  # type: ignore[return-value]

    return decorate

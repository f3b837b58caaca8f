"""Threads and pool jobs that report how they die."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import sys
import threading
import types
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from ._context import current_context
from ._crash import crash
from ._panic import CLEAN, PanicInfo, classify, code_of, describe, note, report
from ._policy import crashes
from ._state import STATE, count_ended, count_started, refuse_closed, take_back, wake_waiters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def unwrap(fn: Any) -> Any:
    """What is behind the partials."""
    while hasattr(fn, "func") and type(fn).__name__ in ("partial", "partialmethod"):
        fn = fn.func
    return fn


def _kind(fn: object) -> str:
    """`async`, `generator` or `sync`: what calling it gives, as far as can be seen before."""
    fn = unwrap(fn)
    if type(fn) is types.MethodType:
        fn = fn.__func__
    if type(fn) is types.FunctionType and not fn.__dict__:
        # The usual case without the detours of `inspect`, which cost as much as making the thread object.
        flags = fn.__code__.co_flags
        if flags & (inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE):
            return "async"
        return "generator" if flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR) else "sync"
    if type(fn) is types.BuiltinFunctionType:
        return "sync"
    parts = (fn, getattr(type(fn), "__call__", None))  # noqa: B004  (its kind matters)
    if any(_returns_coroutine(part) for part in parts):
        return "async"
    if any(inspect.isgeneratorfunction(part) or inspect.isasyncgenfunction(part) for part in parts):
        return "generator"
    return "sync"


def _returns_coroutine(fn: object) -> bool:
    if inspect.iscoroutinefunction(fn):
        return True
    code = getattr(fn, "__code__", None)
    if inspect.isgeneratorfunction(fn) and code is not None and code.co_flags & inspect.CO_ITERABLE_COROUTINE:
        return True
    # Up to 3.13 asyncio has a mark of its own; what it is later is deprecated.
    return sys.version_info < (3, 14) and asyncio.iscoroutinefunction(fn)


def refuse_unrunnable(fn: object, where: str) -> str:
    """The kind of `fn`; TypeError for what would run and do nothing: None, a generator function."""
    if fn is None:
        note(logging.WARNING, f"{where}: the function is None; nothing was started")
        raise TypeError(f"{where}: the function is None")
    if not callable(fn):
        raise TypeError(f"{where}: {type(fn).__name__} object is neither callable nor awaitable")
    kind = _kind(fn)
    if kind == "generator":
        raise TypeError(f"{where}: {name_of(fn)} is a generator function: calling it would run none of it")
    return kind


def name_of(fn: object) -> str:
    """The name to report a function by."""
    fn = unwrap(fn)
    name = getattr(fn, "__qualname__", None)
    return name if isinstance(name, str) else type(fn).__qualname__


def checked(result: Any, name: str) -> Any:
    """`result`, or TypeError if it is a coroutine or generator: work that would never be done."""
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError(f"{name} returned a coroutine, which nothing would run; pass the coroutine itself")
    if inspect.isgenerator(result) or inspect.isasyncgen(result):
        raise TypeError(f"{name} returned a {type(result).__name__}, which nothing would iterate")
    return result


def ended(exc: BaseException, *, component: str, policy: object, name: str, ctx: object) -> PanicInfo | None:
    """What a thread or pool job does about the exception that ends it. Does not return if that is a crash."""
    if classify(exc, ctx, task=False) == CLEAN:
        note(logging.DEBUG, f"{component}/{name} ended: {describe(exc)}")
        return None
    if crashes(policy):
        code = code_of(exc) if isinstance(exc, SystemExit) else 0
        return crash(exc, component=component, name=name, ctx=ctx, code=code or 0)
    return report(exc, component=component, name=name, policy=policy, ctx=ctx)


class GuardedThread(threading.Thread):
    """What SafeThread and SafeTimer share. Its attributes are prefixed, for subclasses have names too."""

    panic: PanicInfo | None = None
    """How it died; None if it did not."""
    result: Any = None
    """What the target returned; None until then."""

    def _mr_init(self, component: str, policy: object, target: object, named: bool) -> None:
        self._mr_component = component
        self._mr_policy = policy
        self._mr_target_name = name_of(self if target is None else target)
        self._mr_auto_name = "" if named else self.name
        self._mr_context: contextvars.Context | None = None
        self._mr_ctx: object = None
        self._mr_finish: Callable[[], None] | None = None
        self._mr_begun = False

    def _mr_source(self) -> str:
        return self._mr_target_name if self.name == self._mr_auto_name else self.name

    def start(self) -> None:
        """Start it, under a copy of the context variables of this call.

        RuntimeError if it was started before, if the system has no thread left, or if Python shuts down.
        """
        if getattr(self, "_mr_begun", True):
            super().start()
            return
        refuse_closed(f"{type(self).__name__}({self._mr_component!r})")
        self._mr_begun = True
        if self._mr_context is None:
            self._mr_context = contextvars.copy_context()
        run = self.run
        own_run = None if getattr(run, "__func__", None) is type(self).run else run
        # On the instance and for the start only: it guards whatever `run` a subclass, a mixin or an
        # assignment provides, leaves `super().run()` and a direct `run()` alone, and is no lasting cycle.
        self.run = lambda *_: self._mr_main(own_run)  # type: ignore[method-assign]
        with STATE.lock:
            STATE.threads[self] = None
        counts = self._mr_counts = count_started(self._mr_component)
        self._mr_started_at = perf_counter()
        try:
            super().start()
        except BaseException as exc:
            if not self.is_alive() and self.ident is None:
                with STATE.lock:
                    STATE.threads.pop(self, None)
                take_back(counts)
                self._mr_begun = False
                self._mr_restore(own_run)
            if "subinterpreters" in str(exc):
                text = f"{self._mr_component}: this sub-interpreter allows no threads; start it in the main one"
                raise RuntimeError(text) from exc
            raise

    def _mr_restore(self, own_run: Any) -> None:
        if own_run is None:
            del self.run
        else:
            self.run = own_run  # type: ignore[method-assign]

    def _mr_main(self, own_run: Any) -> None:
        self._mr_restore(own_run)
        context, self._mr_context = self._mr_context, None
        try:
            assert context is not None
            context.run(self._mr_body)
        except BaseException as exc:
            # A context of the caller's that is in use already: the body did not run.
            self._mr_failed(exc)
        finally:
            with STATE.lock:
                STATE.threads.pop(self, None)
                count_ended(self._mr_counts, perf_counter() - self._mr_started_at)
                if STATE.waiters:
                    wake_waiters()
            finish, self._mr_finish = self._mr_finish, None
            if finish is not None:
                finish()

    def _mr_body(self) -> None:
        if self._mr_ctx is not None:
            STATE.current.set(self._mr_ctx)
        try:
            self.run()
        except BaseException as exc:
            self._mr_failed(exc)

    def _mr_failed(self, exc: BaseException) -> None:
        info = ended(
            exc,
            component=self._mr_component,
            policy=self._mr_policy,
            name=self._mr_source(),
            ctx=current_context(),
        )
        if info is not None:
            # Into the dict: a subclass may have a `panic` of its own.
            self.__dict__.setdefault("panic", info)


class SafeThread(GuardedThread):
    """A `threading.Thread` that reports how it dies. A subclass may define `run` instead of a target.

    An exception does not reach `threading.excepthook`: it is logged, counted and kept in words in `panic`.
    TypeError for an async or generator function as target, which a thread would not run.
    """

    def __init__(
        self,
        component: str,
        policy: object,
        group: None = None,
        target: Callable[..., object] | None = None,
        name: str | None = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        daemon: bool | None = None,
    ) -> None:
        if target is not None:
            _check_target(target, "SafeThread")
        super().__init__(group, target, name, args, kwargs, daemon=daemon)
        self._mr_init(component, policy, target, name is not None)

    def run(self) -> None:
        """Call the target and keep what it returns in `result`."""
        thread = cast("Any", self)
        try:
            if thread._target is not None:
                result = checked(thread._target(*thread._args, **thread._kwargs), self._mr_target_name)
                if result is not None:
                    # Through `__dict__` everything would be slower, and nearly all return nothing.
                    self.__dict__.setdefault("result", result)
        finally:
            del thread._target, thread._args, thread._kwargs


def thread_for(
    component: str,
    policy: object,
    fn: Callable[..., object],
    name: str | None,
    args: Iterable[Any],
    kwargs: Mapping[str, Any],
    daemon: bool | None,
) -> SafeThread:
    """A SafeThread for what is known to be runnable, without asking again."""
    thread = SafeThread.__new__(SafeThread)
    threading.Thread.__init__(thread, None, fn, name, args, kwargs, daemon=daemon)
    thread._mr_init(component, policy, fn, name is not None)
    return thread


class SafeTimer(GuardedThread, threading.Timer):
    """A `threading.Timer` that reports how its function dies. `interval` is in seconds."""

    def __init__(
        self,
        component: str,
        policy: object,
        interval: float,
        function: Callable[..., object],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        _check_target(function, "SafeTimer")
        threading.Timer.__init__(self, interval, function, cast("Any", args), cast("Any", kwargs))
        self._mr_init(component, policy, function, False)

    def run(self) -> None:
        """Wait, then call the function unless `cancel()` came first."""
        self.finished.wait(self.interval)
        if not self.finished.is_set():
            self.__dict__.setdefault("result", checked(self.function(*self.args, **self.kwargs), self._mr_target_name))
        self.finished.set()


def _check_target(target: object, where: str) -> None:
    if refuse_unrunnable(target, where) == "async":
        raise TypeError(f"{where}: {name_of(target)} is async and a thread would not run it; use SafeGo")


class PoolJob:
    """A callable for an executor: reports how `fn` dies and raises it for the future."""

    __slots__ = (
        "args",
        "began",
        "begun",
        "component",
        "context",
        "counts",
        "ctx",
        "finish",
        "fn",
        "future",
        "kwargs",
        "name",
        "policy",
        "thread",
    )

    def __init__(
        self,
        component: str,
        policy: object,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        name: str,
        ctx: object,
        context: contextvars.Context,
        finish: Callable[[], None] | None,
    ) -> None:
        self.component = component
        self.policy = policy
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.name = name
        self.ctx = ctx
        self.context = context
        self.finish = finish
        self.future: Any = None
        self.thread = 0
        """The identifier of the thread it runs in; 0 before."""
        self.began = 0.0
        self.begun = False
        self.counts = count_started(component)
        with STATE.lock:
            STATE.jobs[self] = None

    def take_back(self) -> None:
        """It was not accepted."""
        with STATE.lock:
            STATE.jobs.pop(self, None)
            take_back(self.counts)

    def _leave(self) -> None:
        with STATE.lock:
            if self in STATE.jobs:
                del STATE.jobs[self]
                count_ended(self.counts, perf_counter() - self.began if self.thread else 0.0)
                if STATE.waiters:
                    wake_waiters()

    def ended(self, future: Any) -> None:
        """The done callback of its future, from the pool or from the loop."""
        # Cancelled before it ran.
        self._leave()
        if isinstance(future, asyncio.Future) and not future.cancelled():
            # Marks it retrieved: it was reported where it was raised.
            future.exception()
        finish, self.finish = self.finish, None
        if finish is not None:
            finish()

    def __call__(self) -> Any:
        self.thread = threading.get_ident()
        self.began = perf_counter()
        try:
            return self.context.run(self._body)
        except RuntimeError as exc:
            if self.begun:
                raise
            # The context is the caller's and in use already.
            ended(exc, component=self.component, policy=self.policy, name=self.name, ctx=current_context())
            raise
        finally:
            # Not left to the callback: a loop that is closed before will not call it.
            self._leave()

    def _body(self) -> Any:
        self.begun = True
        if self.ctx is not None:
            STATE.current.set(self.ctx)
        try:
            try:
                return checked(self.fn(*self.args, **self.kwargs), self.name)
            except StopIteration as exc:
                # A future cannot hold a StopIteration: up to 3.12 whoever awaits it waits for ever.
                raise RuntimeError(f"{self.name} raised StopIteration") from exc
        except BaseException as exc:
            ended(exc, component=self.component, policy=self.policy, name=self.name, ctx=current_context())
            raise

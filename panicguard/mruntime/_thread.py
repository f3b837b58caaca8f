"""Threads that report how they die, and what they do about it."""

from __future__ import annotations

import contextvars
import logging
import threading
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from ._classify import CLEAN, PASS, classify, code_of
from ._crash import crash
from ._derived import current_context
from ._functions import checked, name_of, refuse_unrunnable
from ._log import note
from ._panic import PanicInfo, describe, report
from ._policy import crashes, refuse_text
from ._state import STATE, count_ended, count_started, refuse_closed, take_back, wake_waiters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def ended(
    exc: BaseException, *, component: str, policy: object, name: str, ctx: object, since: float | None = None
) -> PanicInfo | None:
    """What a thread or pool job does about the exception that ends it: raises control flow again, for the framework
    whose thread it is. Does not return if it is a crash."""
    kind = classify(exc, ctx, task=False)
    if kind == PASS:
        raise exc
    if kind == CLEAN:
        note(logging.DEBUG, f"{component}/{name} ended: {describe(exc)}")
        return None
    if crashes(policy):
        code = code_of(exc) if isinstance(exc, SystemExit) else 0
        return crash(exc, component=component, name=name, ctx=ctx, code=code or 0, since=since)
    return report(exc, component=component, name=name, policy=policy, ctx=ctx, since=since)


class GuardedThread(threading.Thread):
    """What SafeThread and SafeTimer share. Its attributes are prefixed, for subclasses have names too."""

    panic: PanicInfo | None = None
    """How it died; None if it did not."""
    result: Any = None
    """What the target returned; None until then."""

    def _mr_init(self, component: str, policy: object, target: object, named: bool) -> None:
        self._mr_component = component
        refuse_text(policy, type(self).__name__)
        self._mr_policy = policy
        self._mr_target_name = name_of(self if target is None else target)
        self._mr_auto_name = "" if named else self.name
        self._mr_context: contextvars.Context | None = None
        self._mr_ctx: object = None
        self._mr_finish: Callable[[Any], None] | None = None
        self._mr_error: BaseException | None = None
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
                finish(self)
                self._mr_error = None

    def _mr_body(self) -> None:
        if self._mr_ctx is not None:
            STATE.current.set(self._mr_ctx)
        try:
            self.run()
        except BaseException as exc:
            self._mr_failed(exc)

    def _mr_failed(self, exc: BaseException) -> None:
        if self._mr_finish is not None:
            # No longer than until that is called: the exception holds frames, and they this thread.
            self._mr_error = exc
        info = ended(
            exc,
            component=self._mr_component,
            policy=self._mr_policy,
            name=self._mr_source(),
            ctx=current_context(),
            since=self._mr_started_at,
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

"""Pool jobs that report how they die."""

from __future__ import annotations

import asyncio
import threading
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ._derived import current_context
from ._functions import checked
from ._state import STATE, count_ended, count_started, take_back, wake_waiters
from ._thread import ended

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable, Mapping


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
        "made",
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
        finish: Callable[[Any], None] | None,
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
        self.made = perf_counter()
        self.began = 0.0
        self.begun = False
        with STATE.lock:
            self.counts = count_started(component)
            STATE.jobs[self] = None

    def take_back(self) -> None:
        """It was not accepted."""
        with STATE.lock:
            STATE.jobs.pop(self, None)
            take_back(self.counts)

    def _leave(self, cut: bool = False) -> None:
        with STATE.lock:
            if self in STATE.jobs:
                del STATE.jobs[self]
                if cut:
                    self.counts.cancelled += 1
                count_ended(self.counts, perf_counter() - self.began if self.thread else 0.0)
                if STATE.waiters:
                    wake_waiters()

    def ended(self, future: Any) -> None:
        """The done callback of its future, from the pool or from the loop."""
        # Cancelled before it ran.
        self._leave(cut=future.cancelled())
        if not self.thread and not future.cancelled():
            # Its pool broke, or its loop.
            self._failed(future.exception())
        if isinstance(future, asyncio.Future) and not future.cancelled():
            # Marks it retrieved: it was reported where it was raised.
            future.exception()
        finish, self.finish = self.finish, None
        if finish is not None:
            finish(future)

    def __call__(self) -> Any:
        self.thread = threading.get_ident()
        self.began = perf_counter()
        try:
            return self.context.run(self._body)
        except RuntimeError as exc:
            if self.begun:
                raise
            # The context is the caller's and in use already.
            self._failed(exc)
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
            self._failed(exc)
            raise

    def _failed(self, exc: BaseException | None) -> None:
        if exc is not None:
            ended(
                exc,
                component=self.component,
                policy=self.policy,
                name=self.name,
                ctx=current_context(),
                since=self.made,
            )

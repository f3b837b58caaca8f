"""What the runtime knows of a task while it is pending."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from ._classify import CLEAN, EXIT, PANIC, PASS, classify, code_of, leaves
from ._context import DeadlineExceeded, arm, unwatch, wake_later, watch
from ._crash import crash
from ._derived import current_context, own
from ._functions import close
from ._log import note
from ._panic import describe, once_only, report, value_of
from ._policy import crashes
from ._state import STATE, count_ended, count_started, wake_waiters

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

    from ._context import Context
    from ._limit import Limit
    from ._state import Counts


class Record:
    """What the runtime knows of one task or future; it lives as long as that is pending.

    To a context that it is linked to it is what `_Watch` is: it has an `epoch` and a `call`.
    """

    __slots__ = (
        "began",
        "component",
        "counts",
        "ctx",
        "cut",
        "epoch",
        "finish",
        "inner",
        "limit",
        "link",
        "name",
        "passed",
        "policy",
        "primed",
        "task",
        "timer",
    )

    def __init__(
        self,
        component: str,
        policy: object,
        name: str,
        ctx: Context | None,
        link: bool = True,
        finish: Callable[[Any], None] | None = None,
    ) -> None:
        self.component = component
        self.policy = policy
        self.name = name
        self.ctx = ctx
        self.link = link
        self.finish = finish
        """Called once it has ended, with what it was."""
        self.limit: Limit | None = None
        self.primed = False
        """The wrapping coroutine has begun, waits for the task's first step, and will see the end of it."""
        self.passed = False
        """It ends by what a framework steers by: no panic, so that asyncio says it if nobody waits for the task."""
        self.cut = False
        """It ends by a cancellation."""
        self.inner: Coroutine[Any, Any, Any] | None = None
        """What is to be closed if the wrapping coroutine does not see the end."""
        self.counts: Counts | None = None
        self.began = 0.0
        self.task: asyncio.Future[Any] | None = None
        """Not longer than it is pending: its exception holds the frame that holds this record."""
        self.epoch: int | None = None
        """None if no context knows of it."""
        self.timer: asyncio.TimerHandle | None = None

    def failed(self, exc: BaseException) -> None:
        """Report `exc` if it is a panic."""
        ctx = current_context() if self.ctx is None else own(self.ctx)
        kind = classify(exc, ctx, task=True)
        if kind == PANIC:
            if crashes(self.policy):
                crash(exc, component=self.component, name=self.name, ctx=ctx, since=self.began)
            else:
                once_only()
                report(exc, component=self.component, name=self.name, policy=self.policy, ctx=ctx, since=self.began)
        elif kind == EXIT:
            code = code_of(exc)
            if crashes(self.policy) and code is not None:
                crash(exc, component=self.component, name=self.name, ctx=ctx, code=code, since=self.began)
            note(logging.WARNING, f"{self.component}/{self.name} stops the event loop: {describe(exc)} {value_of(exc)}")
        elif kind == PASS:
            self.passed = not all(isinstance(leaf, (GeneratorExit, KeyboardInterrupt)) for leaf in leaves(exc))
        elif kind == CLEAN:
            note(logging.DEBUG, f"{self.component}/{self.name} ended: {describe(exc)}")

    def timed_out(self) -> DeadlineExceeded:
        """What whoever awaits it gets when its time is over."""
        error = DeadlineExceeded("context deadline exceeded")
        self.failed(error)
        return error

    def call(self) -> None:
        """Its context may be done."""
        task = self.task
        if task is not None:
            wake_later(task.get_loop(), task.cancel)

    def left(self, well: bool) -> None:
        """The coroutine of a primed task ends; `well`: with a result."""
        task = self.task
        if task is None:
            # Its loop was closed before, so that it left already; now it is freed.
            return
        if STATE.waiters or self.finish is not None:
            # Whoever is told of the end finds the task done.
            task.add_done_callback(self.done)
        else:
            if not well and not self.passed:
                task.add_done_callback(retrieve)
            self.leave(task)

    def leave(self, task: asyncio.Future[Any] | None) -> None:
        self.task = None
        with STATE.lock:
            STATE.tasks.pop(task, None)
            # Taken, for who lists what runs may have found it done before its callback was called.
            counts, self.counts = self.counts, None
            if counts is not None:
                count_ended(counts, perf_counter() - self.began)
                if self.cut:
                    counts.cancelled += 1
            if self.epoch is not None:
                unwatch(cast("Context", self.ctx), self)
            if STATE.waiters:
                wake_waiters()
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def done(self, task: asyncio.Future[Any]) -> None:
        """The done callback."""
        self.cut = task.cancelled()
        self.leave(task)
        inner, self.inner = self.inner, None
        if inner is not None and task.cancelled():
            # Cancelled before its first step the wrapper never came to await it.
            close(inner)
        if not self.passed:
            # It was reported where it was raised.
            retrieve(task)
        finish, self.finish = self.finish, None
        if finish is not None:
            finish(task)

    def observed(self, future: asyncio.Future[Any]) -> None:
        """The done callback for a future that somebody else made."""
        try:
            exc = None if future.cancelled() else future.exception()
            if exc is not None:
                self.failed(exc)
        finally:
            self.done(future)

    def keep(self, future: asyncio.Future[Any], counted: bool) -> None:
        """Register it, and count it as started; if it is linked to a context that can be done, have that cancel it."""
        self.task = future
        ends = False
        ctx = own(self.ctx) if self.link and self.ctx is not None else None
        with STATE.lock:
            STATE.tasks[future] = self
            if counted and self.counts is None:
                self.counts = count_started(self.component)
            if ctx is not None and ctx._node is not None:
                self.epoch = STATE.epoch
                ends = watch(ctx, self)
        limit = self.limit
        if limit is not None:
            self.timer = arm(limit.ctx, future.get_loop(), limit.expire, future)
        if ctx is not None and ends:
            err = ctx.err()
            if err is None:
                self.timer = self.timer or arm(ctx, future.get_loop(), future.cancel)
            elif limit is None or not isinstance(err, TimeoutError):
                future.cancel()


def retrieve(task: asyncio.Future[Any]) -> None:
    """Mark the exception retrieved."""
    if not task.cancelled():
        task.exception()

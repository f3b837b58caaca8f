"""The body of an `async with`, as far as a context may cut it short."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ._context import arm, unwatch, wake_later, watch
from ._state import STATE

if TYPE_CHECKING:
    from ._context import Context

_COUNTS = hasattr(asyncio.Task, "uncancel")
"""Whether tasks count how often they were cancelled: since Python 3.11."""


class Body:
    """Cancels the task that runs it once its context is done; made by that task at the beginning of the body.

    To the context it is what `_Watch` is: it has an `epoch` and a `call`.
    """

    __slots__ = ("_before", "_ctx", "_cut", "_live", "_loop", "_task", "_timer", "epoch")

    def __init__(self, ctx: Context) -> None:
        task: Any = asyncio.current_task()
        self._task = task
        self._live = True
        self._cut = False
        self._loop = task.get_loop()
        self._ctx = ctx
        self._before = _cancellations(task)
        self._timer: asyncio.TimerHandle | None = None
        self.epoch = STATE.epoch
        with STATE.lock:
            ends = watch(ctx, self)
        if ctx.err() is not None:
            self._loop.call_soon(self._cancel)
        elif ends:
            self._timer = arm(ctx, self._loop, self._cancel)

    def call(self) -> None:
        """Its context may be done."""
        wake_later(self._loop, self._cancel)

    def _cancel(self) -> None:
        if self._live and not self._cut:
            self._cut = True
            self._task.cancel()

    def end(self) -> bool:
        """It is over. Whether a CancelledError that ends it is from here, and others did not cancel the task too.

        Python 3.10 does not count cancellations: there one from here is taken for the only one.
        """
        self._live = False
        with STATE.lock:
            unwatch(self._ctx, self)
        if self._timer is not None:
            self._timer.cancel()
        if not self._cut:
            return False
        if _COUNTS:
            self._task.uncancel()
        return _cancellations(self._task) <= self._before

    def cancel_again(self, *, waited: bool) -> None:
        """Have a cancellation that something else came before be raised at the task's next await.

        `waited`: it came while the task waited for what was begun in the body, and so from outside of all that.
        """
        if _COUNTS and self._task.cancelling():
            self._task.uncancel()
            self._task.cancel()
        elif not _COUNTS and waited:
            self._task.cancel()


def _cancellations(task: Any) -> int:
    return task.cancelling() if _COUNTS else 0

"""The `timeout=` of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._derived import background, current_context, with_deadline, with_timeout

if TYPE_CHECKING:
    import asyncio

    from ._context import Context


class Limit:
    """Ends a task when its time is over."""

    __slots__ = ("begun", "ctx", "passed")

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        """Done when the time is over."""
        self.begun = False
        self.passed = False

    def begin(self) -> None:
        """The first step of the work. Raises what `ctx.err()` is if there is no time left for it."""
        self.ctx.check()
        self.begun = True

    def expire(self, task: asyncio.Future[Any]) -> None:
        """The time is over. What has not begun finds out itself: cancelled, nothing could say why."""
        if self.begun:
            self.passed = True
            task.cancel()

    def ended(self, task: Any) -> bool:
        """Whether a cancellation is its doing, and nobody else's: Python 3.10 does not count them."""
        return self.passed and not (hasattr(task, "cancelling") and task.cancelling() > 1)


def within(seconds: float, ctx: Context | None, linked: bool) -> tuple[Context, Limit]:
    """The context of work that may take so long, derived from `ctx`, by default the current one; and its limit.

    `linked`: the task ends with that context, and not by its own time alone. TypeError if `ctx` is none of ours.
    """
    derived = with_timeout(current_context() if ctx is None else ctx, seconds).ctx
    if linked:
        return derived, Limit(derived)
    deadline = derived._deadline
    assert deadline is not None
    return derived, Limit(with_deadline(background(), deadline).ctx)

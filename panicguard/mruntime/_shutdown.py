"""The orderly end: ask everything to stop, wait, and say what did not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from ._children import children as living
from ._context import _wake, in_event_loop, wake_later
from ._derived import root
from ._log import note
from ._registry import Work, working
from ._state import STATE
from ._storm import sum_up
from ._stragglers import ShutdownReport, Straggler, listed, stragglers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRACE_AFTER_CANCEL = 1.0
"""Seconds for what was cut off to run its `finally` blocks."""
LOOK_AGAIN = 0.25
"""Seconds after which to look for what can no longer tell that it has ended, as tasks of a closed loop."""


def wait_while(look: Callable[[], list[Work]], timeout: float) -> list[Work]:
    """Block this thread while `look` finds anything, `timeout` seconds at most; what it finds then."""
    woken = threading.Event()
    until = time.monotonic() + timeout
    with STATE.lock:
        STATE.waiters[woken] = woken.set
    try:
        while True:
            woken.clear()
            left = look()
            seconds = until - time.monotonic()
            if not left or seconds <= 0:
                return left
            woken.wait(min(seconds, LOOK_AGAIN))
    finally:
        with STATE.lock:
            STATE.waiters.pop(woken, None)


async def _wait_while_async(look: Callable[[], list[Work]], timeout: float) -> list[Work]:
    """As `wait_while`, for a coroutine."""
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[None] = loop.create_future()
    until = time.monotonic() + timeout
    key = object()
    with STATE.lock:
        STATE.waiters[key] = lambda: wake_later(loop, _wake, woken)
    try:
        while True:
            woken = loop.create_future()
            left = look()
            seconds = until - time.monotonic()
            if not left or seconds <= 0:
                return left
            await asyncio.wait((woken,), timeout=min(seconds, LOOK_AGAIN))
    finally:
        with STATE.lock:
            STATE.waiters.pop(key, None)


@contextlib.contextmanager
def _running() -> Iterator[None]:
    with STATE.lock:
        STATE.shutdowns += 1
    try:
        yield
    finally:
        with STATE.lock:
            STATE.shutdowns = max(STATE.shutdowns - 1, 0)
        sum_up(rest=True)


def _queued(work: Work) -> bool:
    return work.kind == "job" and getattr(work.handle, "thread", None) == 0


def _cancel(work: Work) -> None:
    if work.kind == "task":
        wake_later(work.handle.get_loop(), work.handle.cancel)
    elif work.kind == "thread" and isinstance(work.handle, threading.Timer):
        work.handle.cancel()
    elif work.kind == "child":
        work.handle.kill()
    elif work.kind == "job" and getattr(work.handle, "future", None) is not None:
        future = work.handle.future
        if isinstance(future, asyncio.Future):
            wake_later(future.get_loop(), future.cancel)
        else:
            future.cancel()


class _Ending(NamedTuple):
    """A shutdown under way."""

    but: tuple[object, ...]
    """The task that is not waited for."""
    children: bool
    seen: int
    """How many there were."""
    cut: dict[int, Straggler]
    """What was cut off, by the identity of its handle."""

    def look(self) -> list[Work]:
        """What has not ended."""
        return working(self.but) + (living() if self.children else [])

    def cut_off(self, works: list[Work], when: str) -> None:
        """Cancel what can be; where they all were is told before."""
        if works:
            were = stragglers(works)
            note(logging.WARNING, f"shutdown: unfinished {when}: {listed(were.values())}")
            self.cut.update(were)
            for work in works:
                _cancel(work)

    def report(self, left: list[Work]) -> ShutdownReport:
        """What became of all; told as the last line."""
        still = stragglers(left)
        cancelled = tuple(straggler for key, straggler in self.cut.items() if key not in still)
        report = ShutdownReport(max(self.seen - len(self.cut), 0), cancelled, tuple(still.values()))
        note(logging.DEBUG if report.clean else logging.WARNING, report.last_line)
        return report


def _begin(but: tuple[object, ...], cancel_futures: bool, children: bool) -> _Ending:
    """Ask all to stop; counted before, for some are gone at once."""
    STATE.closed = True
    root()
    works = working(but)
    offspring = living() if children else []
    ending = _Ending(but, children, len(works) + len(offspring), {})
    if cancel_futures:
        ending.cut_off([work for work in works if _queued(work)], "and not begun")
    STATE.root.cancel()
    for child in offspring:
        child.handle.terminate()
    return ending


def shutdown(timeout: float = 30.0, *, cancel_futures: bool = False, children: bool = False) -> ShutdownReport:
    """Start nothing any more, cancel `root()`, and wait `timeout` seconds for what runs; from a thread.

    What is unfinished then is logged, with its place; tasks, timers and queued pool jobs are cancelled and have one
    more second. Threads cannot be: the last line of the log says for which of them the process waits. What tells them
    to stop is `root()`, or `current_context()` where they were spawned with a context that comes from it.

    `cancel_futures`: queued pool jobs are cancelled at once instead of being waited for. `children`: the processes that
    multiprocessing has started get a SIGTERM, are waited for like the rest, and are killed at the end; otherwise they
    are not told. The caller itself is not waited for. RuntimeError on the thread of a running event loop: use
    `shutdown_async` there.
    """
    if in_event_loop():
        raise RuntimeError("shutdown() would block the running event loop; use `await shutdown_async()`")
    with _running():
        ending = _begin((), cancel_futures, children)
        left = wait_while(ending.look, timeout)
        ending.cut_off(left, f"after {timeout:g} s")
        if left:
            left = wait_while(ending.look, GRACE_AFTER_CANCEL)
        return ending.report(left)


async def shutdown_async(
    timeout: float = 30.0, *, cancel_futures: bool = False, children: bool = False
) -> ShutdownReport:
    """As `shutdown`, from a coroutine; the task it runs in is not waited for. Cancelled, it cuts off at once."""
    with _running():
        ending = _begin((asyncio.current_task(),), cancel_futures, children)
        try:
            left = await _wait_while_async(ending.look, timeout)
            ending.cut_off(left, f"after {timeout:g} s")
            if left:
                left = await _wait_while_async(ending.look, GRACE_AFTER_CANCEL)
        except asyncio.CancelledError:
            ending.cut_off(
                [work for work in ending.look() if id(work.handle) not in ending.cut], "and no longer waited for"
            )
            ending.report(ending.look())
            raise
        return ending.report(left)

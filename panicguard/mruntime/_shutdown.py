"""The orderly end: ask everything to stop, wait, and say what did not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from ._context import _wake, in_event_loop, wake_later
from ._derived import root
from ._log import note
from ._registry import Work, stack_of, working
from ._state import STATE
from ._storm import sum_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRACE_AFTER_CANCEL = 1.0
"""Seconds for what was cut off to run its `finally` blocks."""
LOOK_AGAIN = 0.25
"""Seconds after which to look for what can no longer tell that it has ended, as tasks of a closed loop."""


class Straggler(NamedTuple):
    """Work that did not end in time."""

    kind: str
    """`task`, `thread` or `job`."""
    component: str
    name: str
    stack: str
    """Where it was when the time was up, the last 64 frames; "" if it had not begun."""


class ShutdownReport(NamedTuple):
    """What became of the work that was there when `shutdown` was called."""

    finished: int
    """How many ended in time."""
    cancelled: tuple[Straggler, ...]
    """Tasks, timers and queued pool jobs that were cut off when the time was up, and then ended."""
    running: tuple[Straggler, ...]
    """What still runs."""

    @property
    def clean(self) -> bool:
        """True if all ended in time."""
        return not self.cancelled and not self.running

    def __str__(self) -> str:
        parts = [f"{self.finished} finished"]
        for what, those in (("cancelled", self.cancelled), ("still running", self.running)):
            if those:
                parts.append(f"{len(those)} {what} ({', '.join(f'{s.component}/{s.name}' for s in those)})")
        return "shutdown: " + ", ".join(parts)


def stragglers(works: list[Work]) -> dict[int, Straggler]:
    """Where they are now, by the identity of their handle."""
    frames = sys._current_frames()
    return {id(w.handle): Straggler(w.kind, w.component, w.name, stack_of(w, frames)) for w in works}


def _cut_off(works: list[Work]) -> dict[int, Straggler]:
    """Cancel what can be; where they all were."""
    were = stragglers(works)
    for work in works:
        if work.kind == "task":
            wake_later(work.handle.get_loop(), work.handle.cancel)
        elif work.kind == "thread" and isinstance(work.handle, threading.Timer):
            work.handle.cancel()
        elif work.kind == "job" and getattr(work.handle, "future", None) is not None:
            future = work.handle.future
            if isinstance(future, asyncio.Future):
                wake_later(future.get_loop(), future.cancel)
            else:
                future.cancel()
    return were


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


def _begin(but: tuple[object, ...] = ()) -> int:
    """Ask all to stop; how many there were, counted before, for some are gone at once."""
    STATE.closed = True
    root()
    seen = len(working(but))
    STATE.root.cancel()
    return seen


def _report(seen: int, cut: dict[int, Straggler], left: list[Work]) -> ShutdownReport:
    still = stragglers(left)
    cancelled = tuple(straggler for key, straggler in cut.items() if key not in still)
    report = ShutdownReport(max(seen - len(cut), 0), cancelled, tuple(still.values()))
    for what, those in (("was cancelled", report.cancelled), ("is still running", report.running)):
        for one in those:
            note(logging.WARNING, f"shutdown: {one.kind} {one.component}/{one.name} {what}")
    return report


def shutdown(timeout: float = 30.0) -> ShutdownReport:
    """Start nothing any more, cancel `root()`, and wait `timeout` seconds for what runs; from a thread.

    Then tasks, timers and queued pool jobs are cancelled and have one more second; threads cannot be. The caller
    itself is not waited for. RuntimeError on the thread of a running event loop: use `shutdown_async` there.
    """
    if in_event_loop():
        raise RuntimeError("shutdown() would block the running event loop; use `await shutdown_async()`")
    with _running():
        seen = _begin()
        left = wait_while(working, timeout)
        cut = _cut_off(left)
        if left:
            left = wait_while(working, GRACE_AFTER_CANCEL)
        return _report(seen, cut, left)


async def shutdown_async(timeout: float = 30.0) -> ShutdownReport:
    """As `shutdown`, from a coroutine; the task it runs in is not waited for."""
    but = (asyncio.current_task(),)

    def look() -> list[Work]:
        return working(but)

    with _running():
        seen = _begin(but)
        left = await _wait_while_async(look, timeout)
        cut = _cut_off(left)
        if left:
            left = await _wait_while_async(look, GRACE_AFTER_CANCEL)
        return _report(seen, cut, left)

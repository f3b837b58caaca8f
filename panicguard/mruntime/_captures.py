"""Whose a panic is, in tests: that of the block whose context spawned the work."""

from __future__ import annotations

import contextlib
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ._state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # The panic is a PanicInfo, whose module imports this one.
    Add = Callable[[Any], object]
    End = Callable[[int, Any], object]
    Late = Callable[[Any, float], object]


class Capture:
    """A block that wants to know of panics, and what it wants to be called."""

    __slots__ = ("add", "began", "end", "ended", "epoch", "late", "outer")

    def __init__(
        self, add: Add, end: End | None = None, late: Late | None = None, outer: Capture | None = None
    ) -> None:
        self.add = add
        self.end = end
        self.late = late
        self.outer = outer
        self.epoch = STATE.epoch
        self.began = perf_counter()
        self.ended: float | None = None
        """By `perf_counter`; None while the block lasts."""


_NOBODYS = Capture(print)
_NOBODYS.ended = 0.0


@contextlib.contextmanager
def capturing(add: Add, *, end: End | None = None, late: Late | None = None) -> Iterator[None]:
    """Call `add` with each panic of what is spawned in the block.

    `end` is called instead of the end of the process. `late` makes it the block of a runner of tests, around each of
    them: it is called with what was spawned before the block, or comes after it, and when that was spawned.
    """
    capture = Capture(add, end, late, _open(STATE.capture.get()))
    with STATE.lock:
        STATE.captures.append(capture)
    token = STATE.capture.set(capture)
    try:
        yield
    finally:
        with STATE.lock:
            capture.ended = perf_counter()
            STATE.captures[:] = [one for one in STATE.captures if one is not capture]
        # A fixture may be left in another context than it was entered in.
        with contextlib.suppress(ValueError):
            STATE.capture.reset(token)


@contextlib.contextmanager
def nobodys() -> Iterator[None]:
    """What is spawned in the block is of no capture."""
    token = STATE.capture.set(_NOBODYS)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            STATE.capture.reset(token)


def tell(panic: Any, since: float | None) -> None:
    """Tell the capture whose it is; `since`: when the work was spawned, by `perf_counter`."""
    capture, late = _owner(since)
    if capture is None:
        return
    if late and capture.late is not None and since is not None:
        capture.late(panic, since)
    else:
        capture.add(panic)


def instead_of_end(since: float | None) -> End | None:
    """What to call instead of ending the process, if some test wants that."""
    capture, late = _owner(since)
    if capture is not None and late:
        return _told
    ends = [one.end for one in (*_lineage(capture), *reversed(STATE.captures)) if one.end is not None]
    return ends[0] if ends else None


def _told(code: int, panic: Any) -> None:
    """A crash that comes after its test is told as a late panic is."""


def _owner(since: float | None) -> tuple[Capture | None, bool]:
    """The capture of the current context, or where that has none, the one that is open; and whether it is too late.

    What a test began may be what a block in it is about: of a runner's capture, it is the innermost one. Some tools run
    all tests in the context of the first one: what was spawned after the end of a capture is none of it.
    """
    own = STATE.capture.get()
    if own is None and not STATE.captures:
        return None, False
    at = _open(own)
    if at is None and since is not None and any(one.ended is None or since < one.ended for one in _lineage(own)):
        runners = (one for one in _lineage(own) if one.late is not None and one.epoch == STATE.epoch)
        return next(runners, None), True
    if at is None or at.late is not None:
        at = _innermost(at)
    # Of a context that the runner knows nothing of, as that of a greenlet.
    late = own is None and at is not None and at.late is not None and since is not None and since < at.began
    return at, late


def _lineage(capture: Capture | None) -> Iterator[Capture]:
    while capture is not None:
        yield capture
        capture = capture.outer


def _open(capture: Capture | None) -> Capture | None:
    """It, or the nearest around it whose block lasts. Those of a parent process are not of this one."""
    return next((one for one in _lineage(capture) if one.ended is None and one.epoch == STATE.epoch), None)


def _innermost(within: Capture | None) -> Capture | None:
    """The innermost one; where several are open side by side, the one around all of them, or else the oldest."""
    with STATE.lock:
        captures: list[Capture] = [one for one in STATE.captures if within is None or within in _lineage(one)]
    around = {id(one.outer) for one in captures}
    innermost = [one for one in captures if id(one) not in around]
    for one in reversed(captures):
        if all(one in _lineage(other) for other in innermost):
            return one
    return captures[0] if captures else None

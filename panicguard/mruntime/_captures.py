"""Whose a panic is, in tests: that of the block whose context spawned the work."""

from __future__ import annotations

import contextlib
from time import perf_counter
from typing import TYPE_CHECKING

from ._state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._panic import PanicInfo

    Add = Callable[[PanicInfo], object]
    End = Callable[[int, PanicInfo], object]


class Capture:
    """A block that wants to know of panics, and what it wants to be called."""

    __slots__ = ("add", "end", "ended", "epoch", "late", "outer")

    def __init__(self, add: Add, end: End | None, late: Add | None, outer: Capture | None) -> None:
        self.add = add
        self.end = end
        self.late = late
        self.outer = outer
        self.epoch = STATE.epoch
        self.ended: float | None = None
        """By `perf_counter`; None while the block lasts."""


@contextlib.contextmanager
def capturing(add: Add, *, end: End | None = None, late: Add | None = None) -> Iterator[None]:
    """Call `add` with each panic of what is spawned in the block, and `late` with those that come after its end.

    `end` is called instead of the end of the process. Of two blocks, one in the other, the inner one is told.
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
    token = STATE.capture.set(None)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            STATE.capture.reset(token)


def tell(panic: PanicInfo, since: float | None) -> None:
    """Tell the capture of the current context; where that has none, the one that is open.

    `since`: when the work was spawned, by `perf_counter`. Some tools run all tests in the context of the first one:
    what was spawned after the end of a capture is none of it.
    """
    own = STATE.capture.get()
    at = _open(own)
    if at is None and since is not None and any(one.ended is None or since < one.ended for one in _lineage(own)):
        for one in _lineage(own):
            if one.late is not None and one.epoch == STATE.epoch:
                one.late(panic)
                break
        return
    at = at or _shared()
    if at is not None:
        at.add(panic)


def instead_of_end() -> End | None:
    """What to call instead of ending the process, if some test wants that."""
    own = [one.end for one in _lineage(_open(STATE.capture.get())) if one.end is not None]
    others = [one.end for one in reversed(STATE.captures) if one.end is not None]
    return next(iter(own + others), None)


def _lineage(capture: Capture | None) -> Iterator[Capture]:
    while capture is not None:
        yield capture
        capture = capture.outer


def _open(capture: Capture | None) -> Capture | None:
    """It, or the nearest around it whose block lasts. Those of a parent process are not of this one."""
    return next((one for one in _lineage(capture) if one.ended is None and one.epoch == STATE.epoch), None)


def _shared() -> Capture | None:
    """The innermost one, or where several are open side by side, the one around all of them, or else the oldest."""
    with STATE.lock:
        captures: list[Capture] = list(STATE.captures)
    around = {id(one.outer) for one in captures}
    innermost = [one for one in captures if id(one) not in around]
    for one in reversed(captures):
        if all(one in _lineage(other) for other in innermost):
            return one
    return captures[0] if captures else None

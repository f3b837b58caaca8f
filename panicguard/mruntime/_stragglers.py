"""Work that did not end in time, in words: what it is, where it stands, and whether the process waits for it."""

from __future__ import annotations

import os
import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ._registry import Work, stack_of
from ._state import STATE

if TYPE_CHECKING:
    from collections.abc import Iterable

_FRAME = re.compile(r'^  File "(.+)", line (\d+), in (.+)$', re.MULTILINE)
_OURS = os.path.dirname(__file__) + os.sep
_STANDARD = os.path.dirname(os.__file__) + os.sep
_OTHERS = ("site-packages", "dist-packages")


class Straggler(NamedTuple):
    """Work that did not end in time."""

    kind: str
    """`task`, `thread`, `job` or `child`, a process of multiprocessing."""
    component: str
    name: str
    stack: str
    """Where it was when the time was up, the last 64 frames; "" if it had not begun, and of a child."""
    holds: bool = False
    """Whether the process waits for it before it ends: a thread that is no daemon, or a job that such a thread runs."""

    begun: bool = True
    """False while it waits for a pool, or for its loop."""

    @property
    def place(self) -> str:
        """The innermost line of code that is neither Python's own nor the runtime's, as `app.py:12 in poll`."""
        frames = _FRAME.findall(self.stack)
        for path, line, function in [f for f in reversed(frames) if _is_known(f[0])] or frames[-1:]:
            return f"{Path(path).name}:{line} in {function}"
        return ""

    def __str__(self) -> str:
        what = f"{self.kind} {self.component}/{self.name}"
        if not self.begun:
            return f"{what}, not begun"
        return f"{what} at {self.place}" if self.stack else what


class ShutdownReport(NamedTuple):
    """What became of the work that was there when `shutdown` was called."""

    finished: int
    """How many ended in time."""
    cancelled: tuple[Straggler, ...]
    """Tasks, timers, queued pool jobs and children that were cut off, and then ended."""
    running: tuple[Straggler, ...]
    """What still runs."""

    @property
    def clean(self) -> bool:
        """True if all ended in time."""
        return not self.cancelled and not self.running

    @property
    def status(self) -> int:
        """The exit status to end the process with: 0 if all ended in time, or else that of `set_exit_code`, 70."""
        return 0 if self.clean else STATE.exit_code

    def __str__(self) -> str:
        parts = [f"{self.finished} finished"]
        for what, those in (("cancelled", self.cancelled), ("still running", self.running)):
            if those:
                parts.append(f"{len(those)} {what} ({', '.join(f'{s.component}/{s.name}' for s in those)})")
        return "shutdown: " + ", ".join(parts)

    @property
    def last_line(self) -> str:
        """The text, and what the process waits for before it ends."""
        holding = listed(s for s in self.running if s.holds)
        return f"{self}; the process waits for {holding}" if holding else str(self)


def _is_known(path: str) -> bool:
    """Whether a frame of this file says more than that something waits."""
    if path.startswith(_OURS):
        return False
    return not path.startswith(_STANDARD) or any(name in path for name in _OTHERS)


def listed(stragglers: Iterable[Straggler]) -> str:
    """One after the other, with their places."""
    return "; ".join(map(str, stragglers))


def stragglers(works: list[Work]) -> dict[int, Straggler]:
    """Where they are now, by the identity of their handle."""
    frames = sys._current_frames()
    keeping = {thread.ident for thread in threading.enumerate() if not thread.daemon}
    return {id(w.handle): _straggler(w, frames, keeping) for w in works}


def _straggler(work: Work, frames: Any, keeping: set[int | None]) -> Straggler:
    if work.kind == "child":
        return Straggler(work.kind, work.component, work.name, "", not work.handle.daemon)
    thread = {"thread": "ident", "job": "thread"}.get(work.kind, "")
    holds = bool(thread) and getattr(work.handle, thread, None) in keeping
    return Straggler(work.kind, work.component, work.name, stack_of(work, frames), holds, bool(work.began))

"""For tests: panics and crashes as values."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from ._panic import PanicInfo, observe_panics
from ._state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Panics(list[PanicInfo]):
    """The panics so far, in the order of their reports."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def wait(self, n: int = 1, timeout: float = 5.0) -> list[PanicInfo]:
        """The first `n`, waiting for them in this thread; AssertionError if they are not there in `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self) >= n, timeout):
                raise AssertionError(f"{len(self)} of {n} panics within {timeout} seconds: {list(self)}")
            return self[:n]

    def add(self, panic: PanicInfo) -> None:
        """Called for each panic, from any thread."""
        with self._changed:
            self.append(panic)
            self._changed.notify_all()


@contextlib.contextmanager
def capture_panics() -> Iterator[Panics]:
    """`with capture_panics() as panics:` collects what panics in the meantime, anywhere in the process.

    They are logged and counted as always, but the pytest plugin does not hold them against the test. Of two that
    are nested the inner one collects.
    """
    panics = Panics()

    def collect(panic: PanicInfo, exc: object) -> None:
        if STATE.captures and STATE.captures[-1] is panics:
            panics.add(panic)

    with STATE.lock:
        STATE.captures.append(panics)
    stop = observe_panics(collect)
    try:
        yield panics
    finally:
        stop()
        with STATE.lock:
            STATE.captures[:] = [one for one in STATE.captures if one is not panics]


class Crash:
    """What would have ended the process."""

    def __init__(self) -> None:
        self.code: int | None = None
        """The exit status of the first crash; None while there is none."""
        self.panics = Panics()
        self._ended = threading.Event()

    @property
    def panic(self) -> PanicInfo | None:
        """The panic it was about."""
        crashes = [panic for panic in self.panics if panic.policy == "CrashProcess"]
        return crashes[0] if crashes and self.code is not None else None

    def wait(self, timeout: float = 5.0) -> int:
        """The exit status, waiting for it in this thread; AssertionError if there is none in `timeout` seconds."""
        if not self._ended.wait(timeout):
            raise AssertionError(f"no crash within {timeout} seconds")
        assert self.code is not None
        return self.code

    def end(self, code: int) -> None:
        """Called instead of the end of the process."""
        with STATE.lock:
            if self.code is None:
                self.code = code
        self._ended.set()


@contextlib.contextmanager
def capture_crash() -> Iterator[Crash]:
    """`with capture_crash() as crash:` lets the process live where CrashProcess would end it.

    The record is logged and the hooks of `on_crash` are called. The exception then goes on to whoever waits for
    the task or future, or out of the block of RecoverAndCrash.
    """
    crash = Crash()
    with capture_panics() as panics:
        crash.panics = panics
        with STATE.lock:
            before: Callable[[int], object] = STATE.exit
            STATE.exit = crash.end
        try:
            yield crash
        finally:
            STATE.exit = before


def reopen() -> None:
    """Allow spawns again after `shutdown`, with a new `root()`: the next test is another process, so to speak."""
    with STATE.lock:
        STATE.closed = False
        STATE.root = None

"""For tests: panics and crashes as values."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ._captures import capturing
from ._context import in_event_loop
from ._crash import run_hooks
from ._derived import background, with_cancel, with_timeout
from ._panic import PanicInfo
from ._registry import Work, working
from ._reopen import reopen as reopen
from ._shutdown import wait_while
from ._state import STATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import Context
    from ._derived import Cancel


class _Awaited:
    """Waiting, in a thread or a coroutine, until there are so many of something."""

    def __init__(self) -> None:
        super().__init__()
        self._waits: dict[Cancel, int] = {}

    @contextlib.contextmanager
    def _until(self, n: int, timeout: float | None) -> Iterator[Context]:
        """A context that is done when there are `n`, or the time is over."""
        ctx, cancel = with_cancel(background()) if timeout is None else with_timeout(background(), timeout)
        with STATE.lock:
            self._waits[cancel] = n
            if self._there() >= n:
                cancel()
        try:
            yield ctx
        finally:
            with STATE.lock:
                del self._waits[cancel]

    def _there(self) -> int:
        raise NotImplementedError

    def _wake(self) -> None:
        with STATE.lock:
            over = [cancel for cancel, n in self._waits.items() if self._there() >= n]
        for cancel in over:
            cancel()

    def _block(self, n: int, timeout: float | None) -> None:
        if in_event_loop() and self._there() < n:
            raise RuntimeError("wait() would block the running event loop; use `await wait_async()`")
        with self._until(n, timeout) as ctx:
            ctx.done().wait()

    async def _pause(self, n: int, timeout: float | None) -> None:
        with self._until(n, timeout) as ctx:
            await ctx.done()


class Panics(_Awaited, list[PanicInfo]):
    """The panics so far, in the order of their reports."""

    def wait(self, n: int = 1, timeout: float | None = 5.0) -> list[PanicInfo]:
        """The first `n`, waiting for them in this thread; AssertionError if they are not there in `timeout` seconds.

        RuntimeError on the thread of a running event loop, which it would stop: use `wait_async` there.
        """
        self._block(n, timeout)
        return self._first(n, timeout)

    async def wait_async(self, n: int = 1, timeout: float | None = 5.0) -> list[PanicInfo]:
        """As `wait`, for a coroutine."""
        await self._pause(n, timeout)
        return self._first(n, timeout)

    def _there(self) -> int:
        return len(self)

    def _first(self, n: int, timeout: float | None) -> list[PanicInfo]:
        if len(self) < n:
            raise AssertionError(f"{len(self)} of {n} panics within {timeout} seconds: {list(self)}")
        return self[:n]

    def add(self, panic: PanicInfo) -> None:
        """Called for each panic, from any thread."""
        self.append(panic)
        self._wake()


@contextlib.contextmanager
def capture_panics() -> Iterator[Panics]:
    """`with capture_panics() as panics:` collects what panics in the meantime, of what is spawned in the block.

    By the context variables of the spawn, so that tests in parallel do not see each other's panics; of what has none of
    a block, as plain threads up to Python 3.13, it collects where it is the only one. They are logged and counted as
    always, but the pytest plugin does not hold them against the test. Of two that are nested the inner one collects.
    """
    panics = Panics()
    with capturing(panics.add):
        yield panics


@contextlib.contextmanager
def no_panics(grace: float = 1.0) -> Iterator[None]:
    """A block whose background work must not panic: AssertionError at its end if it did, in or without `unittest`.

    In a thread without a running event loop it waits up to `grace` seconds for the threads and pool jobs that it began.
    """
    before = {work.key for work in working()}

    def begun() -> list[Work]:
        return [work for work in working() if work.kind != "task" and work.key not in before]

    with capture_panics() as panics:
        yield
        if not in_event_loop():
            wait_while(begun, grace)
    if panics:
        raise AssertionError("\n".join(map(in_words, panics)))


def in_words(panic: PanicInfo) -> str:
    """A panic as a failure of a test."""
    what = "panicked and would have ended the process" if panic.policy == "CrashProcess" else "panicked"
    return f"{panic.component}/{panic.name} {what}: {panic.type}: {panic.value}\n{panic.stack}"


class Crash(_Awaited):
    """What would have ended the process."""

    def __init__(self) -> None:
        super().__init__()
        self.code: int | None = None
        """The exit status of the first crash; None while there is none."""
        self.panic: PanicInfo | None = None
        """The panic it was about."""
        self.panics = Panics()
        """All panics in the meantime, this one among them."""
        self._hooked = False

    def wait(self, timeout: float | None = 5.0) -> int:
        """The exit status, waiting in this thread for it and the `on_crash` hooks.

        AssertionError if there is none in `timeout` seconds; RuntimeError on the thread of a running event loop.
        """
        self._block(1, timeout)
        return self._status(timeout)

    async def wait_async(self, timeout: float | None = 5.0) -> int:
        """As `wait`, for a coroutine."""
        await self._pause(1, timeout)
        return self._status(timeout)

    def forget(self) -> None:
        """Begin anew, for the same test runs again."""
        with STATE.lock:
            self.code = self.panic = None
            self.panics.clear()
            self._hooked = False

    def end(self, code: int, panic: PanicInfo) -> None:
        """Called instead of the end of the process."""
        with STATE.lock:
            if self.code is not None:
                # A process ends once.
                return
            self.code, self.panic = code, panic
        run_hooks()
        self._hooked = True
        self._wake()

    def _there(self) -> int:
        return int(self._hooked)

    def _status(self, timeout: float | None) -> int:
        if self.code is None or not self._hooked:
            raise AssertionError(f"no crash within {timeout} seconds")
        return self.code


@contextlib.contextmanager
def capture_crash() -> Iterator[Crash]:
    """`with capture_crash() as crash:` lets the process live where CrashProcess would end it.

    The record is logged and the hooks of `on_crash` are called, once and without their time limit. The exception
    then goes on to whoever waits for the task or future, or out of the block of RecoverAndCrash. A process forked
    off in the meantime can crash. Whose crash it is, is known as by `capture_panics`; one of a context without such a
    block is the latest block's.
    """
    crash = Crash()
    with capturing(crash.panics.add, end=crash.end):
        yield crash

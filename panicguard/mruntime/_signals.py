"""SIGTERM and Ctrl-C as a request to stop, and the second one as its end."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from ._crash import BUDGET
from ._derived import root
from ._last_words import deliver
from ._log import note, write_line
from ._registry import working
from ._state import STATE
from ._stragglers import listed, stragglers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Then = Callable[[int, Any, Any], object]

STOP = (signal.SIGTERM, signal.SIGINT)
APART = 1.0
"""Seconds within which the same signal is the same request: a worker gets it from its server, and from a terminal or a
service manager that tells every process, too."""
_END = 128


def is_nobodys(handler: object) -> bool:
    """Whether a handler is one that Python or asyncio has set, and no program or server."""
    asyncios = getattr(getattr(handler, "func", None), "__qualname__", "") == "Runner._on_sigint"
    return not callable(handler) or handler is signal.default_int_handler or asyncios


def call_former(number: int, frame: object, former: Any) -> None:
    """Do what a program or a server does about the signal."""
    if not is_nobodys(former):
        former(number, frame)


class Listening:
    """Handlers that stand before those that are there: the first signal is passed on, and the same one again, a second
    later or more, ends the process. To be made, and ended, in the main thread."""

    def __init__(self, signals: Iterable[signal.Signals], told: Callable[[], object], then: Then = call_former) -> None:
        """`told`: called from a thread at the first signal, `then`: in the handler, with the former handler."""
        self._told = told
        self._then = then
        self._process = os.getpid()
        self._out, self._into = os.pipe()
        self._ended = threading.Event()
        self._closed = False
        self._ending = False
        self._before: dict[int, Any] = {}
        self._first: dict[int, float] = {}
        """Number -> when it came first, in seconds of the monotonic clock."""
        self.alone = is_nobodys(signal.getsignal(signal.SIGTERM))
        """Whether nobody else has a handler for a SIGTERM."""
        threading.Thread(target=self._wait, name="mruntime-signals", daemon=True).start()
        for number in map(int, signals):
            self._stand_before(number)

    def _stand_before(self, number: int) -> None:
        # In this order: a signal may come in between.
        self._before[number] = signal.getsignal(number)
        signal.signal(number, self._handle)

    def again(self, signals: Iterable[signal.Signals] = STOP) -> None:
        """Be there again, as the end has begun: a handler that took the place of these has had the first signal."""
        self._ending = True
        for number in map(int, signals):
            now = signal.getsignal(number)
            if now != self._handle:
                self.alone = self.alone and (number != signal.SIGTERM or is_nobodys(now))
                self._first[number] = time.monotonic()
                self._stand_before(number)

    def undo(self) -> None:
        """What was there before is there again, unless somebody has changed it since."""
        for number in self._before:
            self._restore(number)
        if not self._closed:
            self._closed = True
            os.close(self._into)

    def _restore(self, number: int) -> bool:
        """Whether there was something to restore."""
        former = self._before[number]
        mine = signal.getsignal(number) == self._handle
        if mine:
            signal.signal(number, signal.SIG_DFL if former is None else former)
        return mine

    def _handle(self, number: int, frame: object) -> None:
        # This thread may hold any lock: all that is done here is to write.
        if self._closed or os.getpid() != self._process:
            # A forked child has the handler too, but neither the thread nor the work that it would stop.
            if self._restore(number):
                signal.raise_signal(number)
            else:
                call_former(number, frame, self._before[number])
            return
        now = time.monotonic()
        first = self._first.setdefault(number, now)
        if first == now:
            os.write(self._into, bytes([number]))
            self._then(number, frame, self._before[number])
        elif now - first < APART:
            if not self._ending:
                call_former(number, frame, self._before[number])
        else:
            os.write(self._into, bytes([number + _END]))
            # Else the process could come to an end of another kind meanwhile. The hub of gevent may not wait.
            with contextlib.suppress(Exception):
                self._ended.wait(BUDGET + 1)

    def _wait(self) -> None:
        # Where gevent has replaced threads it has replaced this too, and a read would stop them all.
        ready = select.poll() if hasattr(select, "poll") else None
        if ready is not None:
            ready.register(self._out, select.POLLIN)
        while (ready is None or ready.poll()) and (got := os.read(self._out, 1)):
            if got[0] > _END:
                end(got[0] - _END)
            self._told()
        os.close(self._out)


def end(number: int) -> None:
    """Say what still runs, and end the process with 128 plus the signal's number, as a shell has it; within two
    seconds, in which the `on_crash` hooks are called and what is queued is written, as by a crash."""
    code = 128 + number
    if not STATE.crash_lock.acquire(blocking=False):
        return
    try:
        helper = threading.Thread(target=_last_words, args=(number, code), name="mruntime-end", daemon=True)
        helper.start()
        helper.join(BUDGET)
    finally:
        os._exit(code)


def _last_words(number: int, code: int) -> None:
    left = listed(stragglers(working()).values()) or "nothing"
    text = f"shutdown: {signal.Signals(number).name} again: no longer waited for: {left}; exit status {code}"
    write_line(f"mruntime: {text}")
    note(logging.CRITICAL, text)
    deliver(BUDGET)


def install_signal_handlers(signals: Iterable[signal.Signals] = STOP) -> Callable[[], None]:
    """Let the first of `signals` cancel `root()`, and call the handler that the program or its server had. The same one
    again, a second later or more, ends the process: what runs is named, and the exit status is 128 plus its number.
    Returns what undoes it.

    It does not leave that to the signal's default, which is to do nothing where the process is the first of a
    container. In a child that is forked later, signals do what they did before.

    Main then waits for `root().done()` and calls `shutdown`. RuntimeError outside the main thread, where Python
    has no signal handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("install_signal_handlers() is for the main thread")
    # Made now, for at the time of the signal this thread may hold any lock.
    root()
    return Listening(signals, _cancel_root).undo


def _cancel_root() -> None:
    # The one of now: `reopen` and `lifespan` make another.
    root()
    STATE.root.cancel()

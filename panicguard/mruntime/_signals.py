"""SIGTERM and Ctrl-C as a request to stop."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

from ._derived import root
from ._state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

STOP = (signal.SIGTERM, signal.SIGINT)


def install_signal_handlers(signals: Iterable[signal.Signals] = STOP) -> Callable[[], None]:
    """Let the first of `signals` cancel `root()`; a second one does what it did before. Returns what undoes it.

    In a child that is forked later they do what they did before.

    Main then waits for `root().done()` and calls `shutdown`. RuntimeError outside the main thread, where Python
    has no signal handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("install_signal_handlers() is for the main thread")
    # Made now, for at the time of the signal this thread may hold any lock: all the handler does is write.
    root()
    out, into = os.pipe()
    process = os.getpid()
    before: dict[signal.Signals, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        before.clear()

    def handle(number: int, frame: object) -> None:
        restore()
        if os.getpid() == process:
            os.write(into, b"x")
        else:
            # A forked child has the handler too, but neither the thread nor the work that it would stop.
            signal.raise_signal(number)

    def wait() -> None:
        if os.read(out, 1):
            # The one of now: `reopen` makes another.
            root()
            STATE.root.cancel()
        os.close(out)

    for number in signals:
        before[number] = signal.signal(number, handle)
    threading.Thread(target=wait, name="mruntime-signals", daemon=True).start()
    closed: list[bool] = []

    def undo() -> None:
        restore()
        if not closed:
            closed.append(True)
            os.close(into)

    return undo

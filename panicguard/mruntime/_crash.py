"""The end of the process: bounded, with a status, whatever else is stuck."""

from __future__ import annotations

import contextlib
import contextvars
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from ._captures import instead_of_end
from ._last_words import deliver, hooks, side_by_side
from ._log import stderr_ready, write_line
from ._panic import PanicInfo, describe, report, value_of
from ._policy import CrashProcess
from ._state import STATE
from ._storm import sum_up

try:
    import faulthandler
except ImportError:
    # Since 3.12 a sub-interpreter has none.
    faulthandler = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable

BUDGET = 2.0
"""Seconds for the log record, the hooks and the flushes together."""


def set_exit_code(code: int) -> None:
    """The status a crash exits with, 70 until then. ValueError unless it is from 1 to 255."""
    if not isinstance(code, int) or isinstance(code, bool) or not 1 <= code <= 255:
        raise ValueError(f"an exit status is an integer from 1 to 255, not {code!r}")
    STATE.exit_code = code


def on_crash(fn: Callable[[], object]) -> Callable[[], None]:
    """Call `fn` before a crash ends the process, after the record is logged; returns what takes it back.

    All of them share two seconds with the logging. What they raise is one line on file descriptor 2.
    """
    if not callable(fn):
        raise TypeError(f"on_crash needs a callable, not {type(fn).__name__}")
    key = object()
    with STATE.lock:
        STATE.hooks[key] = fn

    def undo() -> None:
        with STATE.lock:
            STATE.hooks.pop(key, None)

    return undo


def _tell(
    exc: BaseException, component: str, name: str, ctx: object, logger: Any, since: float | None = None
) -> PanicInfo:
    return report(
        exc, component=component, name=name, policy=CrashProcess, ctx=ctx, logger=logger, crash=True, since=since
    )


def run_hooks() -> None:
    """Call the `on_crash` hooks."""
    side_by_side(hooks(), BUDGET)


class _End:
    """The end of the process: what is said of it, once."""

    def __init__(self, exc: BaseException, component: str, name: str, code: int) -> None:
        self.exc = exc
        self.where = f"{component}/{name}"
        self.code = code
        self.said = False

    def say(self, value: str = "") -> None:
        """One line, with what the exception says if that is known."""
        if not self.said:
            self.said = True
            what = f"{describe(self.exc)}: {value}" if value else describe(self.exc)
            write_line(f"mruntime: crash: panic in {self.where}: {what}; exit status {self.code}")


def _last_words(end: _End, component: str, name: str, ctx: object, logger: Any) -> None:
    until = time.monotonic() + BUDGET
    # First, for a handler of the log may never return; and here, for so may the text of an exception.
    end.say(value_of(end.exc))
    _tell(end.exc, component, name, ctx, logger)
    sum_up(rest=True)
    deliver(until - time.monotonic())


def _alarm() -> bool:
    """Have a signal end the process, where not even the timer got a thread; False if the program uses it."""
    with contextlib.suppress(BaseException):
        if signal.getsignal(signal.SIGALRM) == signal.SIG_DFL:
            signal.setitimer(signal.ITIMER_REAL, BUDGET + 1)
            return True
    return False


def crash(
    exc: BaseException,
    *,
    component: str,
    name: str,
    ctx: object = None,
    code: int = 0,
    logger: Any = None,
    since: float | None = None,
) -> PanicInfo:
    """Report `exc` and end the process with `code` (0: the one set) within three seconds.

    It returns in tests only, under `mruntime.testing.capture_crash`.
    """
    code = code or STATE.exit_code
    instead = instead_of_end(since)
    if instead is not None:
        info = _tell(exc, component, name, ctx, logger, since)
        instead(code, info)
        return info
    if not STATE.crash_lock.acquire(blocking=False):
        if STATE.crash_owner == threading.get_ident():
            # A signal handler on the very thread that is ending the process: to wait would stop that.
            os._exit(code)
        while True:
            time.sleep(3600)
    STATE.crash_owner = threading.get_ident()
    try:
        armed = False
        # First of all, before any code that is not ours: a thread in C that ends the process even if the
        # GIL is never given back. Into a pipe that nobody reads it would wait for ever.
        with contextlib.suppress(BaseException):
            out = 2 if stderr_ready() else os.open(os.devnull, os.O_WRONLY)
            if faulthandler is not None:
                faulthandler.dump_traceback_later(BUDGET + 1, exit=True, file=out)
                armed = True
        end = _End(exc, component, name, code)
        with contextlib.suppress(BaseException):
            try:
                helper = threading.Thread(
                    target=contextvars.copy_context().run,
                    args=(_last_words, end, component, name, ctx, logger),
                    name="mruntime-crash",
                    daemon=True,
                )
                if sys.is_finalizing():
                    # Up to 3.11 to start one then takes for ever.
                    raise RuntimeError
                helper.start()
            except RuntimeError:
                # No thread is to be had, as on 3.12 once the main thread has ended: the timer is the limit.
                if armed or _alarm():
                    _last_words(end, component, name, ctx, logger)
            else:
                helper.join(BUDGET)
        with contextlib.suppress(BaseException):
            end.say()
    finally:
        os._exit(code)

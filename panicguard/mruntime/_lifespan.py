"""`lifespan`: a block at whose end all work is told to stop, and joined."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from ._context import in_event_loop, running_loop
from ._reopen import start_over
from ._shutdown import shutdown, shutdown_async
from ._signals import STOP, Listening, call_former, is_nobodys
from ._state import STATE
from ._under import server

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ._stragglers import ShutdownReport


class Lifespan:
    """What `lifespan` returns: for one `with`, or one `async with`."""

    def __init__(self, timeout: float | None, cancel_futures: bool, children: bool) -> None:
        self._timeout = timeout
        self._options = {"cancel_futures": cancel_futures, "children": children}
        self._own = False
        """Whether the process is the program's own, with its exit status."""
        self._listening: Listening | None = None
        self._uncancel: Callable[[], object] | None = None
        self.report: ShutdownReport | None = None
        """What became of the work; None before the end."""

    def __enter__(self) -> Lifespan:
        if in_event_loop():
            raise RuntimeError("this block would block the running event loop at its end; use `async with`")
        # Ctrl-C is left to whom it reaches: a loop, a server or nobody. They know what to do about it.
        self._own = server().own_process
        self._begin((signal.SIGTERM,), _as_ctrl_c)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> bool:
        self.join()
        return self._ended(exc)

    async def __aenter__(self) -> None:
        task = asyncio.current_task() if running_loop() is not None else None
        self._own = server().own_process
        if not self._own:
            self._begin(STOP, call_former)
        else:
            self._begin(STOP, _as_ctrl_c if task is None else self._cancelling(task))

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> bool:
        await self.join_async()
        return self._ended(exc)

    def join(self) -> ShutdownReport:
        """Stop and join all work now; from a thread."""
        self._again()
        self.report = shutdown(self._seconds(), **self._options)
        self._undo()
        return self.report

    async def join_async(self) -> ShutdownReport:
        """As `join`, from a coroutine."""
        self._again()
        if running_loop() is None:
            trio: Any = sys.modules["trio"]
            with trio.CancelScope(shield=True):
                self.report = await trio.to_thread.run_sync(self.join)
        else:
            self.report = await shutdown_async(self._seconds(), **self._options)
        self._undo()
        return self.report

    def _seconds(self) -> float:
        return server().seconds if self._timeout is None else self._timeout

    def _begin(self, signals: Any, then: Callable[[int, Any, Any], object]) -> None:
        with STATE.lock:
            # A new life, be it that of a server which is started again in this process, as tests do.
            if STATE.closed:
                start_over()
        self._listen(signals, then)

    def _listen(self, signals: Any, then: Callable[[int, Any, Any], object]) -> None:
        if threading.current_thread() is threading.main_thread():
            # `root()` is cancelled at the end only: what the requests in flight need is there until then.
            self._listening = Listening(signals, lambda: None, then)

    def _again(self) -> None:
        if self._listening is None:
            self._listen((), call_former)
        if self._listening is not None and threading.current_thread() is threading.main_thread():
            self._listening.again()

    def _undo(self) -> None:
        """Let go of the signals; not where the process is about to wait for threads, which a signal is to end."""
        mine = self._listening
        if mine is None or threading.current_thread() is not threading.main_thread():
            return
        if not (mine.alone and self.report is not None and self.report.running):
            mine.undo()

    def _cancelling(self, task: asyncio.Task[Any]) -> Callable[[int, Any, Any], object]:
        def then(number: int, frame: object, former: Any) -> None:
            call_former(number, frame, former)
            if is_nobodys(former) and self._uncancel is None:
                self._uncancel = getattr(task, "uncancel", lambda: None)
                task.get_loop().call_soon_threadsafe(task.cancel)

        return then

    def _ended(self, exc: BaseException | None) -> bool:
        """Whether the block ends without what has ended it, which was the signal; SystemExit if work was cut off in a
        process that is its own."""
        mine = self._listening
        if mine is None or not (self._own and mine.alone):
            return False
        swallow = exc is not None and self._is_told(exc)
        if swallow and self._uncancel is not None:
            self._uncancel()
        status = 0 if self.report is None else self.report.status
        if status and (exc is None or swallow or _is_good(exc)):
            raise SystemExit(status) from None
        return swallow

    def _is_told(self, exc: BaseException) -> bool:
        """Whether it only says that the process was told to stop."""
        leaves = getattr(exc, "exceptions", None)
        if leaves is not None:
            return all(map(self._is_told, leaves))
        cancelled = self._uncancel is not None and isinstance(exc, asyncio.CancelledError)
        return cancelled or isinstance(exc, KeyboardInterrupt)


def _is_good(exc: BaseException) -> bool:
    return isinstance(exc, SystemExit) and not exc.code


def _as_ctrl_c(number: int, frame: object, former: Any) -> None:
    """What a Ctrl-C does, which every server ends well by; unless it has a handler for this signal."""
    if not is_nobodys(former):
        former(number, frame)
    elif callable(signal.getsignal(signal.SIGINT)) and number != signal.SIGINT:
        signal.raise_signal(signal.SIGINT)
    else:
        raise KeyboardInterrupt


def lifespan(
    app: object = None, /, *, timeout: float | None = None, cancel_futures: bool = False, children: bool = False
) -> Lifespan:
    """A block, `with` or `async with`, at whose end all work is stopped and joined as by `shutdown`.

    It is itself what FastAPI, Starlette and Litestar take as `lifespan=`. Around a program, or what runs a server, a
    SIGTERM ends the block as a Ctrl-C would; the handlers that the program or its server has go first. The same signal
    again ends the process, with 128 plus its number. If work was cut off, the block ends in a SystemExit with the
    status of `set_exit_code`; never under a server that heeds SIGTERM itself, whose status is its own.

    `timeout`: the seconds to wait; None: those that the server in whose process it is leaves, eight if it is not
    known. `cancel_futures` and `children` are those of `shutdown`.
    """
    return Lifespan(timeout, cancel_futures, children)

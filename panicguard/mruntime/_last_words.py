"""What the end of a process by a crash delivers, and which children it takes along, as Python's own end would."""

from __future__ import annotations

import contextlib
import logging
import queue
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from ._log import write_line
from ._state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FOR_LOGGING = 0.2
"""Seconds that are left to end logging."""
_POOLS = ("concurrent.futures.process", "loky.process_executor")


class Step(NamedTuple):
    """Something to do before the process ends."""

    what: str
    call: Callable[[], object]


def deliver(budget: float) -> None:
    """Call the `on_crash` hooks, send what is queued and end the children, side by side, so that what hangs costs only
    itself; then end logging. Takes `budget` seconds, or longer where that hangs."""
    side_by_side([*hooks(), *_flushes()], budget - FOR_LOGGING)
    _attempt(Step("logging.shutdown", logging.shutdown))
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(BaseException):
                stream.flush()


def hooks() -> list[Step]:
    """The `on_crash` hooks."""
    return [Step("an on_crash hook", hook) for hook in list(STATE.hooks.values())]


def side_by_side(steps: Iterable[Step], seconds: float) -> None:
    """Do all of it, and wait for so long at most."""
    until = time.monotonic() + seconds
    threads = []
    for step in steps:
        thread = threading.Thread(target=_attempt, args=(step,), name="mruntime-crash", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread is to be had
            _attempt(step)
        else:
            threads.append(thread)
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))


def _attempt(step: Step) -> None:
    try:
        step.call()
    except BaseException as error:
        write_line(f"mruntime: crash: {step.what} raised {type(error).__name__}")


def _flushes() -> Iterator[Step]:
    flush = getattr(STATE.reporter, "flush", None)
    if callable(flush):
        yield Step("the error reporter", flush)
    for handler in _handlers():
        if isinstance(handler, _queue_handlers()):
            yield Step("a listener of the log", lambda handler=handler: _drain(handler))  # type: ignore[misc]
    if "multiprocessing.util" in sys.modules:
        yield Step("the end of the children", _end_children)


def _handlers() -> list[logging.Handler]:
    """The handlers there are, in whatever logger."""
    known = [reference() for reference in list(getattr(logging, "_handlerList", ()))]
    return [handler for handler in known if handler is not None]


def _queue_handlers() -> tuple[type, ...]:
    kind = getattr(sys.modules.get("logging.handlers"), "QueueHandler", None)
    return () if kind is None else (kind,)


def _drain(handler: Any) -> None:
    """Have what stands in the queue of a handler be written: by its listener, where it knows that."""
    listener = getattr(handler, "listener", None)
    if listener is not None:
        listener.stop()
        return
    while isinstance(handler.queue, (queue.Queue, queue.SimpleQueue)) and not handler.queue.empty():
        time.sleep(0.01)


def _end_children() -> None:
    """End what Python's own end would end: daemon processes, the workers of pools, managers; and write what stands in
    queues between processes, whose locks would stay taken for ever."""
    util = sys.modules["multiprocessing.util"]
    processes = sys.modules.get("multiprocessing.process")
    children = list(getattr(processes, "_children", ()))
    for name in _POOLS:
        for manager in list(getattr(sys.modules.get(name), "_threads_wakeups", ())):
            for worker in list((getattr(manager, "processes", None) or {}).values()):
                worker.terminate()
    for child in children:
        if child.daemon:
            child.terminate()
    util._run_finalizers()

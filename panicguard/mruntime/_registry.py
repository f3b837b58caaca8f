"""What runs now."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from ._stack import MAX_CHARS, MAX_FRAMES
from ._state import STATE

if TYPE_CHECKING:
    from types import FrameType


class Work(NamedTuple):
    """One entry of the registry."""

    kind: str
    handle: Any
    """The task or future, the thread, the pool job, or the record of what waits for another loop."""
    component: str
    name: str
    key: object
    """What stays the same when that which waits for another loop becomes a task of it."""
    began: float
    """By `perf_counter`; 0.0 if it has not begun."""


def working(but: tuple[object, ...] = ()) -> list[Work]:
    """What is in the registry and not yet dead, without the caller itself."""
    me = threading.current_thread()
    with STATE.lock:
        tasks, threads, jobs = list(STATE.tasks.items()), list(STATE.threads), list(STATE.jobs)
        # Normally they leave by themselves; but not if their loop was closed before, or on an ill-timed Ctrl-C.
        for task, record in tasks:
            if task.done() or task.get_loop().is_closed():
                record.leave(task)
    found = [
        Work("task", task, record.component, record.name, record, record.began)
        for task, record in tasks
        if not task.done() and not task.get_loop().is_closed() and task not in but
    ]
    for thread in threads:
        mine: Any = thread
        if thread is not me and (thread.is_alive() or thread.ident is None):
            began = getattr(mine, "_mr_started_at", 0.0)
            found.append(Work("thread", thread, mine._mr_component, mine._mr_source(), thread, began))
    found += [
        Work("job", job, job.component, job.name, job, job.began)
        for job in jobs
        if getattr(job, "thread", None) != threading.get_ident()
    ]
    return found


def stack_of(work: Work, frames: dict[int, FrameType]) -> str:
    """Where it is now, its last frames; "" if it has not begun. `frames`: those of `sys._current_frames()`."""
    if work.kind == "task":
        coro = work.handle.get_coro() if isinstance(work.handle, asyncio.Task) else None
        lines: list[str] = []
        # Task.get_stack() has only the outermost of them, which is ours.
        while coro is not None and len(lines) < MAX_FRAMES:
            frame = getattr(coro, "cr_frame", None)
            lines += [] if frame is None else traceback.format_stack(frame, limit=1)
            coro = getattr(coro, "cr_await", None)
        return "".join(lines[1:])[-MAX_CHARS:]
    ident = work.handle.ident if work.kind == "thread" else getattr(work.handle, "thread", 0)
    at = frames.get(ident)
    return "" if at is None else "".join(traceback.format_stack(at, limit=-MAX_FRAMES))[-MAX_CHARS:]


class Running(NamedTuple):
    """Work that was spawned and has not ended."""

    kind: str
    """`task`, `thread` or `job`."""
    component: str
    name: str
    seconds: float
    """Since it began; 0.0 if it has not."""
    stack: str
    """Where it is, the last 64 frames, at most 4096 characters of them; "" if it has not begun."""

    def __str__(self) -> str:
        head = f"{self.kind} {self.component}/{self.name}, {self.seconds:.1f} s"
        return f"{head}\n{self.stack}".rstrip("\n")


def running() -> tuple[Running, ...]:
    """What was spawned and has not ended, the oldest first, without the caller itself. Values are in none of it."""
    now, frames = perf_counter(), sys._current_frames()
    found = sorted(working((_current_task(),)), key=lambda work: work.began or now)
    return tuple(
        Running(w.kind, w.component, w.name, now - w.began if w.began else 0.0, stack_of(w, frames)) for w in found
    )


def _current_task() -> object:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None

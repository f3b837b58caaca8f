"""What all copies of the runtime in one process share."""

from __future__ import annotations

import contextlib
import contextvars
import math
import os
import sys
import threading
import types
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "_mruntime_state_v1"
MAX_LABEL_BYTES = 64
MAX_LABELS = 256
OTHER = "_other"
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3600.0)
"""In seconds, what durations are counted by: up to 10 as Prometheus clients do, then for work that goes on for long."""


class Counts:
    """What is counted for one label."""

    __slots__ = (
        "active",
        "cancelled",
        "ended",
        "held_back",
        "label",
        "last_panic",
        "panics",
        "restarts",
        "seconds",
        "started",
    )

    def __init__(self, label: str) -> None:
        self.label = label
        self.started = 0
        self.active = 0
        self.ended = [0] * (len(BOUNDS) + 1)
        """The finished ones: by the first of `BOUNDS` that they did not take longer than, the last by none."""
        self.cancelled = 0
        self.panics = 0
        self.held_back = 0
        """Those of them that were not logged."""
        self.last_panic: tuple[str, str, str, float] | None = None
        """Type, value, place and time of the latest."""
        self.restarts = 0
        self.seconds = 0.0
        """How long the finished ones took together."""


class State(types.ModuleType):
    """Registry, counters and the crash latch. Read every attribute late: a fork replaces the locks."""

    def __init__(self) -> None:
        super().__init__(KEY, "Shared state of the mruntime copies in this process.")
        # Re-entrant, because a finalizer or a signal handler may spawn while this thread holds it.
        self.lock = threading.RLock()
        self.epoch = 0
        """Number of forks between the first process and this one."""
        self.tasks: dict[Any, Any] = {}
        """Strong references: task or future -> its record."""
        self.threads: dict[threading.Thread, None] = {}
        self.jobs: dict[Any, None] = {}
        """What waits for a pool or for a loop in another thread, and pool jobs that run."""
        self.waiters: dict[object, Callable[[], object]] = {}
        """Called, with the lock held, whenever something leaves the registry."""
        self.counts: dict[str, Counts] = {}
        """By label."""
        self.panics: dict[tuple[str, str], int] = {}
        """By label and name."""
        self.current: contextvars.ContextVar[Any] = contextvars.ContextVar("mruntime_context")
        self.local = threading.local()
        self.warned: set[tuple[str, int]] = set()
        self.root: Any = None
        self.closed = False
        """After `shutdown` nothing is started any more."""
        self.shutdowns = 0
        """How many of them run."""
        self.at_main_end: threading.Thread | None = None
        """Waits for the end of the main thread, which ends `root()`."""
        self.observers: dict[object, Callable[[Any, Any], object]] = {}
        """Called with what is reported, a PanicInfo, and the exception or value."""
        self.captures: list[Any] = []
        """The blocks of tests that are told of panics, the latest last."""
        self.capture: contextvars.ContextVar[Any] = contextvars.ContextVar("mruntime_capture", default=None)
        """The one that the context was copied in."""
        self.reporter: Any = None
        self.registries: list[Any] = []
        """The Prometheus registries that show the counters."""
        self.production = False
        self.complained = 0.0
        """When the last line about a failing observer was written, in seconds of the monotonic clock."""
        self.passing: dict[object, tuple[type[BaseException], ...]] = {}
        """What is no panic, beyond what is known of frameworks."""
        self.once_only = False
        """Whether asyncio's log leaves out what was reported."""
        self.silenced = False
        """Whether it was said that panics are not logged."""
        self.hooks: dict[object, Callable[[], object]] = {}
        self.exit_code = 70
        self.crash_lock = threading.Lock()
        self.crash_owner = 0
        """The thread that ends the process; 0 if none does."""
        self.storm_limit: int | None = 30
        self.storms: dict[tuple[str, str, str], Any] = {}
        """Component, type and place -> what was logged of these panics, and what was not."""
        self.storm_due = math.inf
        """When to sum up next, by the monotonic clock."""
        self.storm_at_exit = False
        """Whether the end of Python tells the rest."""
        self.inherited: list[dict[Any, Any]] = []
        """Tasks of the parent process: never run here, and never finalized here."""


def _after_fork(state: State) -> None:
    state.lock = threading.RLock()
    state.crash_lock = threading.Lock()
    state.crash_owner = 0
    state.local = threading.local()
    state.epoch += 1
    for task in state.tasks:
        with contextlib.suppress(Exception):
            task._log_destroy_pending = False
    # Kept: freeing them would run the parent's `finally` blocks in the child.
    state.inherited.append(state.tasks)
    state.tasks = {}
    state.threads = {}
    state.jobs = {}
    state.waiters = {}
    state.root = None
    state.closed = False
    state.shutdowns = 0
    state.at_main_end = None
    # What the parent's test waits for does not happen here, and a crash is to end this process.
    state.captures = []
    state.storms = {}
    state.storm_due = math.inf
    # What the parent has counted is not counted again in each of its children.
    state.counts = {}
    state.panics = {}


def _load() -> State:
    found = sys.modules.get(KEY)
    if found is None:
        made = State()
        found = sys.modules.setdefault(KEY, made)
        if found is made and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: _after_fork(made))
    return cast("State", found)


STATE = _load()


def _cut(text: str) -> str:
    """At most 64 UTF-8 bytes of it, cut between code points."""
    return text.encode("utf-8", "replace")[:MAX_LABEL_BYTES].decode("utf-8", "ignore")


def counts_of(component: object) -> Counts:
    """Where it is counted, `_other` after 256 labels. Call it with the lock held."""
    text = component if isinstance(component, str) else type(component).__name__
    found = STATE.counts.get(text)
    if found is not None:
        return found
    label = _cut(text)
    found = STATE.counts.get(label)
    if found is None:
        if len(STATE.counts) >= MAX_LABELS:
            label = OTHER
        found = STATE.counts.setdefault(label, Counts(label))
    return found


def count_started(component: object) -> Counts:
    """Count one that begins; the result is for `count_ended` or `take_back`. Call it with the lock held."""
    counts = STATE.counts.get(component) if type(component) is str else None
    if counts is None:
        counts = counts_of(component)
    counts.started += 1
    counts.active += 1
    return counts


def take_back(counts: Counts) -> None:
    """Uncount one that never began. Call it with the lock held."""
    counts.started -= 1
    counts.active -= 1


def count_ended(counts: Counts, seconds: float) -> None:
    """Count one that has ended after so long. Call it with the lock held."""
    # Those of a parent process were taken out when the child was forked off.
    if counts.active:
        counts.active -= 1
    counts.ended[bisect_left(BOUNDS, seconds)] += 1
    counts.seconds += seconds


def wake_waiters() -> None:
    """Tell those who wait that something has left the registry. Call it with the lock held."""
    for wake in tuple(STATE.waiters.values()):
        wake()


def count_panic(component: object, name: str, what: tuple[str, str, str, float]) -> None:
    """Count one panic: its type, value, place and time."""
    with STATE.lock:
        counts = counts_of(component)
        counts.panics += 1
        counts.last_panic = what
        key = (counts.label, _cut(name))
        if key not in STATE.panics and len(STATE.panics) >= MAX_LABELS:
            key = (OTHER, OTHER)
        STATE.panics[key] = STATE.panics.get(key, 0) + 1


def count_restart(component: object) -> None:
    """Count that work which panicked is started again."""
    with STATE.lock:
        counts_of(component).restarts += 1


def refuse_closed(where: str) -> None:
    """RuntimeError if nothing may be started any more."""
    if STATE.closed:
        raise RuntimeError(f"{where}: nothing is started after mruntime.shutdown()")
    if sys.is_finalizing():
        raise RuntimeError(f"{where}: can't start anything while Python is shutting down")


def metrics() -> dict[str, dict[str, float]]:
    """A snapshot, by component: metric name -> component -> value, since the process began.

    `goroutine_started_total`, `goroutine_cancelled_total`, `goroutine_panics_total`,
    `goroutine_panics_held_back_total` (those of them that were not logged), `goroutine_restarts_total` and
    `goroutine_duration_seconds_count` (those that have ended) only grow; `goroutine_active` is how many there are now;
    `goroutine_duration_seconds_sum` is how long the ended ones took together. Components are cut to 64 bytes; after 256
    of them the rest is `_other`.
    """
    with STATE.lock:
        counted = STATE.counts.values()
        return {
            "goroutine_started_total": {c.label: c.started for c in counted if c.started},
            "goroutine_cancelled_total": {c.label: c.cancelled for c in counted if c.cancelled},
            "goroutine_panics_total": {c.label: c.panics for c in counted if c.panics},
            "goroutine_panics_held_back_total": {c.label: c.held_back for c in counted if c.held_back},
            "goroutine_restarts_total": {c.label: c.restarts for c in counted if c.restarts},
            "goroutine_active": {c.label: c.active for c in counted if c.started},
            "goroutine_duration_seconds_count": {c.label: sum(c.ended) for c in counted if c.started},
            "goroutine_duration_seconds_sum": {c.label: c.seconds for c in counted if c.started},
        }


def durations() -> dict[str, tuple[tuple[int, ...], float]]:
    """A snapshot: component -> how many ended within each of `BOUNDS` and after the last, and how long all took."""
    with STATE.lock:
        return {c.label: (tuple(c.ended), c.seconds) for c in STATE.counts.values() if c.started}


def panics_by_name() -> dict[tuple[str, str], int]:
    """A snapshot: (component, name) -> panics."""
    with STATE.lock:
        return dict(STATE.panics)

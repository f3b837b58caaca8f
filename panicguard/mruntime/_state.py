"""What all copies of the runtime in one process share."""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import threading
import types
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "_mruntime_state_v1"
MAX_LABEL_BYTES = 64
MAX_LABELS = 256
OTHER = "_other"


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
        self.labels: dict[str, str] = {}
        self.started: dict[str, int] = {}
        self.panics: dict[str, int] = {}
        self.current: contextvars.ContextVar[Any] = contextvars.ContextVar("mruntime_context")
        self.local = threading.local()
        self.warned: set[tuple[str, int]] = set()
        self.hooks: dict[object, Callable[[], object]] = {}
        self.exit_code = 70
        self.crash_lock = threading.Lock()
        self.crash_owner = 0
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


def label(component: object) -> str:
    """The label value for a component, `_other` after 256 of them. Call it with the lock held."""
    text = component if isinstance(component, str) else type(component).__name__
    found = STATE.labels.get(text)
    if found is None:
        found = _cut(text)
        if found in STATE.labels:
            return found
        if len(STATE.labels) >= MAX_LABELS:
            return OTHER
        STATE.labels[found] = found
    return found


def count_started(component: object, n: int = 1) -> None:
    """Count one spawn; `n=-1` takes back one that never began."""
    with STATE.lock:
        name = label(component)
        started = STATE.started
        started[name] = started.get(name, 0) + n
        if n < 0 and not started[name]:
            del started[name]


def count_panic(component: object) -> None:
    """Count one panic."""
    with STATE.lock:
        name = label(component)
        STATE.panics[name] = STATE.panics.get(name, 0) + 1


def metrics() -> dict[str, dict[str, int]]:
    """A snapshot: counter name -> component -> count, since the process began."""
    with STATE.lock:
        return {
            "goroutine_started_total": dict(STATE.started),
            "goroutine_panics_total": dict(STATE.panics),
        }

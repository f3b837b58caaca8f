"""The same panic again and again: logged so often, then counted, and summed up once a minute."""

from __future__ import annotations

import atexit
import collections
import logging
import math
from time import monotonic
from typing import Any

from ._log import SILENCED, emit, write_line
from ._state import OTHER, STATE, counts_of

MINUTE = 60.0
MAX_KINDS = 256
"""So many different panics are told apart."""
MAX_TEXT = 256


class Storm:
    """What was logged, and what was not, of one component's panics of one type from one place."""

    __slots__ = ("component", "held", "logged", "logger", "place", "since", "type")

    def __init__(self, component: str, kind: str, place: str) -> None:
        self.component = component
        self.type = kind
        self.place = place
        self.logged: collections.deque[float] = collections.deque()
        """When it was, within the last minute."""
        self.held = 0
        self.since = 0.0
        """When the first of them was held back."""
        self.logger: Any = None


def set_storm_limit(limit: int | None) -> None:
    """How often a minute the same panic (component, type, place) is logged, 30 until then; None: always.

    What is beyond is held back from the log and the error reporter, counted, and summed up in one record a minute,
    which comes with the next panic of whatever kind, or with the end: `shutdown`, a crash, or that of Python. What
    CrashProcess ends the process for is never held back. ValueError unless it is None or an integer from 1 on.
    """
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise ValueError(f"a storm limit is None or an integer from 1 on, not {limit!r}")
    STATE.storm_limit = limit
    if limit is None:
        sum_up(rest=True)
        forget()


def forget() -> None:
    """Log all panics as if there had been none before."""
    with STATE.lock:
        STATE.storms.clear()
        STATE.storm_due = math.inf


def held_back(component: object, kind: str, place: str, logger: Any) -> bool:
    """Whether this panic is counted and not logged."""
    limit = STATE.storm_limit
    if limit is None:
        return False
    now = monotonic()
    with STATE.lock:
        counts = counts_of(component)
        storm = _storm(counts.label, kind[:MAX_TEXT], place[:MAX_TEXT], now)
        while storm.logged and now - storm.logged[0] >= MINUTE:
            storm.logged.popleft()
        if len(storm.logged) < limit:
            storm.logged.append(now)
            return False
        if not storm.held:
            storm.since = now
            STATE.storm_due = min(STATE.storm_due, now + MINUTE)
        storm.held += 1
        storm.logger = logger
        counts.held_back += 1
        if not STATE.storm_at_exit:
            STATE.storm_at_exit = True
            atexit.register(sum_up, rest=True)
    return True


def _storm(component: str, kind: str, place: str, now: float) -> Storm:
    key = (component, kind, place)
    if key not in STATE.storms and len(STATE.storms) >= MAX_KINDS:
        over = [k for k, s in STATE.storms.items() if not s.held and now - s.logged[-1] >= MINUTE]
        for one in over:
            del STATE.storms[one]
        if not over:
            key = (OTHER, OTHER, OTHER)
    found: Storm = STATE.storms.get(key) or STATE.storms.setdefault(key, Storm(*key))
    return found


def sum_up(*, rest: bool = False) -> None:
    """Log how many were held back for a minute by now; `rest`: or for less. Never raises."""
    now = monotonic()
    if not rest and now < STATE.storm_due:
        return
    with STATE.lock:
        told = []
        for storm in STATE.storms.values():
            if storm.held and (rest or now - storm.since >= MINUTE):
                told.append((storm, storm.held, now - storm.since, storm.logger))
                storm.held, storm.logger = 0, None
        STATE.storm_due = min((s.since + MINUTE for s in STATE.storms.values() if s.held), default=math.inf)
    for storm, held, seconds, logger in told:
        _log(storm, held, seconds, logger)


def _log(storm: Storm, held: int, seconds: float, logger: Any) -> None:
    what = f"{storm.component}: {storm.type} at {storm.place}" if storm.component != OTHER else "other components"
    when = "minute" if MINUTE <= seconds < MINUTE + 1 else f"{math.ceil(seconds)} s"
    message = f"panics recovered in {what}, and {held:,} more in the last {when}"
    extra = {
        "panic_component": storm.component,
        "panic_type": storm.type,
        "panic_held_back": held,
        "stack_trace": "",
    }
    try:
        why = emit(logger, logging.ERROR, None, message, extra)
    except BaseException as error:
        why = f"logging raised {type(error).__name__}"
    if why and why != SILENCED:
        write_line(f"mruntime: {message} [not logged: {why}]")

"""The same panic again and again."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

from panicguard.mruntime import (
    CrashProcess,
    KeepRunning,
    RecoverAndLog,
    SafeGo,
    Supervise,
    handle_panic_value,
    metrics,
    observe_panics,
    reopen,
    set_error_reporter,
    set_storm_limit,
    shutdown,
)
from panicguard.mruntime import _storm as storm
from panicguard.mruntime._state import STATE
from panicguard.mruntime.testing import capture_crash, capture_panics

LIMIT = 30


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(storm, "monotonic", found)
    return found


@pytest.fixture(autouse=True)
def limit():
    yield
    set_storm_limit(LIMIT)


def boom(text: str = "the reason") -> None:
    raise ValueError(text)


def other_place() -> None:
    raise ValueError("the reason")


def panic(component: str, fn=boom, *, logger: logging.Logger | None = None) -> None:
    with RecoverAndLog("block", component=component, logger=logger):
        fn()


def sums(records) -> list[tuple[str, int]]:
    return [(r.panic_component, r.panic_held_back) for r in records.all if hasattr(r, "panic_held_back")]


def held_back(component: str) -> float:
    return metrics()["goroutine_panics_held_back_total"].get(component, 0)


@pytest.mark.parametrize("limit", [1, LIMIT])
@pytest.mark.parametrize("pause", [0.001, 0.4, 1.9, 2.1, 70.0])
def test_invariant_35_a_storm_loses_no_count_and_logs_at_most_n_plus_1_a_minute(records, clock, limit, pause):
    set_storm_limit(limit)
    component = f"storm {limit} {pause}"
    written: list[float] = []
    logging.getLogger("mruntime").addFilter(note := lambda record: bool(written.append(clock.now)) or True)
    panics = 500
    try:
        with capture_panics() as captured:
            for _ in range(panics):
                panic(component)
                clock.now += pause
        storm.sum_up(rest=True)
    finally:
        logging.getLogger("mruntime").removeFilter(note)
    logged = [r for r in records.panics if r.panic_component == component]
    counted = sum(held for of, held in sums(records) if of == component)
    assert len(captured) == len(logged) + counted == metrics()["goroutine_panics_total"][component] == panics
    assert held_back(component) == counted
    # In whichever minute one looks, but for the rest at the end.
    for began in written[:-1]:
        assert sum(began <= at < began + 60 for at in written[:-1]) <= limit + 1
    assert len(logged) >= min(limit, panics)
    if 60 / pause < limit:
        assert not counted


def test_only_the_same_panic_of_the_same_place_is_one(records, clock):
    set_storm_limit(1)
    for _ in range(2):
        panic("a")
        panic("b")
        panic("a", other_place)
        panic("a", lambda: {}["missing"])
    assert [(r.panic_component, r.panic_type) for r in records.panics] == [
        ("a", "ValueError"),
        ("b", "ValueError"),
        ("a", "ValueError"),
        ("a", "KeyError"),
    ]


def test_the_sum_comes_with_the_next_panic_of_whatever_kind_after_a_minute(records, clock):
    set_storm_limit(2)
    for _ in range(3414):
        panic("busy")
    clock.now += 59
    panic("calm")
    assert not sums(records)
    clock.now += 1.5
    panic("calm")
    [summed] = [r for r in records.all if hasattr(r, "panic_held_back")]
    assert summed.levelno == logging.ERROR
    assert re.fullmatch(
        rf"panics recovered in busy: ValueError at {re.escape(__name__)}\.boom:\d+, and 3,412 more in the last minute",
        summed.getMessage(),
    )
    assert records.all.index(summed) == len(records.all) - 2
    clock.now += 60
    panic("calm")
    assert len(sums(records)) == 1


def test_none_turns_it_off_and_tells_the_rest(records):
    set_storm_limit(1)
    for _ in range(3):
        panic("off")
    set_storm_limit(None)
    assert sums(records) == [("off", 2)]
    for _ in range(LIMIT * 2):
        panic("off")
    assert len(records.panics) == 1 + LIMIT * 2


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "30"])
def test_a_limit_is_a_positive_integer(limit):
    with pytest.raises(ValueError, match="a storm limit is None or an integer from 1 on"):
        set_storm_limit(limit)
    assert STATE.storm_limit == LIMIT


def test_what_is_held_back_goes_to_observers_and_not_to_the_reporter(records):
    class Reporter:
        calls = 0

        def capture_exception(self, *_: object) -> None:
            self.calls += 1

    seen: list[object] = []
    reporter = Reporter()
    undo = observe_panics(lambda panic, exc: seen.append(panic))
    set_error_reporter(reporter)
    try:
        for _ in range(LIMIT + 5):
            panic("seen")
    finally:
        undo()
        set_error_reporter(None)
    assert (len(records.panics), reporter.calls, len(seen)) == (LIMIT, LIMIT, LIMIT + 5)


def test_the_sum_goes_where_the_panics_went(records):
    own = logging.getLogger("own")
    told: list[str] = []
    own.addHandler(handler := logging.Handler())
    handler.emit = lambda record: told.append(record.getMessage())
    set_storm_limit(1)
    try:
        for _ in range(3):
            panic("own", logger=own)
        storm.sum_up(rest=True)
    finally:
        own.removeHandler(handler)
    assert len(told) == 2
    assert told[1].endswith("and 2 more in the last 1 s")
    assert not sums(records)


def test_a_crash_is_never_held_back(records):
    set_storm_limit(1)
    for _ in range(3):
        with capture_crash():
            SafeGo("crash", CrashProcess, boom).join()
    assert [r.levelname for r in records.panics] == ["CRITICAL"] * 3


def test_however_many_kinds_there_are_so_many_are_kept(records, clock):
    set_storm_limit(1)
    many = storm.MAX_KINDS + 40
    for _ in range(2):
        for n in range(many):
            panic("kinds", lambda n=n: boom_of(n))
    assert len(STATE.storms) <= storm.MAX_KINDS + 1
    storm.sum_up(rest=True)
    assert len(records.panics) + sum(held for _, held in sums(records)) == many * 2
    assert held_back("kinds") == many * 2 - len(records.panics)
    [others] = [r.getMessage() for r in records.all if getattr(r, "panic_type", "") == "_other"]
    assert others.startswith("panics recovered in other components, and ")
    # Those of a minute ago make room.
    clock.now += 60
    records.all.clear()
    panic("kinds", lambda: boom_of(many))
    panic("kinds", lambda: boom_of(many + 1))
    assert len(records.panics) == 2


def boom_of(n: int) -> None:
    raise type(f"Error{n}", (Exception,), {})


def test_a_supervised_storm_is_one_too(records):
    set_storm_limit(3)
    Supervise("sup-storm", boom, backoff=(0, 0), max_restarts=9).join(5)
    assert len(records.panics) == 3
    assert metrics()["goroutine_panics_total"]["sup-storm"] == 10
    assert held_back("sup-storm") == 7


def test_shutdown_tells_the_rest(records):
    set_storm_limit(1)
    for _ in range(3):
        panic("shut")
    try:
        shutdown(5)
    finally:
        reopen()
    assert sums(records) == [("shut", 2)]


@pytest.mark.parametrize("end", ["pass", "SafeGo('last', CrashProcess, boom).join()", "shutdown(1)", "os._exit(3)"])
def test_the_end_of_the_process_tells_the_rest(run_python, end):
    done = run_python(
        f"""
        import os
        from mruntime import *
        def boom(): raise ValueError("the reason")
        set_storm_limit(1)
        for _ in range(5): SafeGo("mailer", KeepRunning, boom).join()
        {end}
        """
    )
    assert done.stderr.count("panic recovered in mailer/boom") == 1
    assert done.stderr.count(", and 4 more in the last ") == (0 if "_exit" in end else 1), done.stderr
    assert ("panic in last/boom" in done.stderr) == ("Crash" in end)


def test_a_child_of_a_fork_has_none_of_its_parent(run_python):
    done = run_python(
        """
        import os, sys
        from mruntime import *
        def boom(): raise ValueError("the reason")
        if not hasattr(os, "fork"): sys.exit()
        set_storm_limit(1)
        for _ in range(5): SafeGo("mailer", KeepRunning, boom).join()
        if os.fork() == 0:
            SafeGo("mailer", KeepRunning, boom).join()
            sys.exit()
        os.wait()
        """
    )
    assert done.stderr.count("panic recovered in mailer/boom") == 2
    assert done.stderr.count("and 4 more") == 1


def test_values_that_are_no_exceptions_are_of_no_place(records):
    set_storm_limit(1)
    for _ in range(2):
        handle_panic_value("text", component="value", name="n")
    storm.sum_up(rest=True)
    assert sums(records) == [("value", 1)]


def test_tasks_count_as_threads_do(records):
    async def fail() -> None:
        boom()

    async def main() -> None:
        await asyncio.wait([SafeGo("tasks", KeepRunning, fail()) for _ in range(LIMIT + 9)])

    asyncio.run(main())
    assert len(records.panics) == LIMIT
    assert held_back("tasks") == 9


def test_a_log_that_fails_does_not_lose_the_sum(capfd, monkeypatch):
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise SystemExit

    monkeypatch.setattr(logging.getLogger("mruntime"), "handlers", [Broken()])
    set_storm_limit(1)
    for _ in range(3):
        panic("broken")
    storm.sum_up(rest=True)
    assert "and 2 more in the last 1 s [not logged: logging raised SystemExit]" in capfd.readouterr().err

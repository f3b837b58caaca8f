"""Fails a test whose background work panicked, or still runs at its end: `pytest -p myapp.mruntime.pytest_plugin`.

A panic belongs to the test that spawned the work, whichever runs when it comes. One that comes after its test can fail
that no more: it is told at the end of the run, by the name of its test, and fails the run.
"""

from __future__ import annotations

import threading
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from ._captures import capturing, nobodys
from ._registry import working
from ._reopen import start_over
from ._shutdown import wait_while
from ._state import STATE
from ._storm import forget
from ._stragglers import stragglers
from .testing import Crash, in_words

if TYPE_CHECKING:
    from collections.abc import Generator

    from ._panic import PanicInfo


class _Time(NamedTuple):
    """When a test ran."""

    began: float
    test: str
    allowed: bool
    """Its work may panic."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called by pytest."""
    parser.addini("mruntime_grace", "Seconds that background work has to end after a test.", default="1.0")


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest."""
    config.addinivalue_line(
        "markers", "mruntime(panics='allow', running='allow'): background work may panic, or outlive the test."
    )
    config.stash[_GRACE] = _seconds(config.getini("mruntime_grace"))
    config.stash[_LASTING] = {}
    config.stash[_LATE] = []
    config.stash[_TIMES] = []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Called by pytest around a test with the setup and teardown of its fixtures."""
    crash = item.stash[_CRASH] = Crash()
    item.stash[_BEFORE] = set()
    late, times, began = item.config.stash[_LATE], item.config.stash[_TIMES], perf_counter()

    def came_late(panic: PanicInfo, since: float) -> None:
        before = [one for one in times if one.began <= since]
        if not before:
            # Older than all tests.
            crash.panics.add(panic)
        elif not before[-1].allowed:
            late.append(f"{before[-1].test}: {in_words(panic)}")

    # A crash would take pytest with it, and what it says to a file descriptor that pytest has captured.
    with capturing(crash.panics.add, end=crash.end, late=came_late):
        try:
            return (yield)
        finally:
            # These would keep tasks and threads of long ago until the session ends.
            del item.stash[_BEFORE], item.stash[_CRASH]
            times.append(_Time(began, item.nodeid, _allowed(item, "panics")))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Called by pytest before the fixtures of a test, and by plugins that run it again each time."""
    item.stash[_CRASH].forget()
    item.stash[_BEFORE] = _keys() - _lasting(item.config)
    forget()
    if STATE.closed:
        start_over()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> Generator[None, object, object]:
    """Called by pytest around the setup of a fixture: what one of a module or a session begins may go on.

    Until the teardown of the fixture, that is: what then goes on is held against the test that was the last.
    """
    if request.scope == "function":
        return (yield)
    lasting, key, before = request.config.stash[_LASTING], object(), _keys()
    # The first to be added is the last to be called.
    request.addfinalizer(lambda: lasting.pop(key, None))
    try:
        # What panics of it is held against the test that runs then.
        with nobodys():
            return (yield)
    finally:
        lasting[key] = _keys() - before


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Called by pytest around the teardown of the fixtures: only after it is their work to be done, too.

    What is found is an error in the teardown of the test, for the outcome of its call is reported already.
    """
    try:
        result = yield
    except BaseException:
        found = _found(item)
        if found:
            item.add_report_section("teardown", "mruntime", found)
        raise
    found = _found(item)
    if found:
        pytest.fail(found, pytrace=False)
    return result


def _found(item: pytest.Item) -> str:
    """What is to be held against the test, in words."""
    found = [] if _allowed(item, "running") else _left(item)
    if not _allowed(item, "panics"):
        # After the wait: what was about to end may have panicked.
        crash = item.stash[_CRASH]
        if crash.panic is not None and crash.panic not in crash.panics:
            # Of an exception that was reported before it was a crash.
            crash.panics.append(crash.panic)
        found += map(in_words, crash.panics)
    return "\n".join(found)


def _allowed(item: pytest.Item, what: str) -> bool:
    return any(mark.kwargs.get(what) == "allow" for mark in item.iter_markers("mruntime"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Called by pytest after the last test."""
    late = session.config.stash[_LATE]
    if hasattr(session.config, "workeroutput"):
        # One of xdist's workers, which passes it on.
        session.config.workeroutput["mruntime_late"] = late
    elif late and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Called by xdist when a worker has ended."""
    node.config.stash[_LATE] += getattr(node, "workeroutput", {}).get("mruntime_late", [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Called by pytest at the end."""
    if config.stash[_LATE]:
        terminalreporter.section("panics after the end of their test", red=True, bold=True)
        for text in config.stash[_LATE]:
            terminalreporter.write_line(text)


def _keys() -> set[object]:
    """What runs now."""
    return {work.key for work in working()}


def _lasting(config: pytest.Config) -> set[object]:
    """What the fixtures of modules and sessions began that are set up."""
    return set().union(*config.stash[_LASTING].values())


def _left(item: pytest.Item) -> list[str]:
    """What began during the test and has not ended when its time is over."""
    known = item.stash[_BEFORE] | _lasting(item.config)
    left = wait_while(lambda: [work for work in working() if work.key not in known], item.config.stash[_GRACE])
    return [f"{s.kind} {s.component}/{s.name} still runs after the test\n{s.stack}" for s in stragglers(left).values()]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < threading.TIMEOUT_MAX:
        raise pytest.UsageError(f"mruntime_grace is a number of seconds, not {text!r}")
    return seconds


_GRACE: pytest.StashKey[float] = pytest.StashKey()
_LASTING: pytest.StashKey[dict[object, set[object]]] = pytest.StashKey()
_LATE: pytest.StashKey[list[str]] = pytest.StashKey()
_TIMES: pytest.StashKey[list[_Time]] = pytest.StashKey()
_BEFORE: pytest.StashKey[set[object]] = pytest.StashKey()
_CRASH: pytest.StashKey[Crash] = pytest.StashKey()

"""Fails a test whose background work panicked, or still runs at its end: `pytest -p myapp.mruntime.pytest_plugin`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ._registry import working
from ._shutdown import wait_while
from ._state import STATE
from ._stragglers import stragglers
from .testing import Crash, capture_crash, reopen

if TYPE_CHECKING:
    from collections.abc import Generator


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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Called by pytest around a test with the setup and teardown of its fixtures."""
    item.stash[_BEFORE] = _keys() - _lasting(item.config)
    # A crash would take pytest with it, and what it says to a file descriptor that pytest has captured.
    with capture_crash() as crash:
        item.stash[_CRASH] = crash
        try:
            return (yield)
        finally:
            # These would keep tasks and threads of long ago until the session ends.
            del item.stash[_BEFORE], item.stash[_CRASH]
            if STATE.closed:
                reopen()


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
    allowed = {what for mark in item.iter_markers("mruntime") for what, how in mark.kwargs.items() if how == "allow"}
    found = [] if "running" in allowed else _left(item)
    if "panics" not in allowed:
        # After the wait: what was about to end may have panicked.
        crash = item.stash[_CRASH]
        if crash.panic is not None and crash.panic not in crash.panics:
            # Of an exception that was reported before it was a crash.
            crash.panics.append(crash.panic)
        for panic in crash.panics:
            what = "panicked and would have ended the process" if panic.policy == "CrashProcess" else "panicked"
            found.append(f"{panic.component}/{panic.name} {what}: {panic.type}: {panic.value}\n{panic.stack}")
    return "\n".join(found)


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
_BEFORE: pytest.StashKey[set[object]] = pytest.StashKey()
_CRASH: pytest.StashKey[Crash] = pytest.StashKey()

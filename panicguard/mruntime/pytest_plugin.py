"""Fails a test whose background work panicked, or still runs at its end: `pytest -p myapp.mruntime.pytest_plugin`."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from ._panic import PanicInfo, observe_panics
from ._shutdown import stragglers, working
from ._state import STATE
from .testing import reopen

if TYPE_CHECKING:
    from collections.abc import Generator

LOOK_AGAIN = 0.25
"""Seconds after which to look for what can no longer tell that it has ended."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called by pytest."""
    parser.addini("mruntime_grace", "Seconds that background work has to end after a test.", default="1.0")


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest."""
    config.addinivalue_line(
        "markers", "mruntime(panics='allow', running='allow'): background work may panic, or outlive the test."
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Called by pytest around a test with the setup and teardown of its fixtures."""
    panics: list[PanicInfo] = []

    def collect(panic: PanicInfo, exc: object) -> None:
        if not STATE.captures:
            panics.append(panic)

    item.stash[_PANICS] = panics
    item.stash[_BEFORE] = _handles()
    stop = observe_panics(collect)
    try:
        return (yield)
    finally:
        stop()
        if STATE.closed:
            reopen()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: object, request: pytest.FixtureRequest) -> Generator[None, object, object]:
    """Called by pytest around the setup of a fixture: what one of a module or a session begins may go on."""
    before = _handles()
    try:
        return (yield)
    finally:
        if request.scope != "function":
            lasting = request.config.stash.setdefault(_LASTING, {})
            lasting.update((key, handle) for key, handle in _handles().items() if key not in before)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Called by pytest around the teardown of the fixtures: only after it is their work to be done, too.

    What is found is an error in the teardown of the test, for the outcome of its call is reported already.
    """
    result = yield
    marks = [mark.kwargs for mark in item.iter_markers("mruntime")]
    found: list[str] = []
    if not any(mark.get("running") == "allow" for mark in marks):
        known = item.stash[_BEFORE] | item.config.stash.get(_LASTING, {})
        found += _left(known, float(item.config.getini("mruntime_grace")))
    if not any(mark.get("panics") == "allow" for mark in marks):
        # After the wait: what was about to end may have panicked.
        found += [f"{p.component}/{p.name} panicked: {p.type}: {p.value}\n{p.stack}" for p in item.stash[_PANICS]]
    if found:
        pytest.fail("\n".join(found), pytrace=False)
    return result


def _handles() -> dict[int, object]:
    """What runs now. The handles themselves are kept, or another could get the identity of one that is gone."""
    return {id(work.handle): work.handle for work in working()}


def _left(known: dict[int, object], grace: float) -> list[str]:
    """What began during the test and has not ended after `grace` seconds."""
    woken = threading.Event()
    until = time.monotonic() + grace
    with STATE.lock:
        STATE.waiters[woken] = woken.set
    try:
        while True:
            woken.clear()
            left = [work for work in working() if id(work.handle) not in known]
            seconds = until - time.monotonic()
            if not left or seconds <= 0:
                break
            woken.wait(min(seconds, LOOK_AGAIN))
    finally:
        with STATE.lock:
            STATE.waiters.pop(woken, None)
    return [f"{s.kind} {s.component}/{s.name} still runs after the test\n{s.stack}" for s in stragglers(left).values()]


_PANICS: pytest.StashKey[list[PanicInfo]] = pytest.StashKey()
_BEFORE: pytest.StashKey[dict[int, object]] = pytest.StashKey()
_LASTING: pytest.StashKey[dict[int, object]] = pytest.StashKey()

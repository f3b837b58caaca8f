"""What the tests of the runtime share."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
import threading
import warnings
from typing import TYPE_CHECKING

import pytest
from runtime_programs import VERSIONS, program, pythons

from panicguard.mruntime._storm import forget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NO_SITE = ["-S"] * sys.flags.no_site


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    missing = [version for version in VERSIONS if version not in pythons()]
    text = f"programs of the runtime's tests: Python {', '.join(pythons())}"
    terminalreporter.write_line(text + (f"; not found: {', '.join(missing)}" if missing else ""))


class Records(logging.Handler):
    """Keeps the panic records."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.all.append(record)

    @property
    def panics(self) -> list[logging.LogRecord]:
        return [record for record in self.all if hasattr(record, "panic_source")]


@pytest.fixture(autouse=True)
def calm() -> None:
    """Of what panicked in other tests this one hears nothing, and nothing of its own is held back for that."""
    forget()


@pytest.fixture
def records() -> Iterator[Records]:
    """The records of the logger `mruntime` and of asyncio, of which there must be no more than expected."""
    handler = Records()
    loggers = [logging.getLogger("mruntime"), logging.getLogger("asyncio")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if logger.name == "mruntime" else logging.INFO)
    yield handler
    for logger, level in zip(loggers, before, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert not [r for r in handler.all if "never retrieved" in r.getMessage()]


@pytest.fixture
def other_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    running = threading.Event()
    loop.call_soon(running.set)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert running.wait(5)
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture
def no_warning() -> Iterator[None]:
    """No warning may come up, not even one of a finalizer, which cannot be made an error."""
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert not [str(warning.message) for warning in caught]


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run such a program; 15 s at most."""

    def run(code: str, *args: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
        script, env = program(tmp_path, code)
        return subprocess.run(
            [python, *NO_SITE, *args, script],
            capture_output=True,
            text=True,
            timeout=15,
            env=env,
            cwd=tmp_path,
            check=False,
        )

    return run


@pytest.fixture
def start_python(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start such a program; what it prints is in `stdout`. It is killed at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str) -> subprocess.Popen[str]:
        script, env = program(tmp_path, code)
        process = subprocess.Popen([sys.executable, *NO_SITE, script], stdout=subprocess.PIPE, text=True, env=env)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()

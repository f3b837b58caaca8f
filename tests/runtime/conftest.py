"""What the tests of the runtime share."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runtime_pythons import VERSIONS, pythons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]


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


@pytest.fixture
def records() -> Iterator[Records]:
    """The records of the logger `mruntime` and of asyncio, which are to be no more than expected."""
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
def run_python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program that may import `mruntime`; 15 s at most."""

    def run(code: str, *args: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(code), encoding="utf-8")
        env = {**os.environ, "PYTHONPATH": str(ROOT / "panicguard"), "PYTHONUNBUFFERED": ""}
        return subprocess.run(
            [python, *args, str(script)],
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
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(code), encoding="utf-8")
        env = {**os.environ, "PYTHONPATH": str(ROOT / "panicguard")}
        process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=env)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()

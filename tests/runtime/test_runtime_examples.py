"""The patterns that the README points to: each program prints what its last comment says, and tracebacks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.py"))
PATTERNS = {
    "background_worker",
    "graceful_shutdown",
    "group",
    "outlive_request",
    "parallel",
    "producer_consumer",
    "ticker",
    "timeout",
    "wait_at_most",
}
TRACEBACK = re.compile(r"^Traceback .*\n(?: .*\n)*\w+(?:: .*)?\n", re.MULTILINE)
# Unbuffered, so that log lines stand where they belong.
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def expected(example: Path) -> str:
    program, _, comment = example.read_text("utf-8").partition("\n# Prints:\n")
    assert program
    assert comment
    return re.sub(r"^# ?", "", comment, flags=re.MULTILINE)


def test_every_pattern_is_there_with_threads_and_with_asyncio():
    assert {path.stem for path in EXAMPLES} == {f"{name}_{way}" for name in PATTERNS for way in ("threads", "asyncio")}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_it_says(example):
    before, stopped, after = expected(example).partition("(SIGTERM)\n")
    if stopped and sys.platform == "win32":
        pytest.skip("there a signal ends the process")
    process = subprocess.Popen(
        [sys.executable, "-W", "always", str(example)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENV,
    )
    try:
        if stopped:
            assert process.stdout.readline() == before
            process.send_signal(signal.SIGTERM)
            before = ""
        out, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert TRACEBACK.sub("", out) == before + after
    assert process.returncode == 0

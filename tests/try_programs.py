"""Run the tests of real programs before and after `panicguard fix`: the results must be the same.

    python tests/try_programs.py [NAME ...]

Downloads each source distribution, makes a virtual environment for it, runs its tests, makes the safe fixes, runs its
tests, makes the unsafe ones too, and runs its tests. Prints what was fixed and how the tests ended. Exits with 1 where
the safe fixes changed that; an unsafe fix may (a handler that re-raises a cancellation is another handler).
"""

from __future__ import annotations

import collections
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Program(NamedTuple):
    """What its tests need, and where they are."""

    needs: str
    tests: str = "tests"


PROGRAMS = {
    "aiosmtpd": Program("pytest<8 pytest-asyncio<0.23 pytest-cov pytest-mock", "aiosmtpd/tests"),
    "apscheduler<4": Program(
        "pytest pytest-timeout anyio gevent pytz sqlalchemy tornado twisted",
        "tests/test_schedulers.py tests/test_executors.py tests/test_job.py",
    ),
    "janus": Program("pytest pytest-asyncio pytest-benchmark pytest-cov"),
    "pykka": Program("pytest pytest-mock"),
    "python-engineio": Program(
        "pytest pytest-asyncio pytest-timeout tornado requests websocket-client aiohttp eventlet gevent "
        "simple-websocket"
    ),
    "python-socketio": Program(
        "pytest pytest-asyncio pytest-timeout simple-websocket uvicorn requests websocket-client aiohttp msgpack redis "
        "valkey"
    ),
    "waitress": Program("pytest pytest-cov"),
}


def try_program(requirement: str, folder: Path) -> bool:
    """Whether the tests end the same after the safe fixes."""
    program = PROGRAMS[requirement]
    home = folder / "venv"
    venv.create(home, with_pip=True)
    python = str(home / "bin" / "python")
    _run(folder, python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", requirement)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    source = folder / archive.name.removesuffix(".tar.gz")
    _run(source, python, "-m", "pip", "install", "-q", "-e", ".", str(ROOT), *program.needs.split())

    print(source.name, flush=True)
    before = _tests(source, python, program.tests)
    print(f"  before:        {before}", flush=True)
    same = True
    for label, flags in (("safe fixes", ()), ("unsafe too", ("--unsafe-fixes",))):
        fixed = _run(source, python, "-m", "panicguard", "fix", "--isolated", *flags, ".", check=False).stdout
        rules: collections.Counter[str] = collections.Counter()
        for count, code in re.findall(r"^ +(\d+) \S (PNC\d+)", fixed, re.MULTILINE):
            rules[code] += int(count)
        after = _tests(source, python, program.tests)
        print(f"  {label + ':':<14} {after}  ({dict(rules) or 'nothing fixed'})", flush=True)
        same = same and (after == before or bool(flags))
    return same


def _tests(source: Path, python: str, tests: str) -> str:
    """How many tests passed and failed, and which failed."""
    done = _run(source, python, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", *tests.split(), check=False)
    summary = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-200:]
    failed = sorted(re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE))
    counts = ", ".join(re.findall(r"\d+ (?:passed|failed|skipped|errors?)", summary)) or summary
    return counts + (f" {failed}" if failed else "")


def _run(folder: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, check=check, capture_output=True, text=True)


def main() -> int:
    ended = []
    for requirement in sys.argv[1:] or PROGRAMS:
        with tempfile.TemporaryDirectory() as folder:
            ended.append(try_program(requirement, Path(folder)))
    return 0 if all(ended) else 1


if __name__ == "__main__":
    sys.exit(main())

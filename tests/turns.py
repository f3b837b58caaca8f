"""What commands cost beside each other: run in turns, in processor time as well as by the clock.

The speed of a machine that others use swings within a minute, so only what ran in the same minute is compared, and
processor time rather than the clock.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checkout import ROOT, clone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

REFERENCE = "0021992"
"""The commit that the targets are relative to."""
RUNS = 7
ENV = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
"""What is measured is what users have: compiled modules."""


class Spent(NamedTuple):
    """Seconds."""

    processor: float
    """Of the process and of all below it that it waited for, in user and system mode."""
    wall: float


class Command(NamedTuple):
    """What to run, and what to do before each run, which is not measured."""

    words: Sequence[str]
    env: Mapping[str, str] = ENV
    prepare: Callable[[], object] = bool


class Target(NamedTuple):
    """Something that was measured and is to be at most so much."""

    what: str
    value: float
    most: float
    unit: str = "times"


def spent(command: Command, folder: Path) -> Spent:
    """Run it once. RuntimeError if it fails."""
    command.prepare()
    began = time.perf_counter()
    process = subprocess.Popen(
        command.words, cwd=folder, env=command.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command.words)} ended with {process.returncode}")
    return Spent(usage.ru_utime + usage.ru_stime, wall)


def in_turns(folder: Path, commands: Mapping[str, Command], runs: int = RUNS) -> dict[str, Spent]:
    """The medians of each, after one run that is not counted."""
    for command in commands.values():
        spent(command, folder)
    rounds = [{name: spent(command, folder) for name, command in commands.items()} for _ in range(runs)]
    return {
        name: Spent(*(statistics.median(column) for column in zip(*(one[name] for one in rounds), strict=True)))
        for name in commands
    }


def show(what: str, times: Mapping[str, Spent]) -> None:
    """Print the milliseconds of each, and how often those of the others go into those of the first."""
    (name, first), *others = times.items()
    cells = [f"{name} {1000 * first.processor:.0f} ({1000 * first.wall:.0f})"]
    cells += [
        f"{name} {1000 * other.processor:.0f} ({1000 * other.wall:.0f}): "
        f"{first.processor / other.processor:.2f} ({first.wall / other.wall:.2f})"
        for name, other in others
    ]
    print(f"{what:<36} {'   '.join(cells)}", flush=True)


def verdicts(targets: Sequence[Target]) -> None:
    """Print the table of what is held and what is missed."""
    print(f"\n{'target':<64} {'value':>8} {'at most':>8}")
    for what, value, most, unit in targets:
        print(f"{what:<64} {value:>8.2f} {most:>8.2f} {unit:<5} {'held' if value <= most else 'MISSED'}")


@contextlib.contextmanager
def sides(beside: Path | None) -> Iterator[dict[str, dict[str, str]]]:
    """The environments in which Python finds the present tree, `now`, and that of the reference, `then`.

    `beside`: a checkout of the reference; None: one is made, of this repository's history.
    """
    with tempfile.TemporaryDirectory() as folder:
        then = clone(REFERENCE, Path(folder) / "clone") if beside is None else beside.absolute()
        found = {}
        for name, tree in (("now", ROOT), ("then", then)):
            # Under the name that it is installed under, the server is not where it is in the repository.
            path = Path(folder) / name
            path.mkdir()
            (path / "panicguard").symlink_to(tree / "panicguard")
            (path / "panicguard_lsp").symlink_to(tree / "lsp")
            cache = {"PANICGUARD_CACHE_DIR": str(path / "cache")}
            found[name] = {**ENV, **cache, "PYTHONPATH": str(path), "PYTHONSAFEPATH": "1"}
            packages = [str(tree / name) for name in ("panicguard", "lsp")]
            subprocess.run([sys.executable, "-m", "compileall", "-qq", *packages], env=ENV, check=False)
        yield found

"""The memory of all processes of a run together, shared pages shared out among those that share them (Linux)."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turns import Command

EVERY = 0.005
"""Seconds between two looks."""


def below(pid: int) -> list[int]:
    """A process and all that it and its children have started."""
    pids = [pid]
    for one in pids:
        try:
            for children in Path(f"/proc/{one}/task").glob("*/children"):
                pids += map(int, children.read_text().split())
        except OSError:
            continue
    return pids


def pss(pid: int) -> int:
    """The kilobytes that a process and all below it hold; 0 if the system does not tell."""
    kilobytes = 0
    for one in below(pid):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes


def peak(folder: Path, command: Command) -> int:
    """The most kilobytes that a look finds during a run."""
    command.prepare()
    process = subprocess.Popen(command.words, cwd=folder, env=command.env, stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        most = max(most, pss(process.pid))
        time.sleep(EVERY)
    return most

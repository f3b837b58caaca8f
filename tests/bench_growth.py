"""Print what a run costs on inputs of n and of 2n: how much it grows, and what a finding costs, its printing included.

    python tests/bench_growth.py [--mode check|diff|fix|editor] [--scale X] [PART OF A NAME...]

Seconds are processor time of all processes of a run without a cache, less that of the same input at n = 1, which is
what starting costs; the growth of a linear run is 2. `editor` is the check of an open document, with its fixes and
the edits that silence its findings, in one process. At the end stands how soon a run ends whose reader closes the pipe.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from growing import INPUTS

if TYPE_CHECKING:
    from growing import Input

GROWTH = 2.3
"""What doubling an input may multiply the seconds by."""
FINDING = 0.7
"""What a finding may cost, in ms."""
MATTERS = 0.2
"""Seconds below which growth is noise."""
RUNS = 2
LIMIT = 120
"""Seconds after which a run is given up."""
# What is measured is what users have: compiled modules.
ENV = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
COMMAND = (sys.executable, "-m", "panicguard", "check", "--isolated", "--no-cache", "--exit-zero")
MODES = {"check": (), "diff": ("--diff", "--unsafe-fixes"), "fix": ("--fix", "--unsafe-fixes")}
EDITOR = f"""
import pathlib, sys
sys.path.insert(0, {str(Path(__file__).absolute().parents[1])!r})
from lsp import jobs
from panicguard.config import default
import gc; gc.disable()  # as the worker of the server
jobs.warm()
for path in sorted(pathlib.Path().rglob("*.*")):
    its = default(str(path.parent.absolute()))
    source = jobs.Source.decode(str(path), path.read_bytes(), notebook=path.suffix == ".ipynb",
                                language="go" if path.suffix == ".go" else "python")
    print("Found", len(jobs.check(source, its)), "errors")
"""


class Run(NamedTuple):
    """Processor seconds, findings, and the peak memory of the largest process in MB."""

    seconds: float
    findings: int
    megabytes: int


def run(files: dict[str, str], command: tuple[str, ...]) -> Run | None:
    """A run in a folder with these files; None if it takes longer than the limit."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as out:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        process = subprocess.Popen(command, cwd=folder, env=ENV, stdout=out, stderr=subprocess.STDOUT)
        started = time.monotonic()
        while (waited := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() - started > LIMIT:
                process.kill()
                os.wait4(process.pid, 0)
                return None
            time.sleep(0.01)
        process.returncode = os.waitstatus_to_exitcode(waited[1])
        usage = waited[2]
        return Run(usage.ru_utime + usage.ru_stime, _findings(out.fileno()), usage.ru_maxrss // 1024)


def _best(files: dict[str, str], command: tuple[str, ...]) -> Run | None:
    """The fastest of some runs: what else the machine does only makes one slower."""
    runs = [run(files, command) for _ in range(RUNS)]
    return None if None in runs else min(found for found in runs if found is not None)


def _findings(descriptor: int) -> int:
    """How many findings the last lines of an output speak of."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    tail = os.pread(descriptor, 2000, max(0, end - 2000)).decode(errors="replace")
    return sum(int(number) for number in re.findall(r"(?:Found|Would fix|Fixed) (\d+) error", tail)[-1:])


def row(name: str, grows: Input, mode: str, scale: float) -> bool:
    """Print a line of the table; whether the targets are met."""
    command = (sys.executable, "-c", EDITOR) if mode == "editor" else (*COMMAND, *MODES[mode], *grows.flags.split())
    n = max(2, round(grows.n * scale))
    start, once, twice = (_best(dict(grows.files(count)), command) for count in (1, n, 2 * n))
    if start is None or once is None or twice is None:
        print(f"{name:<36} {2 * n:>7}   over {LIMIT} s", flush=True)
        return False
    low, high = once.seconds - start.seconds, twice.seconds - start.seconds
    each = high / twice.findings * 1000 if twice.findings else 0
    growth = high / max(low, 0.01)
    missed = " growth" * (growth > GROWTH and high > MATTERS) + " finding" * (each > FINDING and twice.findings >= n)
    print(
        f"{name:<36} {2 * n:>7} {low:7.2f} {high:7.2f} {growth:5.2f} {twice.findings:>7} {each:6.2f} "
        f"{twice.megabytes:>5} {missed}",
        flush=True,
    )
    return not missed


def closed_pipe() -> None:
    """Print how long a run takes whose first line is all that is read, beside one that is read to its end."""
    grows = INPUTS["spawns in one function"]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in grows.files(4 * grows.n).items():
            Path(folder, name).write_text(text)
        for what, shell in (("read to the end", "cat"), ("head -1", "head -1")):
            command = f"{' '.join(COMMAND)} --output-format concise | {shell} > {os.devnull}"
            before = os.times()
            subprocess.run(command, shell=True, cwd=folder, env=ENV, check=True)
            after = os.times()
            seconds = after.children_user + after.children_system - before.children_user - before.children_system
            print(f"{4 * grows.n} findings, {what}: {seconds:.2f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=(*MODES, "editor"), default="check")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies every n")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    print(f"{options.mode:<36} {'2n':>7} {'n, s':>7} {'2n, s':>7} {'grows':>5} {'found':>7} {'ms':>6} {'MB':>5}")
    wanted = [name for name in INPUTS if not options.names or any(part in name for part in options.names)]
    met = [row(name, INPUTS[name], options.mode, options.scale) for name in wanted]
    if not options.names and options.mode == "check":
        closed_pipe()
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())

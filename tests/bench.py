"""Print how long panicguard takes beside Ruff, and beside the bare interpreter. Needs hyperfine.

    python tests/bench.py DIRECTORY            the tables
    python tests/bench.py --profile DIRECTORY  where the time of a run without a cache goes

DIRECTORY is copied, since a changed file is part of it. Times are medians of the same minute; memory is the peak of
the largest process (Linux).
"""

from __future__ import annotations

import cProfile
import json
import os
import pstats
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PANICGUARD = f"{sys.executable} -m panicguard"
RUFF = "ruff check --isolated --exit-zero --silent"
"""As it comes; what it would print for other rules is not counted, nor is what panicguard would."""
ALIKE = f"{RUFF} --select RUF006,ASYNC,B023"
"""With only those of its rules that are on the same subjects as panicguard's."""
OURS = f"{PANICGUARD} check --isolated --exit-zero --silent"
RUNS = 7
CLEAN = "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n"
FOUND = CLEAN + "    asyncio.create_task(f())\n"
# What is measured is what users have: compiled modules.
ENV = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def medians(folder: Path, *commands: str, prepare: str = "", runs: int = RUNS) -> list[float]:
    """The median of each command's times, in seconds; `prepare` runs before every one."""
    with tempfile.NamedTemporaryFile() as file:
        flags = ["--warmup", "2", "--runs", str(runs), "--export-json", file.name, "--style", "none"]
        flags += ["--prepare", prepare] if prepare else []
        subprocess.run(["hyperfine", *flags, *commands], cwd=folder, env=ENV, check=True, capture_output=True)
        return [result["median"] for result in json.load(file)["results"]]


def peak_memory(folder: Path, command: str) -> int:
    """The peak of the largest process of a run, in MB (Linux)."""
    process = subprocess.Popen(command.split(), cwd=folder, env=ENV, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        for pid in (process.pid, *_children(process.pid)):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
            peak = max(peak, *(int(kilobytes) // 1024 for kilobytes in found), 0)
        time.sleep(0.02)
    return peak


def _children(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []


def row(what: str, ours: float, **others: float) -> None:
    beside = "".join(f"   {whose} {time * 1000:6.0f} ms, {ours / time:5.2f}" for whose, time in others.items())
    print(f"{what:<44} panicguard {ours * 1000:6.0f} ms{beside}")


def beside_ruff(what: str, folder: Path, arguments: str, prepare: str = "") -> float:
    """Print what panicguard takes, and the ratio to Ruff as it comes, and to its rules on the same subjects; return
    it."""
    ruff, alike, ours = medians(folder, *(f"{c} {arguments}" for c in (RUFF, ALIKE, OURS)), prepare=prepare)
    row(what, ours, ruff=ruff, alike=alike)
    return ours


def against_ruff(folder: Path) -> None:
    """The whole of a code base: without a cache, with one, with one file changed; its half and its quarter."""
    changed = folder / "changed.py"
    changed.write_text(CLEAN)
    files = len(list(folder.rglob("*.py")))
    beside_ruff(f"{files} files, no cache", folder, "--no-cache .")
    warm = beside_ruff("nothing changed", folder, ".")
    edit = f"""{sys.executable} -c "open('changed.py', 'a').write('x = 1\\n')" """
    once = beside_ruff("one file changed", folder, ".", prepare=edit)
    changed.write_text(FOUND)
    found = beside_ruff("the same with a finding", folder, ".", prepare=edit)
    print(f"one file changed, of none: {once / warm:.2f}, with a finding {found / warm:.2f}")
    changed.unlink()
    print(f"peak memory of a process: {peak_memory(folder, f'{OURS} --no-cache .')} MB")
    every = sorted(folder.rglob("*.py"))
    for share in (2, 4):
        for number, path in enumerate(every):
            if number % share and path.exists():
                path.unlink()
        beside_ruff(f"one file in {share}, no cache", folder, "--no-cache .")


def small(folder: Path) -> None:
    """The costs that do not grow with the code base."""
    bare, version = medians(folder, f"{sys.executable} -c pass", f"{PANICGUARD} --version", runs=20)
    row("--version", version, interpreter=bare)
    (folder / "one.py").write_text(FOUND + "\n\ndef g(x):\n    return x + 1\n" * 75)
    beside_ruff("a file of 300 lines with a finding, no cache", folder, "--no-cache one.py")
    (folder / "one.py").unlink()
    for number in range(161):
        (folder / f"{number}.py").write_text(CLEAN)
    beside_ruff("161 files in which nothing is found, no cache", folder, "--no-cache .")


def profile(folder: Path) -> None:
    """The functions that take the longest, in one process."""
    from panicguard import config
    from panicguard.files import discover
    from panicguard.rule import all_rules
    from panicguard.run.lint import lint_file
    from panicguard.run.task import Task

    all_rules()
    its = config.default(str(folder))
    measured = cProfile.Profile()
    with measured:
        for path, _ in discover.discover((str(folder),), lambda _: its):
            lint_file(path, its, Task())
    pstats.Stats(measured).sort_stats("tottime").print_stats(25)


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument != "--profile"]
    if len(arguments) != 1 or shutil.which("hyperfine") is None:
        print(__doc__)
        return 2
    if "--profile" in sys.argv:
        profile(Path(arguments[0]).absolute())
        return 0
    with tempfile.TemporaryDirectory() as folder:
        small(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        against_ruff(shutil.copytree(arguments[0], Path(folder) / "corpus"))
    return 0


if __name__ == "__main__":
    sys.exit(main())

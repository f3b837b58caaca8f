"""Print how long panicguard takes beside Ruff, and beside the bare interpreter. Needs hyperfine.

    python tests/bench.py DIRECTORY

Times are medians of the same minute; memory is the peak of the largest process.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUFF = "ruff check --isolated --no-cache --exit-zero --select RUF006,ASYNC,B023 ."
OURS = f"{sys.executable} -m panicguard check --isolated --exit-zero ."
CLEAN = "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n"


def medians(folder: Path, *commands: str, runs: int = 7) -> list[float]:
    with tempfile.NamedTemporaryFile() as file:
        flags = ["--warmup", "1", "--runs", str(runs), "--export-json", file.name, "--style", "none"]
        subprocess.run(["hyperfine", *flags, *commands], cwd=folder, check=True, capture_output=True)
        return [result["median"] for result in json.load(file)["results"]]


def peak_memory(folder: Path, command: str) -> int:
    """The peak of the largest process of a run, in MB (Linux)."""
    process = subprocess.Popen(command.split(), cwd=folder, stdout=subprocess.DEVNULL)
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


def main() -> int:
    if len(sys.argv) != 2 or shutil.which("hyperfine") is None:
        print(__doc__)
        return 2
    folder = Path(sys.argv[1])
    ruff, ours = medians(folder, RUFF, OURS)
    print(
        f"{len(list(folder.rglob('*.py')))} files: Ruff {ruff:.2f} s, panicguard {ours:.2f} s, ratio {ours / ruff:.2f}"
    )
    print(f"peak memory of a process: {peak_memory(folder, OURS)} MB")
    bare, version = medians(folder, f"{sys.executable} -c pass", f"{sys.executable} -m panicguard --version", runs=20)
    print(f"--version: {version * 1000:.0f} ms, a bare interpreter {bare * 1000:.0f} ms, ratio {version / bare:.2f}")
    with tempfile.TemporaryDirectory() as clean:
        for number in range(161):
            (Path(clean) / f"{number}.py").write_text(CLEAN)
        (small,) = medians(Path(clean), OURS)
    print(f"161 files in which nothing is found: {small * 1000:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())

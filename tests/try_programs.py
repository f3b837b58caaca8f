"""Run the tests of real programs before and after `panicguard fix`: the results must be the same.

    python tests/try_programs.py [NAME ...]

Downloads each source distribution, makes a virtual environment for it, and fixes a copy: first the safe fixes, then
the unsafe ones too. Prints what was fixed and how the tests ended; exits with 1 where the safe fixes changed that.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
NEEDS = {
    "python-socketio": "pytest pytest-asyncio pytest-timeout simple-websocket uvicorn requests websocket-client "
    "aiohttp msgpack redis valkey",
    "python-engineio": "pytest pytest-asyncio pytest-timeout tornado requests websocket-client aiohttp eventlet "
    "gevent simple-websocket",
    "janus": "pytest pytest-asyncio pytest-benchmark pytest-cov",
}
"""Program -> what its tests need."""


def try_program(name: str, folder: Path) -> bool:
    """Whether the tests end the same after the safe fixes."""
    home = folder / "venv"
    venv.create(home, with_pip=True)
    python = str(home / "bin" / "python")
    _run(folder, python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name, "-d", str(folder), name)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    source = folder / archive.name.removesuffix(".tar.gz")
    _run(source, python, "-m", "pip", "install", "-q", "-e", ".", str(ROOT), *NEEDS[name].split())

    print(source.name)
    before = _tests(source, python)
    print(f"  before:        {before}")
    same = True
    for label, flags in (("safe fixes", ()), ("unsafe too", ("--unsafe-fixes",))):
        fixed = _run(source, python, "-m", "panicguard", "fix", "--isolated", *flags, ".", check=False).stdout
        rules = ", ".join(f"{count} {code}" for count, code in re.findall(r"^ +(\d+) \S (PNC\d+)", fixed, re.MULTILINE))
        after = _tests(source, python)
        print(f"  {label + ':':<14} {after}  ({rules or 'nothing fixed'})")
        same = same and (after == before or bool(flags))
    return same


def _tests(source: Path, python: str) -> str:
    """How many tests passed and failed, and which failed."""
    done = _run(source, python, "-m", "pytest", "-q", "-p", "no:cacheprovider", check=False)
    summary = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-200:]
    failed = sorted(re.findall(r"^FAILED (\S+)", done.stdout, re.MULTILINE))
    counts = ", ".join(re.findall(r"\d+ (?:passed|failed|skipped|errors?)", summary)) or summary
    return counts + (f" {failed}" if failed else "")


def _run(folder: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, check=check, capture_output=True, text=True)


def main() -> int:
    ended = []
    for name in sys.argv[1:] or NEEDS:
        with tempfile.TemporaryDirectory() as folder:
            ended.append(try_program(name, Path(folder)))
    return 0 if all(ended) else 1


if __name__ == "__main__":
    sys.exit(main())

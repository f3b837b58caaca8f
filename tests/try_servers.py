"""Run a small service under each server, tell it to stop in each way, and see what becomes of its work.

    python tests/try_servers.py [--only NAME] [PYTHON ...]

Makes a virtual environment for each interpreter, the running one by default, with the servers in the versions below or
the newest before them that it can have. Prints a table, runs the recipes, and exits with 1 where something is not as
expected.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent / "runtime"), str(Path(__file__).parent.parent)]

from server_programs import PROGRAMS  # noqa: E402
from server_runs import CHECKS, available, run  # noqa: E402

REQUIREMENTS = (
    "aiohttp<=3.14.5 anyio<=4.16.0 apscheduler<=3.11.3 celery<=5.7.0 cheroot<=11.1.2 daphne<=4.2.3 django<=6.1.3 "
    "fastapi<1 gevent<27 granian<=2.8.9 gunicorn<=27.0.1 hypercorn<=0.18.0 tornado<=6.6.1 trio<=0.35.0 uvicorn<=0.54.0 "
    "uvicorn-worker<=0.4.0 waitress<=3.0.2"
).split()


def environment(python: str, folder: Path) -> str:
    """The interpreter of an environment with the servers."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    made = str(folder / "bin" / "python")
    subprocess.run([made, "-m", "pip", "install", "-q", *REQUIREMENTS], check=True)
    return made


def try_servers(python: str, only: list[str]) -> int:
    """How many of the runs did not end as expected."""
    bad = 0
    for name, program in PROGRAMS.items():
        if only and name not in only:
            continue
        if not available(python, program.needs):
            print(f"{name:26} not there: {program.needs}", flush=True)
            continue
        for way, checks in CHECKS.items():
            if way in program.untried:
                continue
            with tempfile.TemporaryDirectory() as folder:
                ended = run(program, python, Path(folder), way)
            faults = [fault for check in checks for fault in check(program, way, ended)]
            bad += bool(faults)
            print(f"{name:26} {way:8} {ended.status!s:>5}  {'; '.join(faults) or 'as expected'}", flush=True)
            if faults:
                print(ended.text)
    return bad


def try_recipes(python: str) -> int:
    """What pytest says of them."""
    tests = str(Path(__file__).parent / "runtime" / "test_runtime_recipes.py")
    env = {**os.environ, "SERVERS_PYTHON": python}
    return subprocess.run([sys.executable, "-m", "pytest", "-q", tests], env=env, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="one of the services")
    parser.add_argument("--here", action="store_true", help="use the environments of the interpreters as they are")
    parser.add_argument("pythons", nargs="*", metavar="PYTHON")
    args = parser.parse_args()
    bad = 0
    for python in args.pythons or [sys.executable]:
        with tempfile.TemporaryDirectory() as folder:
            made = python if args.here else environment(python, Path(folder))
            print(subprocess.run([made, "--version"], capture_output=True, text=True, check=True).stdout.strip())
            bad += try_servers(made, args.only)
            bad += try_recipes(made) if not args.only else 0
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

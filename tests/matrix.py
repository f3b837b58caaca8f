"""Run the runtime's tests on a vendored copy under every supported CPython, with nothing installed but pytest.

    python tests/matrix.py [VERSION ...]

Looks for Python 3.10 to 3.13, or the versions given, on PATH and among those of pyenv. Copies the runtime under another
name into an empty project and its tests beside it, and runs them. Prints a row for each invariant. Exits with 1 if a
test failed.
"""

from __future__ import annotations

import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from panicguard.cli.vendor import vendor  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = ("3.10", "3.11", "3.12", "3.13")
INVARIANT = re.compile(r"test_invariant_(\d+)_(\w+)")
NAME = "background"

Outcomes = dict[str, collections.Counter[str]]
"""Test -> how often it passed, failed and was skipped with its parameters."""


def find(version: str) -> str | None:
    """The interpreter of this version, if there is one that runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [str(path / "bin" / "python") for path in sorted(pyenv.glob(f"versions/{version}.*"))]
    for python in filter(None, [shutil.which(f"python{version}"), *candidates]):
        # One of pyenv's shims is on PATH even where the version is not chosen.
        asked = subprocess.run(
            [python, "-c", "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.stdout.split() == ["cpython", version]:
            return python
    return None


def make_project(folder: Path) -> Path:
    """A project that holds a copy of the runtime and its tests; the tests' directory."""
    vendor(folder, NAME)
    tests = folder / "tests"
    shutil.copytree(ROOT / "tests" / "runtime", tests / "runtime", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests" / "conftest.py", tests)
    for path in tests.rglob("*.py"):
        text = path.read_text(encoding="utf-8").replace("from panicguard import mruntime", f"import {NAME} as mruntime")
        path.write_text(text.replace("panicguard.mruntime", NAME), encoding="utf-8")
    return tests


def run(python: str, folder: Path) -> Outcomes:
    """Run the tests with this interpreter."""
    home = folder / "venv"
    subprocess.run([python, "-m", "venv", str(home)], check=True)
    own = str(home / "bin" / "python")
    subprocess.run([own, "-m", "pip", "install", "-qq", "pytest"], check=True)
    project = folder / "project"
    project.mkdir()
    tests = make_project(project)
    report = folder / "report.xml"
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST", "VIRTUAL_ENV"))}
    command = [own, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", str(tests)]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
    found = outcomes(report)
    # A run that was cut short is not the sum of the tests that it reached.
    if not found or done.returncode not in (0, 1):
        found.setdefault("pytest", collections.Counter())["fail"] += 1
    return found


def outcomes(report: Path) -> Outcomes:
    """What a JUnit report says."""
    found: Outcomes = collections.defaultdict(collections.Counter)
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        name = case.get("name", "").partition("[")[0]
        kinds = {child.tag for child in case}
        found[name]["fail" if kinds & {"failure", "error"} else "skip" if "skipped" in kinds else "pass"] += 1
    return found


def rows(results: dict[str, Outcomes]) -> Iterator[list[str]]:
    """The table: a row for each invariant and one for all tests."""
    yield ["invariant", *results]
    names = {name for found in results.values() for name in found if INVARIANT.match(name)}
    for name in sorted(names):
        match = INVARIANT.match(name)
        assert match is not None
        cells = []
        for found in results.values():
            counts = found.get(name, {})
            cells.append(next((kind for kind in ("fail", "pass", "skip") if counts.get(kind)), "none"))
        yield [f"{match[1]} {match[2].replace('_', ' ')}", *cells]
    totals = [sum(found.values(), collections.Counter[str]()) for found in results.values()]
    kinds = ("pass", "fail", "skip")
    yield ["all tests", *(", ".join(f"{total[kind]} {kind}" for kind in kinds if total[kind]) for total in totals)]


def main() -> int:
    results: dict[str, Outcomes] = {}
    for version in sys.argv[1:] or VERSIONS:
        python = find(version)
        if python is None:
            print(f"no Python {version} here", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as folder:
            results[version] = run(python, Path(folder))
    table = list(rows(results))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    failed = any(counts["fail"] for found in results.values() for counts in found.values())
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())

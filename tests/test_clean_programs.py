"""Programs that use the runtime as it is meant to be used have no finding."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(params=["fixtures/service", "tests/runtime/examples"])
def copy(request, tmp_path):
    # Elsewhere, for in a directory of tests the rules about spawns do not hold.
    return shutil.copytree(ROOT / request.param, tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))


def check(folder: Path, linter: str, *options: str) -> tuple[int, str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-m", linter, "check", "--isolated", *options]
    done = subprocess.run(run, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_ruff_and_panicguard_find_nothing(copy):
    assert check(copy, "ruff", "--ignore=I001") == (0, "All checks passed!\n")
    assert check(copy, "panicguard", "--low-confidence") == (0, "All checks passed!\n")
    (copy / "bare.py").write_text("import threading\nthreading.Thread(target=print).start()\n")
    assert check(copy, "panicguard")[0] == 1

"""`panicguard vendor`: the runtime in a project, and fixes that import it from there."""

from __future__ import annotations

import filecmp
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from panicguard.vendor import RUNTIME, VendorError, vendor

if TYPE_CHECKING:
    from pathlib import Path

BARE = "import threading\n\n\ndef work():\n    raise ValueError('lost')\n\n\nthreading.Thread(target=work).start()\n"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_the_copy_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    package = vendor(tmp_path)
    names = sorted(path.name for path in RUNTIME.iterdir() if path.name != "__pycache__")
    assert sorted(path.name for path in package.iterdir()) == names
    assert filecmp.cmpfiles(RUNTIME, package, names, shallow=False) == (names, [], [])
    assert vendor(tmp_path) == package  # again, over the same


def test_an_edited_copy_is_kept_unless_forced(tmp_path: Path) -> None:
    package = vendor(tmp_path, "safe")
    (package / "_policy.py").write_text("edited\n")
    with pytest.raises(VendorError, match=r"_policy\.py"):
        vendor(tmp_path, "safe")
    assert (package / "_policy.py").read_text() == "edited\n"
    vendor(tmp_path, "safe", force=True)
    assert (package / "_policy.py").read_bytes() == (RUNTIME / "_policy.py").read_bytes()


@pytest.mark.parametrize("name", ["../out", "a-b", "", "1"])
def test_a_name_must_be_a_package_s(tmp_path: Path, name: str) -> None:
    with pytest.raises(VendorError):
        vendor(tmp_path / "in", name)
    assert not list(tmp_path.iterdir())


def test_the_way_of_a_user(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").touch()
    (tmp_path / "app" / "main.py").write_text(BARE)
    copied = run(tmp_path, "-m", "panicguard", "vendor", "app")
    assert copied.returncode == 0
    setting = copied.stdout.splitlines()[-1]
    assert setting == 'runtime-module = "app.mruntime"'
    (tmp_path / "panicguard.toml").write_text(f"{setting}\n")

    assert run(tmp_path, "-m", "panicguard", "fix").returncode == 0
    assert "from app import mruntime\n" in (tmp_path / "app" / "main.py").read_text()
    done = run(tmp_path, "-I", "-c", "import sys; sys.path.insert(0, '.'); import app.main")
    assert done.returncode == 0
    assert "ValueError: lost" in done.stderr
    assert "panic recovered in work/work" in done.stderr
    assert run(tmp_path, "-m", "panicguard", "check").returncode == 0

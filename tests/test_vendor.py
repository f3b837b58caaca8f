"""`panicguard vendor`: the runtime in a project, and fixes that import it from there."""

from __future__ import annotations

import filecmp
import importlib.metadata
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from matrix import make_project
from packaging.requirements import Requirement

from panicguard import mruntime
from panicguard.vendor import RUNTIME, VendorError, compare, manifest, vendor

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
    assert compare(tmp_path, "safe").edited == ("_policy.py",)
    vendor(tmp_path, "safe", force=True)
    assert compare(tmp_path, "safe").same


def make_older(package: Path) -> None:
    """The copy as another version would have left it: one file different, one that is gone, one not there yet."""
    (package / "_policy.py").write_text("older\n")
    (package / "_gone.py").write_text("gone\n")
    (package / "_signals.py").unlink()
    (package / "__init__.py").write_text('__version__ = "0.0.9"\n')
    (package / "MANIFEST").unlink()
    (package / "MANIFEST").write_text(manifest(package))


def test_an_older_copy_is_brought_up_to_date(tmp_path: Path) -> None:
    package = vendor(tmp_path)
    make_older(package)
    assert compare(tmp_path) == ("0.0.9", (), ("__init__.py", "_gone.py", "_policy.py"), ("_signals.py",))
    (package / "own.py").write_text("the project's own\n")
    vendor(tmp_path)
    assert compare(tmp_path).same
    assert not (package / "_gone.py").exists()
    assert (package / "own.py").exists()


def test_an_edited_file_of_an_older_copy_is_edited(tmp_path: Path) -> None:
    package = vendor(tmp_path)
    make_older(package)
    (package / "_gone.py").write_text("edited\n")
    assert compare(tmp_path).edited == ("_gone.py",)
    with pytest.raises(VendorError, match=r"_gone\.py"):
        vendor(tmp_path)


def test_without_its_manifest_whatever_differs_is_edited(tmp_path: Path) -> None:
    package = vendor(tmp_path)
    (package / "MANIFEST").write_text("../../escape\n")
    assert compare(tmp_path) == ("", (), (), ("MANIFEST",))
    (package / "_policy.py").write_text("edited\n")
    assert compare(tmp_path).edited == ("_policy.py",)


def test_the_line_ends_of_another_system_are_no_edit(tmp_path: Path) -> None:
    package = vendor(tmp_path)
    for path in package.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert compare(tmp_path).same


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "mruntime").symlink_to(outside)
    with pytest.raises(VendorError, match="out of"):
        vendor(inside, force=True)
    (inside / "mruntime").unlink()

    package = vendor(inside)
    (outside / "_policy.py").write_text("somebody else's\n")
    (package / "_policy.py").unlink()
    (package / "_policy.py").symlink_to(outside / "_policy.py")
    (package / "MANIFEST").write_text(f"mruntime 0.0.1\n{'0' * 64}  ../../out/_policy.py\n")
    vendor(inside, force=True)
    assert (outside / "_policy.py").read_text() == "somebody else's\n"
    assert compare(inside).same


def test_a_file_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "mruntime").touch()
    with pytest.raises(VendorError, match="no directory"):
        vendor(tmp_path, force=True)


def test_check_on_the_command_line(tmp_path: Path) -> None:
    command = ("-m", "panicguard", "vendor", "--check", ".", "--as", "safe")
    absent = run(tmp_path, *command)
    assert (absent.returncode, absent.stdout) == (2, "")
    assert "there is no copy of the runtime in `safe`" in absent.stderr
    assert not list(tmp_path.iterdir())
    package = vendor(tmp_path, "safe")
    same = run(tmp_path, *command)
    assert (same.returncode, same.stdout) == (
        0,
        f"safe is mruntime {mruntime.__version__}, as this panicguard has it\n",
    )
    make_older(package)
    (package / "_task.py").write_text("edited\n")
    old = run(tmp_path, *command)
    assert old.returncode == 1
    assert old.stdout.splitlines() == [
        "safe/_task.py: edited",
        "safe/__init__.py: outdated",
        "safe/_gone.py: outdated",
        "safe/_policy.py: outdated",
        "safe/_signals.py: missing",
        "`panicguard vendor --force` with the same arguments brings it up to date",
    ]


@pytest.mark.parametrize("name", ["../out", "a-b", "", "1", "class", "a.b"])
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


def link_distribution(name: str, folder: Path) -> None:
    """Put symbolic links to an installed distribution and to what it requires into `folder`."""
    distribution = importlib.metadata.distribution(name)
    for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
        link = folder / top
        if not link.is_symlink():
            link.symlink_to(str(distribution.locate_file(top)))
    for line in distribution.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            link_distribution(requirement.name, folder)


def test_the_copy_passes_the_runtime_s_tests_where_nothing_else_is_installed(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    link_distribution("pytest", site)
    project = tmp_path / "project"
    tests = make_project(project)
    # The others take long, for they start many processes; tests/matrix.py runs them all.
    files = [str(tests / "runtime" / f"test_runtime_{part}.py") for part in ("invariants", "tasks", "threads", "sync")]
    paths = [str(project), str(site)]
    start = f"import sys; sys.path[:0] = {paths}; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    # Neither the installed packages (-S) nor PYTHONPATH (-E).
    isolated = ("-S", "-E", "-s")
    there = run(project, *isolated, "-c", "import panicguard")
    assert "ModuleNotFoundError" in there.stderr
    done = run(project, *isolated, "-c", start, *files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split(" passed")[0].split()[-1]) > 100

"""`panicguard vendor`: the runtime in a project, and fixes that import it from there."""

from __future__ import annotations

import filecmp
import importlib.metadata
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from matrix import make_project
from packaging.requirements import Requirement

from panicguard import mruntime
from panicguard.cli.vendor import MANIFEST, RUNTIMES, VendorError, compare, import_path, manifest, vendor

if TYPE_CHECKING:
    from pathlib import Path

BARE = "import threading\n\n\ndef work():\n    raise ValueError('lost')\n\n\nthreading.Thread(target=work).start()\n"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_the_copy_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    package = vendor(tmp_path)
    runtime = RUNTIMES["python"]
    names = sorted(path.name for path in runtime.iterdir() if path.name != "__pycache__")
    assert sorted(path.name for path in package.iterdir()) == names
    assert filecmp.cmpfiles(runtime, package, names, shallow=False) == (names, [], [])
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
    """The copy as another version would have left it: one file different, one removed, one not there yet."""
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
    with pytest.raises(VendorError, match="is outside of"):
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
    with pytest.raises(VendorError, match="not a directory"):
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
    assert "panic recovered in app/work" in done.stderr
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
    # The others take long, because they start many processes; tests/matrix.py runs them all.
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


def test_the_copy_in_go_is_the_same_without_its_tests_and_its_module(tmp_path: Path) -> None:
    package = vendor(tmp_path, language="go")
    names = sorted(path.name for path in package.iterdir())
    assert {"LICENSE", "MANIFEST", "doc.go", "safego.go"} <= set(names)
    assert not [name for name in names if name == "go.mod" or name.endswith("_test.go")]
    assert filecmp.cmpfiles(RUNTIMES["go"], package, names, shallow=False) == (names, [], [])
    left = {path.name for path in RUNTIMES["go"].iterdir()} - set(names)
    assert all(name == "go.mod" or name.endswith("_test.go") for name in left)


def test_a_copy_in_go_bears_its_name(tmp_path: Path) -> None:
    package = vendor(tmp_path, "safe", "go")
    text = (package / "doc.go").read_text()
    assert text.startswith("// Package safe runs")
    assert "\npackage safe\n" in text
    assert "//\tsafe.SafeGoWithContextAndComponent(" in text
    for path in package.glob("*.go"):
        text, original = path.read_text(), (RUNTIMES["go"] / path.name).read_text()
        assert not re.search(r"[Pp]ackage mruntime|mruntime\.[A-Z]", text)
        assert text.replace("safe", "mruntime") == original.replace("safe", "mruntime")
    assert compare(tmp_path, "safe", "go").same
    assert vendor(tmp_path, "safe", "go") == package


def test_an_edited_or_older_copy_in_go(tmp_path: Path) -> None:
    package = vendor(tmp_path, "safe", "go")
    (package / "policy.go").write_text("package safe // edited\n")
    with pytest.raises(VendorError, match=r"policy\.go"):
        vendor(tmp_path, "safe", "go")
    assert compare(tmp_path, "safe", "go").edited == ("policy.go",)

    (package / "gone.go").write_text("package safe\n")
    (package / "drain.go").unlink()
    (package / "doc.go").write_text('const Version = "0.0.9"\n')
    (package / MANIFEST).write_text(manifest(package, "go"))
    assert compare(tmp_path, "safe", "go") == ("0.0.9", (), ("doc.go", "gone.go", "policy.go"), ("drain.go",))
    (package / "own_test.go").write_text("package safe\n")
    vendor(tmp_path, "safe", "go")
    assert compare(tmp_path, "safe", "go").same
    assert not (package / "gone.go").exists()
    assert (package / "own_test.go").exists()


def test_the_two_languages_do_not_share_a_directory(tmp_path: Path) -> None:
    vendor(tmp_path, "both")
    with pytest.raises(VendorError, match="`--as`"):
        vendor(tmp_path, "both", "go", force=True)
    assert compare(tmp_path, "both").same
    vendor(tmp_path, language="go")
    with pytest.raises(VendorError, match="is the runtime for Go"):
        compare(tmp_path)


@pytest.mark.parametrize("name", ["../out", "a-b", "", "1", "func", "a.b", "main", "internal", "_a", "a_test", "ä"])
def test_a_name_must_be_a_go_package_s(tmp_path: Path, name: str) -> None:
    with pytest.raises(VendorError):
        vendor(tmp_path / "in", name, "go")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "module",
    ["module example.com/app\n", '// module no\nmodule "example.com/app" // yes\n', "module (\n\texample.com/app\n)\n"],
)
def test_the_import_path_is_that_of_the_module_and_of_the_place_in_it(tmp_path: Path, module: str) -> None:
    package = vendor(tmp_path / "internal", "safe", "go")
    assert import_path(package) is None
    (tmp_path / "go.mod").write_text(f"{module}\ngo 1.21\n")
    assert import_path(package) == "example.com/app/internal/safe"
    (tmp_path / "internal" / "go.mod").write_text("module inner\n")
    assert import_path(package) == "inner/safe"
    (tmp_path / "internal" / "go.mod").write_text("broken\n")
    assert import_path(package) is None


def test_go_on_the_command_line(tmp_path: Path) -> None:
    command = ("-m", "panicguard", "vendor", "--language", "go", "internal", "--as", "safe")
    without = run(tmp_path, *command)
    assert (without.returncode, without.stdout.splitlines()[-1]) == (
        0,
        "No go.mod above it names a module to import it from.",
    )
    (tmp_path / "go.mod").write_text("module example.com/app\n\ngo 1.21\n")
    copied = run(tmp_path, *command)
    assert (copied.returncode, copied.stdout.splitlines()[-1]) == (0, 'import "example.com/app/internal/safe"')
    same = run(tmp_path, *command, "--check")
    assert same.stdout.endswith(f"safe is mruntime {mruntime.__version__}, as this panicguard has it\n")
    (tmp_path / "internal" / "safe" / "log.go").write_text("edited\n")
    edited = run(tmp_path, *command, "--check")
    assert edited.returncode == 1
    assert edited.stdout.splitlines()[0].endswith("log.go: edited")
    assert run(tmp_path, *command).returncode == 2
    assert run(tmp_path, *command, "--force").returncode == 0
    assert compare(tmp_path / "internal", "safe", "go").same
    assert run(tmp_path, *command[:3], "--language", "rust", ".").returncode == 2

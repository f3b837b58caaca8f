"""A project that is checked cannot cause anything to be written or removed outside of it, or make the check wait."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from panicguard import globs
from panicguard.files import gitignore, reading, runtime
from panicguard.files.stamp import stamp as stamp_of
from panicguard.run import atomic, cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")

SPAWN = "import asyncio\n\n\nasync def f():\n    asyncio.create_task(g())\n"
PRECIOUS = "precious\n"


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Projects with a finding, each beside a file that must not be touched; old enough that what is found in them
    may be remembered."""
    made = [tmp_path_factory.mktemp("place") for _ in range(120)]
    for place in made:
        (place / "outside").mkdir()
        (place / "outside" / "rc").write_text(PRECIOUS)
        (place / "project").mkdir()
        (place / "project" / "a.py").write_text(SPAWN)
    last = str(made[-1] / "project" / "a.py")
    while not cache._is_settled(stamp_of(last) or []):
        time.sleep(0.05)
    return (place / "project" for place in made)


@pytest.fixture
def project(projects: Iterator[Path]) -> Path:
    return next(projects)


def panicguard(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "panicguard", *arguments],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "bug in panicguard" not in done.stderr, done.stderr
    return done


def tree(folder: Path) -> dict[str, str]:
    """What is in a folder: the text of each file, and where each link leads."""
    return {
        path.relative_to(folder).as_posix(): os.readlink(path) if path.is_symlink() else path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def checked(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A check that finds what there is and changes nothing outside."""
    done = panicguard(folder, "check", *arguments, **env)
    assert (done.returncode, "PNC101" in done.stdout) == (1, True), (done.stdout, done.stderr)
    return done


# The cache


@pytest.mark.parametrize("name", [".gitignore", "CACHEDIR.TAG"])
@pytest.mark.parametrize("target", ["rc", "missing"])
def test_a_link_in_the_cache_is_not_followed(project: Path, name: str, target: str) -> None:
    made = project / ".panicguard_cache"
    made.mkdir()
    (made / name).symlink_to(f"../../outside/{target}")
    before = tree(project.parent / "outside")
    checked(project)
    assert tree(project.parent / "outside") == before
    assert os.readlink(made / name) == f"../../outside/{target}"


@pytest.mark.parametrize(
    "way", ["a link", "a dangling link", "a link above it", "..", "absolute", "the home directory"]
)
def test_the_settings_of_a_project_name_no_cache_outside_of_it(project: Path, way: str) -> None:
    outside = project.parent / "outside"
    named = "made"
    match way:
        case "a link":
            (project / "made").symlink_to("../outside")
        case "a dangling link":
            (project / "made").symlink_to("../outside/made")
        case "a link above it":
            (project / "link").symlink_to("../outside")
            named = "link/made"
        case "..":
            named = "../outside/made"
        case "absolute":
            named = str(outside / "made")
        case "the home directory":
            named = "~/made"
    (project / "panicguard.toml").write_text(f'cache-dir = "{named}"\n')
    done = checked(project, HOME=str(outside))
    assert tree(outside) == {"rc": PRECIOUS}
    assert "is outside of" in done.stderr
    assert "--cache-dir" in done.stderr
    assert list(project.glob(".panicguard_cache/*/*.json"))


def test_a_default_cache_that_is_a_link_out_is_not_used(project: Path) -> None:
    (project / ".panicguard_cache").symlink_to("../outside")
    done = checked(project)
    assert tree(project.parent / "outside") == {"rc": PRECIOUS}
    assert "nothing is cached" in done.stderr


def test_the_user_may_name_any_cache(project: Path) -> None:
    outside = project.parent / "outside"
    checked(project, "--cache-dir", "../outside/flag")
    checked(project, PANICGUARD_CACHE_DIR="../outside/variable")
    (outside / "panicguard").mkdir()
    (outside / "panicguard" / "panicguard.toml").write_text(f'cache-dir = "{outside}/own"\n')
    checked(project, XDG_CONFIG_HOME=str(outside))
    made = {path.parent.parent.name for path in outside.glob("*/*/*.json")}
    assert made == {"flag", "variable", "own"}


def test_a_base_outside_may_name_a_cache_beside_itself(project: Path) -> None:
    (project.parent / "panicguard.toml").write_text('cache-dir = "shared"\n')
    (project / "panicguard.toml").write_text('extend = "../panicguard.toml"\n')
    assert checked(project).stderr == ""
    assert list(project.parent.glob("shared/*/*.json"))


def test_nothing_is_overwritten_where_the_cache_is_the_project(project: Path) -> None:
    (project / "panicguard.toml").write_text('cache-dir = "."\n')
    for ignored in ("build/\n", None):
        if ignored is None:
            (project / ".gitignore").unlink()
        else:
            (project / ".gitignore").write_text(ignored)
        before = tree(project)
        checked(project)
        after = tree(project)
        assert {name: text for name, text in after.items() if not name.endswith(".json")} == {
            name: text for name, text in before.items() if not name.endswith(".json")
        }


def test_what_cannot_be_written_leaves_nothing_over(project: Path) -> None:
    checked(project)
    (file,) = project.glob(".panicguard_cache/*/*.json")
    file.unlink()
    file.mkdir()
    for _ in range(3):
        checked(project)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


# clean


def test_clean_removes_what_the_cache_made_and_no_more(project: Path) -> None:
    (project / "src").mkdir()
    (project / "src" / "b.py").write_text(SPAWN)
    checked(project)
    made = project / ".panicguard_cache"
    (build,) = (path for path in made.iterdir() if path.is_dir())
    (build / ("0" * 16)).write_text("a writer was killed")
    for name in (".gitignore", "CACHEDIR.TAG"):
        (project / "src" / name).write_text((made / name).read_text())
    (made / "notes.txt").write_text("mine")
    (made / "link").symlink_to("../src")
    (made / ("1.0-" + "0" * 16)).symlink_to("../src")
    expected = {
        name: text
        for name, text in tree(project).items()
        if not name.startswith(".panicguard_cache") or name.endswith(("notes.txt", "link", "0" * 16))
    }
    expected.pop(f".panicguard_cache/{build.name}/{'0' * 16}")
    assert panicguard(project, "clean").returncode == 0
    assert tree(project) == expected
    for name in ("notes.txt", "link", "1.0-" + "0" * 16):
        (made / name).unlink()
    assert panicguard(project, "clean").returncode == 0
    assert not made.exists()


def test_clean_above_a_project_whose_cache_is_itself(project: Path) -> None:
    (project / "panicguard.toml").write_text('cache-dir = "."\n')
    (project / ".gitignore").write_text("build/\n")
    before = tree(project.parent)
    checked(project)
    assert panicguard(project.parent, "clean").returncode == 0
    assert panicguard(project, "clean").returncode == 0
    assert tree(project.parent) == before


def test_clean_follows_no_link_to_a_cache(project: Path) -> None:
    checked(project, "--cache-dir", "../outside/.panicguard_cache")
    before = tree(project.parent / "outside")
    (project / ".panicguard_cache").symlink_to("../outside/.panicguard_cache")
    (project / "panicguard.toml").write_text('cache-dir = ".panicguard_cache"\n')
    assert panicguard(project, "clean").returncode == 0
    assert tree(project.parent / "outside") == before


def test_clean_removes_the_cache_that_the_settings_name(project: Path) -> None:
    (project / "panicguard.toml").write_text('cache-dir = "made/here"\n')
    checked(project)
    assert panicguard(project, "clean").stderr == "Removing cache at: made/here\n"
    assert not (project / "made" / "here").exists()


# Links out of the tree


@pytest.mark.parametrize("arguments", [(".",), ("link.py",), ("sub",), ("sub/link.py",)])
@pytest.mark.parametrize("command", [("fix",), ("check", "--add-noqa")])
def test_no_file_is_written_through_a_link_out(
    project: Path, arguments: tuple[str, ...], command: tuple[str, ...]
) -> None:
    target = project.parent / "outside" / "b.py"
    target.write_text(SPAWN)
    (project / "sub").mkdir()
    for link in (project / "link.py", project / "sub" / "link.py"):
        link.symlink_to(target)
    done = panicguard(project, *command, "-n", *arguments)
    assert target.read_text() == SPAWN
    assert "outside of the given paths" in done.stdout + done.stderr
    assert str(target) in done.stdout + done.stderr


def test_a_link_within_what_was_given_is_followed(project: Path) -> None:
    (project / "sub").mkdir()
    (project / "sub" / "link.py").symlink_to("../a.py")
    assert "outside of the given paths" in panicguard(project, "fix", "sub").stdout
    assert (project / "a.py").read_text() == SPAWN
    assert panicguard(project, "fix", "sub", "a.py").returncode == 0
    assert "SafeGo" in (project / "a.py").read_text()
    assert (project / "sub" / "link.py").is_symlink()


def test_a_report_is_not_written_through_a_link_out(project: Path) -> None:
    (project / "report.txt").symlink_to("../outside/rc")
    (project / "folder").symlink_to("../outside")
    for name in ("report.txt", "folder/new.txt"):
        done = panicguard(project, "check", "--output-file", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert "outside of the current directory" in done.stderr
    assert tree(project.parent / "outside") == {"rc": PRECIOUS}
    assert panicguard(project, "check", "--output-file", "/dev/stdout").stdout.count("PNC101") == 1


def test_a_report_waits_for_no_reader(project: Path) -> None:
    os.mkfifo(project / "report.txt")
    done = panicguard(project, "check", "--output-file", "report.txt")
    assert done.returncode == 2
    assert "Failed to write report.txt" in done.stderr


def test_a_baseline_is_not_written_through_a_link_out(project: Path) -> None:
    outside = project.parent / "outside"
    assert panicguard(project, "check", "--baseline", "b.json", "--update-baseline").returncode == 0
    known = outside / "known.json"
    known.write_text((project / "b.json").read_text().replace("PNC101", "PNC102"))
    before = tree(outside)
    (project / "link.json").symlink_to(known)
    (project / "new.json").symlink_to("../outside/new.json")
    for name in ("link.json", "new.json"):
        done = panicguard(project, "check", "--baseline", name, "--update-baseline")
        assert (done.returncode, "outside of the current directory" in done.stderr) == (2, True)
    (project / "panicguard.toml").write_text('baseline = "../outside/known.json"\n')
    done = panicguard(project, "check", "--update-baseline")
    assert (done.returncode, "only `--baseline` may name such a file" in done.stderr) == (2, True)
    assert tree(outside) == before
    assert panicguard(project, "check", "--baseline", str(known), "--update-baseline").returncode == 0
    assert tree(outside) != before


@pytest.mark.parametrize("language", ["python", "go"])
def test_the_runtime_is_not_copied_through_a_link_out(project: Path, language: str) -> None:
    (project / "libs").symlink_to("../outside")
    for destination in ("libs", "libs/deeper"):
        done = panicguard(project, "vendor", destination, "--language", language)
        assert (done.returncode, "outside of the current directory" in done.stderr) == (2, True)
    assert tree(project.parent / "outside") == {"rc": PRECIOUS}


# What a file keeps


@pytest.mark.skipif(sys.platform != "linux", reason="extended attributes")
def test_extended_attributes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    path.chmod(0o640)
    try:
        os.setxattr(path, "user.label", b"kept")
    except OSError:
        pytest.skip("a file system without extended attributes")
    assert atomic.replace(str(path), b"old", b"new")
    assert (os.getxattr(path, "user.label"), stat.S_IMODE(path.stat().st_mode)) == (b"kept", 0o640)


def test_what_an_editor_saves_at_the_last_moment_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    fsync = os.fsync

    def save(descriptor: int) -> None:
        fsync(descriptor)
        (tmp_path / "a.tmp").write_bytes(b"of the editor")
        (tmp_path / "a.tmp").replace(path)

    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", save)
    assert not atomic.replace(str(path), b"old", b"new")
    assert path.read_bytes() == b"of the editor"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.py"]


# What never ends


def pipe(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(path.parent)  # the name of a socket is short
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


KINDS = {"pipe": pipe, "socket": unix_socket, "device": device}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["pyproject.toml", "panicguard.toml", ".panicguard.toml"])
def test_a_configuration_that_is_no_file_is_an_error(project: Path, kind: str, name: str) -> None:
    KINDS[kind](project / name)
    done = panicguard(project, "check")
    assert (done.returncode, done.stdout) == (2, "")
    assert name in done.stderr
    assert "Not a regular file" in done.stderr


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["baseline", "extend"])
def test_what_the_configuration_names_and_is_no_file(project: Path, kind: str, key: str) -> None:
    (project / "panicguard.toml").write_text(f'{key} = "odd"\n')
    KINDS[kind](project / "odd")
    done = panicguard(project, "check")
    assert (done.returncode, "Not a regular file" in done.stderr) == (2, True)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_no_file_is_waited_for(project: Path, kind: str) -> None:
    (project / ".git" / "info").mkdir(parents=True)
    (project / "runtime").mkdir()
    (project / "runtime" / runtime.PART).write_text("")
    for name in (
        "ruff.toml",
        ".gitignore",
        ".ignore",
        ".git/info/exclude",
        "runtime/__init__.py",
        "go.mod",
        "MANIFEST",
    ):
        KINDS[kind](project / name)
    (project / "b.go").write_text("package b\n\nfunc f() {\n\tgo g()\n}\n")
    done = checked(project)
    assert "PNC120" in done.stdout
    assert f"Failed to read {project / '.gitignore'}: Not a regular file" in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_cache_file_that_is_no_file(project: Path, kind: str) -> None:
    checked(project)
    (file,) = project.glob(".panicguard_cache/*/*.json")
    file.unlink()
    KINDS[kind](file)
    checked(project)


def test_the_null_device_stands_for_an_empty_configuration(project: Path) -> None:
    (project / "pyproject.toml").symlink_to(os.devnull)
    assert checked(project).stderr == ""


def test_a_file_that_is_too_large_is_told(project: Path) -> None:
    for name, size in (("b.py", reading.SOURCE), (".ignore", reading.SETTINGS)):
        with (project / name).open("wb") as file:
            file.truncate(size + 1)
    done = checked(project, "--output-format", "concise")
    assert "b.py:1:1: io-error: Larger than 256 MiB (os error 27)" in done.stdout
    assert f"{project / '.ignore'}: Larger than 1 MiB" in done.stderr
    with (project / "panicguard.toml").open("wb") as file:
        file.truncate(reading.SETTINGS + 1)
    done = panicguard(project, "check")
    assert (done.returncode, "Larger than 1 MiB" in done.stderr) == (2, True)


STARS = 25
HARD = {
    "stars": "*a" * STARS + "*b",
    "directories": "**/a/" * STARS + "b",
    "both": "**/*a*/" * STARS + "b",
    "classes": "*[a-c]" * STARS + "*x",
    "in a name": "x/" + "*a" * STARS + "*b/**",
}
"""Patterns that a search which tries again at every wildcard does not finish with."""


@pytest.mark.parametrize("git", [True, False])
@pytest.mark.parametrize("name", HARD)
def test_no_pattern_takes_long(name: str, git: bool) -> None:
    started = time.process_time()
    paths = ("a" * 200, "a/" * 100, "x/" + "a" * 200, "/".join(["a" * 50] * 50))
    if git:
        verdicts = [gitignore.ignore_file(HARD[name])(path) for path in paths]
        assert verdicts == [None] * len(paths)
    else:
        assert not any(globs.matches("/", (HARD[name],), f"/{path}") for path in paths)
    assert time.process_time() - started < 5, "an exponential search takes years"


def test_groups_of_a_pattern_are_bounded() -> None:
    assert globs.matches("/", ("{a,b}{c,d}/{e,f*}",), "/bd/fx")
    with pytest.raises(ValueError, match="more than 1000 alternatives"):
        globs.translate("{a,b}" * 10)
    with pytest.raises(ValueError, match="more than 10000 characters"):
        globs.translate("a" * 10_001)

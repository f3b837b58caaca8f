"""Which files a run covers, beside `ruff check --show-files` on the same tree."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from panicguard import config, globs
from panicguard.cli.commands import run
from panicguard.files import discover, runtime

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and modes")

TREE = (
    "a.py b.pyi c.txt .hidden.py .hidden/d.py build/e.py build/keep/f.py dist/g.py venv/h.py .venv/i.py "
    "node_modules/j.py src/app/k.py src/app/gen/l.py src/app/gen_pb2.py tests/m.py src/node_modules/n.py "
    "site-packages/o.py deep/er/p.py sp ace/q.py brackets[1]/r.py src/app/__pycache__/s.py "
    "note.ipynb .ipynb_checkpoints/note-checkpoint.ipynb"
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in re.split(r" (?!ace)", TREE):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "folder.py" / "t.py").write_text("x = 1\n")
    (tmp_path / "dangling.py").symlink_to("nowhere.py")
    (tmp_path / "linked.py").symlink_to("a.py")
    (tmp_path / "linked_folder").symlink_to("src")
    (tmp_path / "src" / "loop").symlink_to("..")
    monkeypatch.chdir(tmp_path)
    runtime.is_runtime_copy.cache_clear()
    return tmp_path


def theirs(tree: Path, arguments: list[str], flags: list[str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--show-files", *flags, *arguments],
        cwd=tree,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(line for line in done.stdout.splitlines() if line.endswith((".py", ".pyi", ".ipynb", ".txt")))


def ours(tree: Path, arguments: list[str], **changes: object) -> list[str]:
    its = config.default(str(tree))
    its = dataclasses.replace(its, **changes)  # type: ignore[arg-type]
    return sorted(path for path, _ in discover.discover(arguments or ["."], lambda _: its))


ARGUMENTS = [
    [],
    ["src"],
    ["src/app", "src"],
    ["c.txt", "a.py"],
    ["venv"],
    ["venv/h.py"],
    ["./a.py", "a.py"],
    ["folder.py"],
    ["linked_folder"],
    [".hidden"],
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=" ".join)
def test_the_same_files_as_ruff(tree: Path, arguments: list[str]) -> None:
    assert ours(tree, arguments) == theirs(tree, arguments, [])


@pytest.mark.parametrize(
    "pattern",
    [
        "src",
        "src/",
        "app",
        "src/app",
        "**/gen",
        "*.pyi",
        "src/**/gen/*",
        "gen_*",
        "deep/**",
        "./src",
        "src/app/*.py",
        "t?sts",
    ],
)
@pytest.mark.parametrize("arguments", [[], ["src/app/k.py", "tests"], ["src/app"]], ids=" ".join)
def test_excluded_as_in_ruff(tree: Path, pattern: str, arguments: list[str]) -> None:
    assert ours(tree, arguments, exclude=(pattern,)) == theirs(tree, arguments, ["--exclude", pattern])
    forced = ["--exclude", pattern, "--force-exclude"]
    assert ours(tree, arguments, exclude=(pattern,), force_exclude=True) == theirs(tree, arguments, forced)


@pytest.mark.parametrize(
    "lines",
    [
        ["build"],
        ["build/", "!build/keep"],
        ["/src/app/gen"],
        ["gen/"],
        ["*.py", "!a.py"],
        ["**/gen/**"],
        ["# nothing", "", "sp ace"],
        ["\\!a.py", "te*ts"],
        ["brackets[[]1]"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("repository", [True, False], ids=["git", "no git"])
def test_ignored_as_in_ruff(tree: Path, lines: list[str], repository: bool) -> None:
    if repository:
        (tree / ".git").mkdir()
    (tree / ".gitignore").write_text("".join(f"{line}\n" for line in lines))
    (tree / "src" / ".gitignore").write_text("!gen\nk.py\n")
    assert ours(tree, []) == theirs(tree, [], [])
    assert ours(tree, ["src"]) == theirs(tree, ["src"], [])
    assert ours(tree, [], respect_gitignore=False) == theirs(tree, [], ["--no-respect-gitignore"])


def test_files_come_in_order_and_once(tree: Path) -> None:
    its = config.default(str(tree))
    found = [path for path, _ in discover.discover(["src", "a.py", ".", "src/app/k.py"], lambda _: its)]
    assert len(found) == len(set(found))
    assert found == sorted(found, key=lambda path: path.split("/"))


SEGMENT = st.text("ab*?[]!{},.-", min_size=1, max_size=5)


@given(st.lists(SEGMENT, min_size=1, max_size=3).map("/".join), st.lists(st.text("ab.-", min_size=1, max_size=3)))
@hypothesis_settings(deadline=None)
def test_any_pattern_either_matches_or_is_refused(pattern: str, parts: list[str]) -> None:
    path = "/root/" + "/".join(parts)
    try:
        matched = globs.matches("/root", (pattern,), path)
    except ValueError:
        return
    assert matched in (True, False)
    plain = re.sub(r"([*?\[\]{}!\\])", r"[\1]", os.path.basename(path))
    assert globs.matches("/root", (plain,), path) or not parts


def test_the_files_are_shown_as_ruff_shows_them(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "src" / "pyproject.toml").write_text("")
    (tree / "panicguard.toml").write_text("")
    (tree / "ruff.toml").write_text("")
    for arguments in ([], ["src", "c.txt"], ["--extend-exclude", "app", "--isolated"]):
        command = [sys.executable, "-m", "ruff", "check", "--show-files", *arguments]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True)
        assert run(["check", "--show-files", *arguments]) == 0
        shown = capsys.readouterr().out.replace("panicguard.toml", "ruff.toml")
        assert shown.splitlines() == done.stdout.splitlines()

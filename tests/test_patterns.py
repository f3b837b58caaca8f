"""Path patterns: every key with every kind of pattern, beside Ruff on the same tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from beside_ruff import ours, theirs, translated, write

from panicguard import globs

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("a.py", "sub/b.py", "sub/deep/c.py", "x/d.py", "x/sub/b.py")
PATTERNS = (
    "sub",
    "sub/",
    "sub/*",
    "sub/**",
    "b.py",
    "**/sub",
    "**/sub/*",
    "*/sub/*",
    "sub/*.py",
    "./sub",
    "x/sub/b.py",
    "?.py",
    "[ab].py",
    "{a,d}.py",
    "nothing",
)
DIRECTORIES = {"sub", "sub/", "**/sub", "./sub"}
"""The patterns that match a directory and none of the files in it."""
SELECT = 'lint.select = ["F401", "E711"]'
KEYS = {
    "exclude": "exclude = [{!r}]",
    "extend-exclude": "extend-exclude = [{!r}]",
    "lint.exclude": "lint.exclude = [{!r}]",
    "per-file-ignores": "lint.per-file-ignores = {{ {!r} = ['F401', 'E711'] }}",
    "extend-per-file-ignores": "lint.extend-per-file-ignores = {{ {!r} = ['F401', 'E711'] }}",
}
ONLY_FILES = {"lint.exclude", "per-file-ignores", "extend-per-file-ignores"}
"""The keys in which Ruff compares a pattern with files alone, and panicguard with the directories above them too."""


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path, dict.fromkeys(FILES, ""))


def found(places: tuple[Path, Path], *arguments: str) -> list[set[str]]:
    flags = ("--isolated", "--config", SELECT, *arguments)
    sides = theirs(places[0], *flags), ours(places[1], *map(translated, flags))
    assert not any(isinstance(side, str) for side in sides), sides
    return [set(side) for side in sides]


@pytest.mark.parametrize("key", KEYS)
def test_each_key_against_each_pattern(places: tuple[Path, Path], key: str) -> None:
    for pattern in PATTERNS:
        override = ("--config", KEYS[key].format(pattern))
        their, our = found(places, *override)
        if key in ONLY_FILES and pattern in DIRECTORIES:
            assert their == set(FILES), pattern
            # One dialect: what excludes a directory also ignores rules in it.
            assert our == found(places, "--config", KEYS["exclude"].format(pattern))[1], pattern
        else:
            assert our == their, pattern


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("flags", [(), ("--force-exclude",)], ids=["named", "forced"])
def test_named_files(places: tuple[Path, Path], key: str, flags: tuple[str, ...]) -> None:
    for pattern in ("sub/*", "b.py", "sub/b.py"):
        arguments = ("--config", KEYS[key].format(pattern), *flags, "sub/b.py", "a.py")
        their, our = found(places, *arguments)
        assert our == their, pattern


@pytest.mark.parametrize("pattern", ["!b.py", "!sub/**", "!x/*.py", "!nothing"])
def test_negated_patterns(places: tuple[Path, Path], pattern: str) -> None:
    their, our = found(places, "--config", KEYS["per-file-ignores"].format(pattern))
    assert our == their


@pytest.mark.parametrize("pattern", ["*.py", "sub/*.py", "sub/**", "a.py", "sub", "**/sub/b.py", "x/*", "*.txt"])
def test_included(places: tuple[Path, Path], pattern: str) -> None:
    their, our = found(places, "--config", f"include = [{pattern!r}]")
    assert our == their


def test_a_name_is_included_wherever_it_is(places: tuple[Path, Path]) -> None:
    # As in every other key. In Ruff a name in `include` is one at the top.
    assert found(places, "--config", "include = ['b.py']") == [set(), {"sub/b.py", "x/sub/b.py"}]


def test_an_excluded_directory_may_be_named(places: tuple[Path, Path]) -> None:
    for arguments in (("--exclude", "sub", "sub"), ("--exclude", "sub", "--force-exclude", "sub")):
        their, our = found(places, *arguments)
        assert our == their


@pytest.mark.parametrize("pattern", ["src", "src/", "src/**", "src/*", "./src", "**/src", "{src,lib}", "app", "a.py"])
def test_a_directory_stands_for_what_is_below_it(pattern: str) -> None:
    assert globs.matches("/root", (pattern,), "/root/src/app/a.py")
    assert not globs.matches("/root", (pattern,), "/root/other/b.py")


def test_the_directories_above_the_root_do_not_count() -> None:
    assert not globs.matches("/tests/root", ("tests", "root"), "/tests/root/a.py")
    assert not globs.matches("/tests/root", ("elsewhere",), "/elsewhere/a.py")
    assert globs.matches("/tests/root", ("a.py",), "/elsewhere/a.py")
    assert not globs.matches("/root", ("*",), "-")

"""The flags about suppression comments: beside Ruff's where it has the same, then panicguard's own."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest
from test_cli import ALL, CLEAN, PLAIN, SAFE, both, closing, ours, ruff

if TYPE_CHECKING:
    from pathlib import Path

NOQA = {"ruff": "print(x)  # noqa: F821\n", "ours": SAFE["ours"].rstrip() + "  # noqa: PNC101\n"}
SPAWN = "    asyncio.create_task(g())"
EVERY_KIND = {
    "ruff": "print(a)  # noqa: F821\n# ruff: ignore[F821]\nprint(b)\n# ruff: disable[F821]\nprint(c)\n",
    "ours": f"{SAFE['ours'].rstrip()}  # noqa: PNC101\n    # panicguard: ignore[PNC101]\n{SPAWN}\n"
    f"    # panicguard: disable[PNC101]\n{SPAWN}\n",
}
FOR_THE_FILE = {
    "ruff": "# ruff: noqa: F821\n# ruff: file-ignore[F401]\nimport a\nprint(b)\nprint(c)\n",
    "ours": "# panicguard: noqa: PNC101\n# panicguard: file-ignore[PNC103]\nfrom threading import Thread\n"
    f"{SAFE['ours']}{SPAWN}\n\n\nThread(target=print).start()\n",
}
TWICE = {"ruff": "print(x)\nprint(y)\n", "ours": SAFE["ours"] + "    asyncio.create_task(g())\n"}
BROKEN = {"ruff": "print(x)\nx = (\n", "ours": SAFE["ours"] + "x = (\n"}
SITUATIONS = {
    "followed": ({"a.py": EVERY_KIND, "b.py": FOR_THE_FILE}, []),
    "ignored": ({"a.py": EVERY_KIND}, ["--ignore-noqa"]),
    "ignored for a file": ({"a.py": FOR_THE_FILE}, ["--ignore-noqa"]),
    "add one": ({"a.py": PLAIN}, ["--add-noqa"]),
    "add two": ({"a.py": PLAIN, "b.py": PLAIN}, ["--add-noqa"]),
    "add two in a file": ({"a.py": TWICE}, ["--add-noqa", "a.py"]),
    "add with a reason": ({"a.py": PLAIN}, ["--add-noqa=old code"]),
    "add none": ({"a.py": CLEAN, "b.py": NOQA}, ["--add-noqa"]),
    "add ignore": ({"a.py": PLAIN}, ["--add-ignore"]),
    "add two ignores": ({"a.py": TWICE}, ["--add-ignore=old code", "a.py"]),
    "add quietly": ({"a.py": PLAIN}, ["--add-noqa", "-q"]),
    "add silently": ({"a.py": PLAIN}, ["--add-noqa", "-s"]),
    "add, as JSON": ({"a.py": PLAIN}, ["--add-noqa", "--output-format", "json"]),
    "add and exit": ({"a.py": PLAIN}, ["--add-noqa", "--exit-non-zero-on-fix"]),
    "add and fix only": ({"a.py": SAFE}, ["--add-noqa", "--fix-only"]),
    "add, configured to fix": ({"a.py": SAFE}, ["--add-ignore", "--config", "fix = true"]),
    "add nowhere": ({}, ["--add-noqa"]),
    "add and fix": ({"a.py": SAFE}, ["--add-noqa", "--fix"]),
    "fix and add": ({"a.py": SAFE}, ["--fix", "--add-noqa=why"]),
    "add, and do not fix": ({"a.py": PLAIN}, ["--add-noqa", "--no-fix"]),
    "add and diff": ({"a.py": SAFE}, ["--add-ignore", "--diff"]),
    "add and count": ({"a.py": SAFE}, ["--add-noqa", "--statistics"]),
    "add both": ({"a.py": SAFE}, ["--add-ignore=x", "--add-noqa"]),
    "add and ignore": ({"a.py": SAFE}, ["--ignore-noqa", "--add-noqa"]),
    "add lines": ({"a.py": SAFE}, ["--add-noqa=a\nb"]),
    "add other lines": ({"a.py": SAFE}, ["--add-ignore=a\nb"]),
}


@pytest.mark.parametrize(("files", "arguments"), SITUATIONS.values(), ids=SITUATIONS)
def test_beside_ruff(tmp_path: Path, files: dict[str, dict[str, str]], arguments: list[str]) -> None:
    theirs, mine = both(tmp_path, files, arguments)
    assert mine.code == theirs.code
    assert closing(mine.out)[:1] == closing(theirs.out)[:1]
    assert bool(mine.out) == bool(theirs.out)
    if mine.code == 2 and "\n" not in arguments[0]:
        assert mine.err.splitlines()[0] == theirs.err.splitlines()[0]
    else:
        assert mine.err == theirs.err.replace("ruff failed", "panicguard failed")


@pytest.mark.parametrize("flag", ["--add-noqa", "--add-ignore=why"])
def test_standard_input_is_left_alone_as_by_ruff(tmp_path: Path, flag: str) -> None:
    for done in (
        ours(tmp_path, "check", "--isolated", flag, "-", text=PLAIN["ours"]),
        ruff(tmp_path, "check", "--isolated", "--no-cache", flag, "-", text=PLAIN["ruff"]),
    ):
        assert done == (0, "", "")


def test_a_second_run_has_nothing_to_add(tmp_path: Path) -> None:
    for name, texts in ALL.items():
        (tmp_path / name).write_text(texts["ours"])
    first = ours(tmp_path, "check", "--isolated", "--add-ignore=old")
    assert (first.code, first.out, first.err) == (0, "", "Added 3 ignore comments.\n")
    texts = {name: (tmp_path / name).read_text() for name in ALL}
    assert all(text.count("] old\n") == 1 for text in texts.values())
    assert ours(tmp_path, "check", "--isolated", "--add-ignore") == (0, "", "")
    assert {name: (tmp_path / name).read_text() for name in ALL} == texts
    assert ours(tmp_path, "check", "--isolated").out == "All checks passed!\n"


def test_the_value_is_only_what_stands_behind_an_equals_sign(tmp_path: Path) -> None:
    for name in ("a.py", "b.py", "--add-noqa"):
        (tmp_path / name).write_text(PLAIN["ours"])
    assert ours(tmp_path, "check", "--isolated", "--add-noqa", "a.py").err == "Added 1 noqa directive.\n"
    assert ours(tmp_path, "check", "--isolated", "b.py", "--add-noqa=-x").err == "Added 1 noqa directive.\n"
    assert (tmp_path / "a.py").read_text().endswith("  # noqa: PNC101\n")
    assert (tmp_path / "b.py").read_text().endswith("  # noqa: PNC101 -x\n")
    assert ours(tmp_path, "check", "--isolated", "--", "--add-noqa").code == 1


def test_a_fix_does_not_go_with_comments(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SAFE["ours"])
    done = ours(tmp_path, "fix", "--isolated", "--add-noqa")
    assert done.code == 2
    assert done.err.startswith("error: the argument '--add-noqa[=<REASON>]' cannot be used with '--fix'\n")
    assert (tmp_path / "a.py").read_text() == SAFE["ours"]


ENCODED = {
    "a byte order mark": (b"\xef\xbb\xbf" + PLAIN["ours"].encode(), b"  # noqa: PNC101 \xc3\xa9\n"),
    "latin-1": (b"# coding: latin-1\nx = '\xe9'\n" + PLAIN["ours"].encode(), b"  # noqa: PNC101 \xe9\n"),
    "CRLF": (PLAIN["ours"].encode().replace(b"\n", b"\r\n"), b"  # noqa: PNC101 \xc3\xa9\r\n"),
    "no last newline": (PLAIN["ours"].encode().rstrip(), b"  # noqa: PNC101 \xc3\xa9"),
}


@pytest.mark.parametrize(("data", "end"), ENCODED.values(), ids=ENCODED)
def test_the_rest_of_a_file_stays_byte_for_byte(tmp_path: Path, data: bytes, end: bytes) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(data)
    file.chmod(0o750)
    (tmp_path / "link.py").symlink_to("a.py")
    assert ours(tmp_path, "check", "--isolated", "--add-noqa=\N{LATIN SMALL LETTER E WITH ACUTE}", "link.py").code == 0
    assert file.read_bytes() == data.rstrip(b"\r\n") + end
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o750
    assert (tmp_path / "link.py").is_symlink()


def test_what_cannot_be_read_is_told_and_the_rest_is_done(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(PLAIN["ours"])
    (tmp_path / "b.py").write_text(BROKEN["ours"])
    (tmp_path / "c.py").write_bytes(b"x = '\xff'\n")
    done = ours(tmp_path, "check", "--isolated", "--add-noqa")
    assert (done.code, done.out) == (0, "")
    lines = done.err.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["error", "error", "Added 1 noqa directive."]
    assert lines[0].startswith("error: b.py:6: ")
    assert lines[1] == "error: c.py:1: stream did not contain valid UTF-8 (line 1)"
    assert (tmp_path / "b.py").read_text() == BROKEN["ours"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a file that cannot be written")
def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(PLAIN["ours"])
    file.chmod(0o400)
    done = ours(tmp_path, "check", "--isolated", "--add-noqa")
    assert done.err == "error: a.py:1: cannot write the file: Permission denied (os error 13)\n"


def test_an_unused_comment_is_not_looked_for_when_none_counts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1  # noqa: PNC101\n")
    assert ours(tmp_path, "check", "--isolated").code == 1
    assert ours(tmp_path, "check", "--isolated", "--ignore-noqa") == (0, "All checks passed!\n", "")


def test_a_rule_that_is_off_for_a_file_makes_its_comment_non_enabled(tmp_path: Path) -> None:
    (tmp_path / "panicguard.toml").write_text('[per-file-ignores]\n"a.py" = ["PNC101"]\n')
    (tmp_path / "a.py").write_text(NOQA["ours"])
    done = ours(tmp_path, "check", "--output-format", "concise")
    assert "Unused suppression (non-enabled: `PNC101`)" in done.out


def test_what_ruff_has_to_be_told_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(NOQA["ours"])
    for arguments in ([], ["--output-format", "json"], ["a.py"], ["--diff"]):
        done = ours(tmp_path, "check", *arguments)
        assert done.code == 0
        assert done.err.count("[tool.ruff.lint]\n") == 1
        assert done.err.startswith("warning: Ruff does not know `PNC101`")
        assert "ruff" not in done.out.lower()
    for arguments in (["-q"], ["-s"]):
        assert ours(tmp_path, "check", *arguments).err == ""
    assert "[tool.ruff.lint]" in ours(tmp_path, "check", "-", text=NOQA["ours"]).err
    (tmp_path / "c.py").write_text(PLAIN["ours"])
    assert ours(tmp_path, "check", "c.py").err == ""
    added = ours(tmp_path, "check", "--add-noqa", "c.py")
    assert added.err.startswith("warning: Ruff does not know")
    assert added.err.endswith("Added 1 noqa directive.\n")
    (tmp_path / "pyproject.toml").write_text('[tool.ruff]\nlint.external = ["PNC"]\n')
    assert ours(tmp_path, "check").err == ""


def test_a_comment_that_fails_is_told_and_prose_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "# Write `# noqa: PNC101` or panicguard: ignore[...]; see PNC101.\n# panicguard: see (the page on noqa)\n"
        "x = 1  # noqa: [PNC101]\n"
    )
    done = ours(tmp_path, "check", "--isolated")
    assert (done.code, done.out) == (0, "All checks passed!\n")
    assert done.err.startswith("warning: Invalid `# noqa` directive on ")
    assert done.err.count("\n") == 1

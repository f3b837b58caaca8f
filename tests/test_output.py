"""Where a report goes and in which format, beside Ruff in the same situation."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest
from test_cli import CLEAN, PLAIN, SAFE, UNSAFE, Ran, ruff

from panicguard.cli.commands import run
from panicguard.config import FIELDS
from panicguard.report.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Check = Callable[..., Ran]


def write(folder: Path, tool: str) -> None:
    for kind, sources in (("safe", SAFE), ("unsafe", UNSAFE), ("plain", PLAIN)):
        (folder / f"{kind}.py").write_text(sources[tool])


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Check:
    """`panicguard check` in a folder with findings of every kind; `text` is its standard input."""
    for name in ("FORCE_COLOR", "NO_COLOR", "PANICGUARD_OUTPUT_FORMAT", "PANICGUARD_OUTPUT_FILE"):
        monkeypatch.delenv(name, raising=False)
    for tool in SAFE:
        (tmp_path / tool / "clean").mkdir(parents=True)
        write(tmp_path / tool, tool)
        (tmp_path / tool / "clean" / "a.py").write_text(CLEAN[tool])
    monkeypatch.chdir(tmp_path / "ours")

    def checked(*arguments: str, text: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        capfd.readouterr()
        code = run(["check", *arguments])
        return Ran(code, *capfd.readouterr())

    return checked


@pytest.mark.parametrize("folder", [".", "clean"])
@pytest.mark.parametrize("name", FORMATS)
def test_statistics_go_with_the_formats_that_ruff_counts_in(
    check: Check, tmp_path: Path, name: str, folder: str
) -> None:
    arguments = ("--statistics", "--output-format", name, folder)
    theirs = ruff(tmp_path / "ruff", "check", "--isolated", "--no-cache", *arguments)
    ours = check(*arguments)
    assert (ours.code, ours.err) == (theirs.code, theirs.err.replace("ruff", "panicguard"))
    assert bool(ours.out) == bool(theirs.out)


@pytest.mark.parametrize("name", FORMATS)
def test_only_what_people_read_is_closed_by_a_summary(check: Check, tmp_path: Path, name: str) -> None:
    for flags, line in (((), "Found 3 errors."), (("--fix", "--show-fixes"), "Fixed 1 error:")):
        theirs = ruff(tmp_path / "ruff", "check", "--isolated", "--no-cache", "--output-format", name, *flags)
        ours = check("--output-format", name, *flags)
        assert (ours.code, ours.err) == (theirs.code, theirs.err) == (1, "")
        assert (line in ours.out) == (line in theirs.out)


def test_the_format_may_come_from_the_flag_the_environment_or_the_configuration(
    check: Check, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert FIELDS["output-format"].kind == tuple(FORMATS)
    (tmp_path / "ours" / "panicguard.toml").write_text('output-format = "pylint"\n')
    assert check("plain.py").out.startswith("plain.py:5: [PNC101]")
    monkeypatch.setenv("PANICGUARD_OUTPUT_FORMAT", "github")
    assert check("--config", 'output-format = "json"', "plain.py").out.startswith("::error title=panicguard (PNC101)")
    assert check("--output-format", "azure", "plain.py").out.startswith("##vso[")
    monkeypatch.setenv("PANICGUARD_OUTPUT_FORMAT", "githup")
    failed = check("plain.py")
    assert (failed.code, failed.out) == (2, "")
    assert "githup" in failed.err
    assert ", rdjson," in failed.err


SITUATIONS = {
    "plain": (),
    "clean": ("clean",),
    "nothing to lint": ("nowhere/*.txt",),
    "quiet": ("-q",),
    "statistics": ("--statistics",),
    "for programs": ("--output-format", "json"),
    "nothing said": ("--output-format", "json-lines", "clean"),
    "fixed": ("--fix", "--show-fixes"),
    "fix only": ("--fix-only",),
    "exit code": ("--exit-zero",),
}


@pytest.mark.parametrize("arguments", SITUATIONS.values(), ids=SITUATIONS)
def test_a_file_gets_what_would_be_printed(check: Check, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    theirs = ruff(tmp_path / "ruff", "check", "--isolated", "--no-cache", *arguments, "-o", "made/for it/report")
    filed = check(*arguments, "-o", "made/for it/report")
    report = (tmp_path / "ours" / "made" / "for it" / "report").read_bytes().decode()
    assert (filed.code, filed.out) == (theirs.code, theirs.out)
    assert theirs.out == ""
    write(tmp_path / "ours", "ours")
    assert check(*arguments).out == report


def test_a_file_has_no_colours(check: Check, tmp_path: Path) -> None:
    assert "\x1b[" in check("--color", "always").out
    check("--color", "always", "-o", "report.txt")
    assert "\x1b[" not in (tmp_path / "ours" / "report.txt").read_text()


def test_a_file_may_be_named_by_the_environment(check: Check, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PANICGUARD_OUTPUT_FILE", "report.json")
    assert check("--output-format", "json") == Ran(1, "", "")
    assert len(json.loads((tmp_path / "ours" / "report.json").read_text())) == 3


def test_a_file_gets_the_summary_of_a_diff_and_nothing_from_a_silent_run(check: Check, tmp_path: Path) -> None:
    report = tmp_path / "ours" / "report.txt"
    shown = check("--diff", "-o", "report.txt")
    assert (shown.code, shown.out[:12]) == (1, "--- safe.py\n")
    assert report.read_text().startswith("Would fix 1 error")
    assert check("-s", "-o", "report.txt") == Ran(1, "", "")
    assert report.read_text() == ""


def test_a_file_leaves_standard_output_to_the_fixed_source(check: Check, tmp_path: Path) -> None:
    shown = check("--fix", "-o", "report.txt", "-", text=SAFE["ours"])
    assert "SafeGo" in shown.out
    assert (shown.code, shown.err) == (0, "")
    assert (tmp_path / "ours" / "report.txt").read_text() == "Found 1 error (1 fixed, 0 remaining).\n"


@pytest.mark.parametrize("path", ["clean", "plain.py/report.txt"])
def test_a_file_that_cannot_be_is_said_before_anything_is_fixed(check: Check, tmp_path: Path, path: str) -> None:
    failed = check("--fix", "-o", path)
    assert (failed.code, failed.out) == (2, "")
    assert failed.err.startswith(f"panicguard failed\n  Cause: Failed to write {path}\n  Cause: ")
    assert "bug" not in failed.err
    assert (tmp_path / "ours" / "safe.py").read_text() == SAFE["ours"]

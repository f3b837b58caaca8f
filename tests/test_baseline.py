"""The baseline: what stays known, what is new, what is gone; and the file itself."""

from __future__ import annotations

import collections
import dataclasses
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panicguard import config
from panicguard.cli.commands import run
from panicguard.diagnostic import INVALID_SYNTAX, Diagnostic, Result
from panicguard.run import baseline
from panicguard.run.baseline import Entry
from panicguard.source import Source

if TYPE_CHECKING:
    from pathlib import Path

SPAWN = "    asyncio.create_task(g())\n"
ONE = f"import asyncio\n\n\nasync def f():\n{SPAWN}"
OTHER = "import asyncio\n\n\nasync def other():\n    asyncio.gather(g())\n"
WORD = st.text("ab é\n\"'\\\u2028", max_size=4)
ENTRY = st.builds(Entry, WORD, st.sampled_from(["PNC101", "PNC102"]), WORD, WORD)
BASELINE = st.dictionaries(ENTRY, st.integers(1, 3), max_size=6)
PIECES = st.lists(st.sampled_from(["def f():", "  x()", "    x()", "  y()", "class A:", " def g():", ""]), max_size=9)


def result(text: str, path: str = "a.py") -> Result:
    """Every line with a call is a finding."""
    source = Source(path, text)
    rows = [row for row, line in enumerate(text.split("\n"), 1) if line.strip() in ("x()", "y()", "z()")]
    found = (Diagnostic("PNC101", "bare-asyncio-task", "said", source.offset(r, 1), source.offset(r, 9)) for r in rows)
    return Result(source, tuple(found))


def made(*results: Result) -> baseline.Baseline:
    return collections.Counter(entry for r in results for _, entry in baseline.entries(r, r.source.path))


def new_rows(known: baseline.Baseline, *results: Result) -> list[int]:
    judged = baseline.judge(known, results, str)
    return [r.source.location(d.start)[0] for r in judged.results for d in r.diagnostics]


@given(BASELINE)
def test_what_is_written_is_read(known: baseline.Baseline) -> None:
    text = baseline.dump(known)
    assert baseline.parse(text) == known
    assert text == baseline.dump(dict(reversed(known.items())))
    assert len(text.splitlines(keepends=False)) == text.count("\n") == len(known) + 3
    assert all(line.endswith(",") for line in text.split("\n")[1:-3])


@given(BASELINE, BASELINE)
def test_lines_of_both_sides_of_a_merge_are_read(one: baseline.Baseline, other: baseline.Baseline) -> None:
    lines = [*baseline.dump(one).split("\n")[1:-3], *baseline.dump(other).split("\n")[1:]]
    merged = baseline.parse("[\n" + "\n".join(lines))
    assert merged == {e: max(one.get(e, 0), other.get(e, 0)) for e in {*one, *other}}


@given(PIECES.map("\n".join))
def test_all_that_is_recorded_is_known_and_nothing_is_left(text: str) -> None:
    judged = baseline.judge(made(result(text)), [result(text)], str)
    assert not judged.results[0].diagnostics
    assert judged.known == len(result(text).diagnostics)
    assert not judged.rest


@given(PIECES, PIECES)
def test_every_finding_is_either_known_or_new(before: list[str], after: list[str]) -> None:
    known, now = made(result("\n".join(before))), result("\n".join(after))
    judged = baseline.judge(known, [now], str)
    left = judged.results[0].diagnostics
    assert judged.known + len(left) == len(now.diagnostics)
    assert judged.known + sum(judged.rest.values()) == sum(known.values())
    # Of each line as many are known as both have: where it stands decides only which.
    had = collections.Counter(line.strip() for line in before if line.strip() in ("x()", "y()"))
    has = collections.Counter(line.strip() for line in after if line.strip() in ("x()", "y()"))
    assert judged.known == (had & has).total() if hasattr(had, "total") else sum((had & has).values())


@given(PIECES, st.integers(0, 9), st.integers(1, 3))
def test_lines_above_and_more_indentation_change_nothing(lines: list[str], at: int, deeper: int) -> None:
    known = made(result("\n".join(lines)))
    moved = ["# one", "z = 1", *(" " * deeper + line if line.strip() else line for line in lines)]
    moved.insert(min(at, len(moved)), "")
    assert new_rows(known, result("\n".join(moved))) == []


@given(PIECES, st.integers(0, 9))
def test_what_is_added_is_new(lines: list[str], at: int) -> None:
    known = made(result("\n".join(lines)))
    at = min(at, len(lines))
    assert new_rows(known, result("\n".join([*lines[:at], "z()", *lines[at:]]))) == [at + 1]


@given(PIECES, PIECES)
def test_an_update_knows_everything_and_holds_nothing_else(before: list[str], after: list[str]) -> None:
    old, now = made(result("\n".join(before))), result("\n".join(after))
    new = baseline.updated(old, [now], str, lambda entry: True)
    assert new == made(now)
    assert baseline.updated(old, [now], str, lambda entry: False) == old


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        pytest.param("def f():\n  x()\n", "def g():\n  x()\ndef f():\n  x()\n", [2], id="the copy, not the original"),
        pytest.param("def f():\n  x()\n", "def g():\n  x()\n", [], id="a function with another name"),
        pytest.param("def f():\n  x()\n", "def f():\n  x()\n  x()\n", [3], id="twice in a function: the second"),
        pytest.param("def f():\n  x()\n", "def f():\n  y()\n", [2], id="another line"),
        pytest.param("x()\n", "if a:\n  x( )\n".replace("( )", "()"), [], id="within an if"),
        pytest.param("x()\n", "", [], id="gone"),
    ],
)
def test_what_is_new(before: str, after: str, new: list[int]) -> None:
    assert new_rows(made(result(before)), result(after)) == new


def test_a_file_is_known_under_its_path_only() -> None:
    assert new_rows(made(result("x()\n", "a.py")), result("x()\n", "b.py")) == [1]


def test_the_functions_around_a_finding() -> None:
    text = "class A:\n  def f(self):\n    if a:\n      x()\n  x()\nx()\ndef g():\n\tdef h(): pass\n\tx()\n"
    assert [e.scope for _, e in baseline.entries(result(text), "a.py")] == ["A.f", "A", "", "g"]


def test_what_no_rule_says_is_never_known() -> None:
    broken = Result(Source("a.py", "("), (Diagnostic(INVALID_SYNTAX, INVALID_SYNTAX, "said", 0, 1),))
    assert not made(broken)
    assert new_rows({}, broken) == [1]


DAMAGED = {
    "no JSON": "{",
    "no array": "{}",
    "nothing": "[]",
    "no version": json.dumps([dataclasses.asdict(Entry("a", "b", "c", "d"))]),
    "another version": '[{"version": 2}]',
    "a key too few": '[{"path": "a.py"}, {"version": 1}]',
    "a count of words": json.dumps([{**dataclasses.asdict(Entry("a", "b", "c", "d")), "count": "1"}, {"version": 1}]),
    "a count of none": json.dumps([{**dataclasses.asdict(Entry("a", "b", "c", "d")), "count": 0}, {"version": 1}]),
    "a conflict": "[\n<<<<<<< HEAD\n" + '{"version": 1}\n]\n',
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_the_users_to_mend(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.json").write_text(text)
    (tmp_path / "a.py").write_text(ONE)
    for more in ([], ["--update-baseline"], ["--fix"]):
        assert run(["check", "--isolated", "--baseline", "b.json", *more]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("panicguard failed\n  Cause: Failed to read the baseline `b.json`\n  Cause: ")
    assert (tmp_path / "b.json").read_text() == text
    assert (tmp_path / "a.py").read_text() == ONE


@given(st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)))
def test_other_json_is_refused(value: Any) -> None:
    with pytest.raises(baseline.BaselineError, match=r"."):
        baseline.parse(json.dumps(value))


class Project:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        form = [] if "--output-format" in arguments else ["--output-format", "concise"]
        code = run(["check", "--baseline", "b.json", *form, *arguments])
        out, err = self.capsys.readouterr()
        return code, out, err

    def known(self) -> list[str]:
        return [entry.path for entry in baseline.parse((self.folder / "b.json").read_text())]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(ONE)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "b.py").write_text(OTHER)
    its = Project(tmp_path, capsys)
    assert its("--update-baseline")[0] == 0
    return its


KNOWN = "All checks passed!\n2 errors listed in `b.json`.\n"


def test_a_team_adopts_it(project: Project) -> None:
    assert project() == (0, KNOWN, "")
    assert project.known() == ["a.py", "below/b.py"]
    (project.folder / "a.py").write_text(ONE.replace(SPAWN, SPAWN + "    asyncio.create_task(h())\n"))
    code, out, err = project()
    assert (code, err) == (1, "")
    assert out.startswith("a.py:6:5: PNC101 [*] ")
    assert out.endswith("Found 1 error.\n[*] 1 fixable with `--fix`.\n2 errors listed in `b.json`.\n")
    assert project("-q")[1].count("\n") == 1
    assert project("--statistics")[1].startswith("1\tPNC101\t[*] bare-asyncio-task\n")
    assert len(json.loads(project("--output-format", "json")[1])) == 1


def test_without_its_file_it_says_how_to_write_it(project: Project) -> None:
    (project.folder / "b.json").unlink()
    code, out, err = project()
    assert (code, out) == (2, "")
    assert "--update-baseline" in err


def test_what_is_gone_is_said_and_dropped(project: Project) -> None:
    (project.folder / "below" / "b.py").unlink()
    gone = "`b.json` lists 1 finding that is gone; remove it with `--update-baseline`.\n"
    assert project() == (0, "All checks passed!\n1 error listed in `b.json`.\n", gone)
    assert project("-q") == (0, "", "")
    assert project("a.py")[2] == ""  # a run on one file says nothing about others
    assert project("--update-baseline")[2] == "Wrote 1 finding to `b.json`.\n"
    assert project.known() == ["a.py"]


def test_a_part_of_a_run_updates_a_part(project: Project) -> None:
    for text in ("x = 1\n", "import asyncio\ndef f(:\n    asyncio.create_task(g())\n"):
        (project.folder / "a.py").write_text(text)
        assert project("below", "--update-baseline")[0] == 0
        assert project.known() == ["a.py", "below/b.py"]
    code, _, _ = project("--update-baseline")
    assert code == 1  # a broken file cannot be known, and loses nothing
    assert project.known() == ["a.py", "below/b.py"]
    (project.folder / "a.py").write_text("x = 1\n")
    assert project("--update-baseline", "--select", "PNC5")[0] == 0
    assert project.known() == ["a.py", "below/b.py"]
    assert project("--update-baseline")[0] == 0
    assert project.known() == ["below/b.py"]


def test_a_fix_takes_a_finding_out(project: Project) -> None:
    code, out, err = project("--fix")
    assert code == 0
    assert out == "Found 1 error (1 fixed, 0 remaining).\n1 error listed in `b.json`.\n"
    assert "1 finding that is gone" in err
    assert project("--update-baseline")[0] == 0
    assert project.known() == ["below/b.py"]


def test_a_diff_shows_what_a_fix_would_do(project: Project) -> None:
    code, out, err = project("--diff")
    assert code == 1
    assert "+    mruntime.SafeGo(" in out
    assert "gone" not in err


def test_the_setting_is_relative_to_its_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.folder / "panicguard.toml").write_text('baseline = "b.json"\n')
    config.forget()
    monkeypatch.chdir(project.folder / "below")
    assert run(["check"]) == 0
    assert project.capsys.readouterr().out == "All checks passed!\n1 error listed in `../b.json`.\n"
    assert run(["check", "--isolated"]) == 1


def test_standard_input_is_the_file_it_is_called(project: Project) -> None:
    command = [sys.executable, "-m", "panicguard", "check", "--isolated", "--baseline", "b.json", "-"]
    for more, code in ((["--stdin-filename", "a.py"], 0), (["--stdin-filename", "c.py"], 1), ([], 1)):
        done = subprocess.run(
            [*command, *more], cwd=project.folder, input=ONE, text=True, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (code, ""), done


def test_it_needs_a_baseline_to_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["check", "--isolated", "--update-baseline"]) == 2
    assert run(["check", "--isolated", "--update-baseline", "--baseline", "nowhere/b.json"]) == 2

"""A run with a cache reports what a run without one reports, whatever has happened in between."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import operator
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from panicguard.config import default
from panicguard.files.discover import discover
from panicguard.files.stamp import stamp as stamp_of
from panicguard.run import cache
from panicguard.run.lint import lint_file
from panicguard.run.task import Task

if TYPE_CHECKING:
    from pathlib import Path

    from panicguard.settings import Settings

SPAWN = "import asyncio\n\n\nasync def f():\n    asyncio.create_task(g())\n"
CELL = {"cell_type": "code", "metadata": {}, "source": "import asyncio\nasyncio.create_task(g())"}
NOTEBOOK = json.dumps({"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
TEXTS = (
    SPAWN,
    SPAWN.replace("g()", "h()"),
    "import asyncio\n\n\nasync def f():\n    await asyncio.create_task(g())\n",
    SPAWN.replace("g())", "g())  # noqa: PNC101"),
    SPAWN.replace("g())", "g())  # noqa: PNC101: why"),
    "def create_task(:\n",
    NOTEBOOK,
    "x = 1\n",
    "",
)
NAMES = ("a.py", "b.py", "sub/c.py", "sub/d.pyi", "e.ipynb")


@pytest.fixture
def soon_settled(monkeypatch):
    monkeypatch.setattr(cache, "SETTLED", 0.02)


def settle(*paths: Path) -> None:
    """Wait until the files may be remembered."""
    for path in paths:
        while (stamp := stamp_of(str(path))) and not cache._is_settled(stamp):
            time.sleep(0.002)


def lint(files):
    return (lint_file(path, its, Task()) for path, its in files)


def said(results):
    return sorted(
        (
            (r.source.path, r.source, r.diagnostics, r.warnings, r.noqa_codes)
            for r in results
            if r.diagnostics or r.warnings or r.noqa_codes
        ),
        key=lambda one: one[0],
    )


def both(root: Path, its: Settings) -> int:
    """Check with the cache and without; how many files were read with it."""
    read = []

    def counted(files):
        for path, chosen in files:
            read.append(path)
            yield lint_file(path, chosen, Task())

    def found():
        return discover((str(root),), lambda _: its)

    assert said(cache.run(found(), counted)) == said(lint(found()))
    return len(read)


def project(root: Path) -> Settings:
    (root / "sub").mkdir(parents=True)
    return dataclasses.replace(default(str(root)), root=str(root))


Step = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from(TEXTS)),
    st.tuples(st.just("write, times kept"), st.sampled_from(NAMES), st.sampled_from(TEXTS)),
    st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("delete"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("settings"), st.sampled_from([frozenset(), frozenset({"PNC101"})]), st.none()),
    st.tuples(st.just("damage"), st.integers(0, 10_000), st.integers(1, 255)),
    st.tuples(st.just("cut"), st.integers(0, 10_000), st.none()),
    st.tuples(st.just("settle"), st.none(), st.none()),
)


def take(root: Path, its: Settings, step: tuple) -> Settings:
    what, one, other = step
    if what.startswith("write"):
        path = root / one
        before = path.stat() if path.exists() else None
        path.write_text(other)
        if before is not None and what.endswith("kept"):
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif what == "rename" and (root / one).exists():
        (root / one).replace(root / other)
    elif what == "delete":
        (root / one).unlink(missing_ok=True)
    elif what == "settings":
        return dataclasses.replace(its, enabled=one or default(str(root)).enabled)
    elif what in ("damage", "cut"):
        for file in root.glob(".panicguard_cache/*/*.json"):
            data = bytearray(file.read_bytes())
            at = one % (len(data) + 1)
            if what == "damage":
                data[at : at + 1] = bytes(byte ^ other for byte in data[at : at + 1])
            file.write_bytes(data[:at] if what == "cut" else data)
    elif what == "settle":
        settle(*(root / name for name in NAMES))
    return its


@given(st.lists(Step, min_size=50, max_size=50))
@settings(max_examples=4, deadline=None, phases=(Phase.reuse, Phase.generate), suppress_health_check=list(HealthCheck))
@pytest.mark.usefixtures("soon_settled")
def test_after_any_edits_it_is_as_if_there_were_no_cache(tmp_path_factory, steps):
    root = tmp_path_factory.mktemp("project")
    its = project(root)
    for step in steps:
        its = take(root, its, step)
        both(root, its)


@pytest.mark.usefixtures("soon_settled")
def test_only_what_is_new_is_read(tmp_path):
    its = project(tmp_path)
    for name, text in zip(NAMES, TEXTS, strict=False):
        (tmp_path / name).write_text(NOTEBOOK if name.endswith(".ipynb") else text)
    settle(*(tmp_path / name for name in NAMES))
    assert both(tmp_path, its) == 5
    assert both(tmp_path, its) == 0
    (tmp_path / "a.py").write_text("x = 1\n")
    settle(tmp_path / "a.py")
    assert both(tmp_path, its) == 1
    assert both(tmp_path, its) == 0
    assert both(tmp_path, dataclasses.replace(its, enabled=frozenset({"PNC101"}))) == 5
    assert both(tmp_path, dataclasses.replace(its, output_format="json")) == 0


def test_a_file_that_may_change_within_a_tick_is_not_remembered(tmp_path):
    its = project(tmp_path)
    (tmp_path / "a.py").write_text(SPAWN)
    assert both(tmp_path, its) == 1
    assert both(tmp_path, its) == 1


@pytest.mark.usefixtures("soon_settled")
def test_files_that_are_gone_leave_the_cache(tmp_path):
    its = project(tmp_path)
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(SPAWN)
        settle(tmp_path / name)
    both(tmp_path, its)
    (tmp_path / "a.py").unlink()
    (tmp_path / "b.py").write_text("x = 2\n")
    settle(tmp_path / "b.py")
    both(tmp_path, its)
    (file,) = tmp_path.glob(".panicguard_cache/*/*.json")
    assert "a.py" not in file.read_text()


@pytest.mark.usefixtures("soon_settled")
def test_a_foreign_cache_is_not_believed(tmp_path):
    its = project(tmp_path)
    (tmp_path / "a.py").write_text(SPAWN)
    settle(tmp_path / "a.py")
    both(tmp_path, its)
    (file,) = tmp_path.glob(".panicguard_cache/*/*.json")
    text = file.read_bytes().partition(b"\n")[2]
    for old, new in (
        (b'"start":', b'"start":9'),
        (b'"end":', b'"end":-'),
        (b'"code":', b'"kode":'),
        (b'"PNC101"', b"7"),
    ):
        spoilt = text.replace(old, new)
        assert spoilt != text
        file.write_bytes(cache._checksum(spoilt) + b"\n" + spoilt)
        both(tmp_path, its)


FINDING = ("diagnostics", 0)
FIX = (*FINDING, "fix")
EDITS = (*FIX, "edits")
DEEP: list = []
for _ in range(200):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *itertools.product(
            [(), ("diagnostics",), FINDING, FIX, EDITS, (*EDITS, 0), ("warnings",), ("noqa_codes",)],
            [7, "text", True, {}, {"a": 1}, [7], [[]], DEEP],
        ),
        *itertools.product(
            [(*FINDING, "start"), (*FINDING, "end")], [-1, 10**9, 10**400, 0.5, True, "0", None, [], {}]
        ),
        *itertools.product(
            [(*EDITS, 0, "start"), (*EDITS, 0, "end"), (*EDITS, 1, "end")], [-1, 10**9, 10**400, 20.0, True, "0", None]
        ),
        *itertools.product(
            [(*FINDING, "message"), (*FIX, "title"), (*EDITS, 0, "content"), ("warnings", 0)],
            [7, None, [], {}, DEEP, "\ud800", "\udcff"],
        ),
        *itertools.product(
            [(*FINDING, "code"), (*FINDING, "name")], ["PNC000", "io-error", "internal-error", "", 7, None, []]
        ),
        *itertools.product([(*FINDING, "severity"), (*FIX, "applicability")], ["grave", 7, None, [], {}]),
        *itertools.product([(*FINDING, "noqa_row")], [0, -1, "1", 1.0, True, [], {}]),
        *itertools.product([("noqa_codes", 0)], ["PNC000", 7, None, [], {}, "\ud800"]),
        ((*FINDING, "more"), 1),
        (EDITS, []),
    ],
)
@pytest.mark.usefixtures("soon_settled")
def test_an_entry_of_another_kind_is_not_believed(tmp_path, place, value):
    """In each format what is printed with the entry is what is printed without a cache."""
    its = project(tmp_path)
    (tmp_path / "a.py").write_text(SPAWN + "# noqa: PNC101\n")
    settle(tmp_path / "a.py")
    both(tmp_path, its)
    (file,) = tmp_path.glob(".panicguard_cache/*/*.json")
    files = json.loads(file.read_bytes().partition(b"\n")[2])
    (entry,) = (entry for path, entry in files.items() if path.endswith("a.py"))
    entry[1]["warnings"] = entry[1]["warnings"] or ["a warning"]
    assert entry[1]["noqa_codes"]
    *way, last = (1, *place)
    functools.reduce(operator.getitem, way, entry)[last] = value
    text = json.dumps(files).encode()
    file.write_bytes(cache._checksum(text) + b"\n" + text)
    both(tmp_path, its)


@pytest.mark.parametrize("entry", [7, None, "text", {}, [], [[]], [[], None, 1], DEEP, True, [None, None], ["", {}]])
@pytest.mark.usefixtures("soon_settled")
def test_no_entry_is_believed_beside_one_that_is_none(tmp_path, entry):
    its = project(tmp_path)
    (tmp_path / "a.py").write_text(SPAWN)
    settle(tmp_path / "a.py")
    both(tmp_path, its)
    (file,) = tmp_path.glob(".panicguard_cache/*/*.json")
    for texts in ({str(tmp_path / "a.py"): entry}, entry):
        text = json.dumps(texts).encode()
        file.write_bytes(cache._checksum(text) + b"\n" + text)
        both(tmp_path, its)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, '{"a":[[],1e999]}', "nonsense", ""])
@pytest.mark.usefixtures("soon_settled")
def test_a_file_that_is_no_cache_is_none(tmp_path, text):
    its = project(tmp_path)
    (tmp_path / "a.py").write_text(SPAWN)
    settle(tmp_path / "a.py")
    both(tmp_path, its)
    (file,) = tmp_path.glob(".panicguard_cache/*/*.json")
    file.write_bytes(cache._checksum(text.encode()) + b"\n" + text.encode())
    both(tmp_path, its)


def panicguard(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "panicguard", *arguments],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """Projects with files of long ago, and what a check without a cache prints for each."""
    made = [tmp_path_factory.mktemp("project") for _ in range(6)]
    for folder in made:
        (folder / "panicguard.toml").write_text("")
        for number in range(4):
            (folder / f"{number}.py").write_text(SPAWN)
    settle(*(path for folder in made for path in folder.iterdir()))
    done = panicguard(made[0], "check", "--no-cache")
    assert done.returncode == 1
    assert not (made[0] / ".panicguard_cache").exists()
    return iter(made), done.stdout


@pytest.fixture
def checked(projects):
    folders, expected = projects
    return next(folders), expected


def test_the_command_line(checked):
    folder, expected = checked
    for _ in range(2):
        assert panicguard(folder, "check").stdout == expected
    made = folder / ".panicguard_cache"
    assert (made / ".gitignore").read_text() == "*\n"
    assert (made / "CACHEDIR.TAG").read_text().startswith(cache.TAG)
    assert len(list(made.glob("*/*.json"))) == 1
    (folder / "0.py").write_text("x = 1\n")
    assert panicguard(folder, "check").stdout == panicguard(folder, "check", "-n").stdout
    assert panicguard(folder, "fix").returncode == 0
    assert panicguard(folder, "check").stdout == "All checks passed!\n"
    done = panicguard(folder, "clean")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Removing cache at: .panicguard_cache\n")
    assert not made.exists()
    assert panicguard(folder, "clean").stderr == ""


def test_where_it_is(checked, tmp_path_factory):
    folder, expected = checked
    other = tmp_path_factory.mktemp("elsewhere")
    for way in ((("--cache-dir", str(other / "flag")), {}), ((), {"PANICGUARD_CACHE_DIR": str(other / "variable")})):
        assert panicguard(folder, "check", *way[0], **way[1]).stdout == expected
    (folder / "panicguard.toml").write_text('cache-dir = "made/here"\n')
    assert panicguard(folder, "check").stdout == expected
    assert panicguard(folder, "check", PANICGUARD_NO_CACHE="true").stdout == expected
    assert sorted(path.name for path in other.iterdir()) == ["flag", "variable"]
    assert list(folder.glob("made/here/*/*.json"))
    assert not (folder / ".panicguard_cache").exists()


def test_one_that_cannot_be_written_does_no_harm(checked):
    folder, expected = checked
    (folder / ".panicguard_cache").write_text("a file")
    done = panicguard(folder, "check")
    assert (done.returncode, done.stdout, done.stderr) == (1, expected, "")


def test_two_runs_at_once(checked):
    folder, expected = checked
    command = [sys.executable, "-m", "panicguard", "check"]
    runs = [subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [run.communicate()[0] for run in runs] == [expected] * 4
    assert panicguard(folder, "check").stdout == expected


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_run_leaves_a_sound_cache(checked):
    folder, expected = checked
    for milliseconds in range(0, 400, 40):
        run = subprocess.Popen([sys.executable, "-m", "panicguard", "check"], cwd=folder, stdout=subprocess.DEVNULL)
        time.sleep(milliseconds / 1000)
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert panicguard(folder, "check").stdout == expected


def test_another_panicguard_has_another_cache(checked, monkeypatch):
    folder, expected = checked
    assert panicguard(folder, "check").stdout == expected
    before = cache._build()
    cache._build.cache_clear()
    monkeypatch.setattr(cache, "__version__", "99.0.0")
    assert cache._build() != before
    cache._build.cache_clear()

"""`--watch` in a process of its own: what it prints after each change, and how it ends; the first screen as Ruff's."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from panicguard.cli import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C is no signal for one process")
RUFF = [str(Path(sys.executable).parent / "ruff"), "check", "--no-cache", "--isolated", "--select", "F401"]
OURS = [sys.executable, "-m", "panicguard", "check"]
TASK = "import asyncio\n\n\nasync def f():\n    asyncio.create_task(g())\n"
CLEAR = "\x1b[H\x1b[2J\x1b[3J"
SECONDS = 60


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.01)


class Watching:
    """A program that watches a folder; `screens` are what it has printed, each from one clearing to the next."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path) -> None:
        self.process, self.out = process, out

    @property
    def screens(self) -> list[str]:
        return [_without_clock(screen) for screen in self.out.read_text().split(CLEAR)[1:]]

    def shows(self, end: str, after: int = 0) -> str:
        """The last screen, once it ends so and is later than the first `after` ones."""
        until(lambda: len(self.screens) > after and self.screens[-1].endswith(end), self.process)
        return self.screens[-1]

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)


def _without_clock(screen: str) -> str:
    return re.sub(r"^\[\d\d:\d\d:\d\d [AP]M\] ", "[now] ", screen, flags=re.MULTILINE)


@contextlib.contextmanager
def watching(command: list[str], folder: Path, *flags: str) -> Iterator[Watching]:
    out = folder.parent / f"out of {Path(command[0]).name}"
    with out.open("wb") as stdout, (folder.parent / "err").open("wb") as stderr:
        process = subprocess.Popen(
            [*command, "--watch", *flags],
            cwd=folder,
            stdout=stdout,
            stderr=stderr,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        yield Watching(process, out)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.py").write_text(TASK)
    return tmp_path / "in"


FOUND = "a.py:5:5: PNC101 [*] `create_task` is bare: nothing keeps the task or reads its error; use `SafeGo`\n"
ONE = f"[now] Found 1 error. Watching for file changes.\n\n{FOUND}"
NO = "[now] Found 0 errors. Watching for file changes.\n"
CHANGED = "[now] File change detected...\n\n"


def test_files_and_settings_that_change_break_and_vanish(folder: Path) -> None:
    with watching(OURS, folder, "--output-format", "concise") as its:
        assert its.shows(FOUND) == f"[now] Starting linter in watch mode...\n\n{ONE}"
        (folder / "a.py").write_text("x = 1\n")
        assert its.shows(NO) == CHANGED + NO
        (folder / "a.py").write_text(TASK)
        assert its.shows(FOUND) == CHANGED + ONE
        (folder / "panicguard.toml").write_text('ignore = ["PNC101"]\n')
        assert its.shows(NO) == CHANGED + NO
        seen = len(its.screens)
        (folder / "panicguard.toml").write_text("ignore = [\n")
        its.shows(CHANGED, after=seen)
        until(lambda: "panicguard failed\n  Cause: " in (folder.parent / "err").read_text(), its.process)
        (folder / "panicguard.toml").unlink()
        assert its.shows(FOUND) == CHANGED + ONE
        (folder / "a.py").unlink()
        assert its.shows(NO) == CHANGED + NO
        (folder / "below").mkdir()
        (folder / "below" / "b.py").write_text(TASK)
        assert its.shows(FOUND.replace("a.py", "below/b.py"))
        seen = len(its.screens)
        (folder / "c.txt").write_text("nobody looks at this")
        (folder / "below" / "b.py").rename(folder / "a.py")
        assert its.shows(FOUND, after=seen) == CHANGED + ONE
        assert its.interrupt() == 130
    err = (folder.parent / "err").read_text()
    assert "Traceback" not in err
    assert err.count("warning: No Python files found") == 1


def test_what_the_configuration_extends_is_watched_too(folder: Path) -> None:
    (folder.parent / "base.toml").write_text('ignore = ["PNC101"]\n')
    (folder / "panicguard.toml").write_text('extend = "../base.toml"\n')
    with watching(OURS, folder, "--output-format", "concise") as its:
        its.shows(NO)
        (folder.parent / "base.toml").write_text('ignore = ["PNC102"]\n')
        assert its.shows(FOUND) == CHANGED + ONE


def test_fixes_are_written_whenever_a_file_changes(folder: Path) -> None:
    with watching(OURS, folder, "--fix") as its:
        its.shows(NO)
        assert "SafeGo" in (folder / "a.py").read_text()
        (folder / "a.py").write_text(TASK)
        until(lambda: "SafeGo" in (folder / "a.py").read_text(), its.process)


def test_every_format_goes(folder: Path) -> None:
    with watching(OURS, folder, "--output-format", "json") as its:
        screen = its.shows("]")
        head, _, payload = screen.partition("\n\n[\n")
        assert head.endswith("Watching for file changes.")
        assert [found["code"] for found in json.loads(f"[{payload}")] == ["PNC101"]


FIRST = {
    "": r"-->[^\0]*\n\n$",
    "-q": r"-->[^\0]*\n\n$",
    "-s": r"",
    "--output-format concise": r"a\.py:.*\n$",
    "--fix": r"changes\.\n$",
    "--diff": r"changes\.\n$",
}
"""Flags, and how the first screen ends."""


@pytest.mark.parametrize(("flags", "end"), FIRST.items(), ids=FIRST)
def test_the_first_screen_as_ruffs(folder: Path, flags: str, end: str) -> None:
    def first(command: list[str], text: str) -> str:
        (folder / "a.py").write_text(text)
        with watching(command, folder, *flags.split()) as its:
            until(lambda: any(re.search(end, screen) for screen in its.screens), its.process)
            screen = its.screens[0]
            assert its.interrupt() in (130, -signal.SIGINT)  # a shell says 130 for both
        screen = re.sub(r"(?m)^(F401|PNC101) \[\*\] .*\n( *--> a\.py:.*\n)(?:(?!\n).*\n)*", "<a finding>\n", screen)
        screen = re.sub(r"(?m)^a\.py:.*\n", "<a finding>\n", screen)
        return re.sub(r"(?m)^(@@.*\n)(?:[ +\\-].*\n|@@.*\n)*", "<hunks>\n", screen)

    assert first(OURS, TASK) == first(RUFF, "import os\n")


def test_it_waits_until_something_differs(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    before = watch._stamps([str(path)])
    looked = []

    def look() -> watch.Stamps:
        looked.append(1)
        if len(looked) == 3:
            os.utime(path, (1, 1))
        return watch._stamps([str(path)])

    watch._wait(before, look)
    assert len(looked) == 3
    assert watch._stamps([str(path)])[str(tmp_path / "panicguard.toml")] is None

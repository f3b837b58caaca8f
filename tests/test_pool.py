"""Many files: the same results in one process and in several, and a file that breaks the linter affects only itself."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from panicguard.diagnostic import INTERNAL_ERROR, IO_ERROR
from panicguard.engine import check
from panicguard.rule import all_rules
from panicguard.run import atomic
from panicguard.run.lint import lint_bytes, lint_file
from panicguard.run.task import Does, Task
from panicguard.run.workers import run
from panicguard.settings import Settings
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Result

SETTINGS = Settings(enabled=frozenset(rule.code for rule in all_rules()))
BARE = "import asyncio\n\n\nasync def f(x):\n    asyncio.create_task(g(x))\n"
FIX = Task(Does.FIX)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the stand-in linter reaches the workers by fork")


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Every run in workers, in batches of four."""
    monkeypatch.setattr("panicguard.run.workers.ALONE_FILES", 0)
    monkeypatch.setattr("panicguard.run.workers.BATCH_FILES", 4)
    return monkeypatch


def files(folder: Path, count: int, text: str = BARE) -> list[tuple[str, Settings]]:
    paths = [folder / f"{number:03}.py" for number in range(count)]
    for path in paths:
        path.write_text(text)
    return [(str(path), SETTINGS) for path in paths]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def children() -> list[multiprocessing.process.BaseProcess]:
    return multiprocessing.active_children()


def told(results: list[Result]) -> dict[str, str]:
    """The message of each diagnostic that is not a rule's, by file name."""
    return {
        Path(result.source.path).name: diagnostic.message
        for result in results
        for diagnostic in result.diagnostics
        if not diagnostic.is_rule
    }


# One file


def test_a_file_is_checked(tmp_path: Path) -> None:
    ((path, settings),) = files(tmp_path, 1)
    result = lint_file(path, settings, Task())
    assert [diagnostic.code for diagnostic in result.diagnostics] == ["PNC101"]
    assert (result.source, result.original) == (Source(path, BARE), None)


def test_a_clean_file_brings_no_text(tmp_path: Path) -> None:
    ((path, settings),) = files(tmp_path, 1, "x = 1\n")
    result = lint_file(path, settings, FIX)
    assert (result.source, result.diagnostics) == (Source(path, ""), ())


def test_a_fixed_file_brings_both_texts(tmp_path: Path) -> None:
    ((path, settings),) = files(tmp_path, 1)
    result = lint_file(path, settings, Task(Does.DIFF))
    assert result.original == Source(path, BARE)
    assert "SafeGo" in result.source.text
    assert Path(path).read_text() == BARE
    assert lint_file(path, settings, FIX) == result
    assert Path(path).read_text() == result.source.text


def test_warnings_come_along() -> None:
    result = lint_bytes("a.py", b"x  # panicguard: ingore[PNC101]\n", SETTINGS, Task())
    assert len(result.warnings) == 1
    assert result.diagnostics == ()


# Writing


def written(path: Path, text: bytes = BARE.encode()) -> Result:
    path.write_bytes(text)
    return lint_file(str(path), SETTINGS, FIX)


def test_writing_keeps_mode_newlines_and_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"")
    path.chmod(0o754)
    text = b"\xef\xbb\xbf# coding: utf-8\r\n" + BARE.replace("\n", "\r\n").encode() + b"\x0c\r\nx = '\xc3\xa9'"
    assert written(path, text).fixed
    data = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o754
    assert data.startswith(b"\xef\xbb\xbf# coding: utf-8\r\n")
    assert data.endswith(b"\x0c\r\nx = '\xc3\xa9'")
    assert data.count(b"\n") == data.count(b"\r\n")
    assert names(tmp_path) == ["a.py"]


def test_writing_keeps_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    assert written(path, b"# coding: latin-1\n" + BARE.encode() + b"x = '\xe9'\n").fixed
    assert path.read_bytes().endswith(b"x = '\xe9'\n")


def test_an_encoding_that_is_not_written_as_read_is_not_fixed(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    data = b"# coding: iso2022_jp\n" + BARE.encode() + b"x = '\x1b$B$\"\x1b(B\x1b$B$\"\x1b(B'\n"
    result = written(path, data)
    assert path.read_bytes() == data
    assert [diagnostic.code for diagnostic in result.diagnostics] == ["PNC101", INTERNAL_ERROR]


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links")
def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "b.py"
    target.write_text(BARE)
    link = tmp_path / "a.py"
    link.symlink_to("real/b.py")
    assert lint_file(str(link), SETTINGS, FIX).fixed
    assert link.is_symlink()
    assert "SafeGo" in target.read_text()
    assert names(tmp_path / "real") == ["b.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="hard links")
def test_another_name_of_the_file_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(BARE)
    (tmp_path / "cached").hardlink_to(path)
    assert lint_file(str(path), SETTINGS, FIX).fixed
    assert (tmp_path / "cached").read_text() == BARE


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(BARE)
    path.chmod(0o444)
    result = lint_file(str(path), SETTINGS, FIX)
    assert path.read_text() == BARE
    assert [diagnostic.code for diagnostic in result.diagnostics] == ["PNC101", IO_ERROR]
    assert "Permission denied" in result.diagnostics[-1].message


def test_a_write_that_fails_is_told_and_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: str, expected: bytes, data: bytes) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "replace", full)
    result = written(tmp_path / "a.py")
    assert (tmp_path / "a.py").read_text() == BARE
    assert [diagnostic.code for diagnostic in result.diagnostics] == ["PNC101", IO_ERROR]
    assert "No space left on device (os error 28)" in result.diagnostics[-1].message


def test_what_changed_meanwhile_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    replace = atomic.replace
    edits = iter(["# edited\n"])

    def after_an_edit(name: str, expected: bytes, data: bytes) -> bool:
        path.write_text(path.read_text() + next(edits, ""))
        return replace(name, expected, data)

    monkeypatch.setattr(atomic, "replace", after_an_edit)
    assert written(path).fixed == ("PNC101",)
    assert path.read_text().endswith("# edited\n")
    assert "SafeGo" in path.read_text()


def test_a_file_that_never_rests_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "replace", lambda path, expected, data: False)
    result = written(tmp_path / "a.py")
    assert result.diagnostics[-1].code == IO_ERROR
    assert "kept changing" in result.diagnostics[-1].message
    assert result.fixed == ()


def test_replace_only_what_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"new")
    assert not atomic.replace(str(path), b"old", b"x")
    assert path.read_bytes() == b"new"
    with pytest.raises(FileNotFoundError):
        atomic.replace(str(tmp_path / "b.py"), b"", b"x")
    assert names(tmp_path) == ["a.py"]


COUNTER = """
import sys
from panicguard.run import atomic
path = sys.argv[1]
for _ in range(100):
    while True:
        data = open(path, "rb").read()
        if atomic.replace(path, data, b"%d" % (int(data) + 1)):
            break
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs the lock")
def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "count"
    path.write_bytes(b"0")
    runs = [subprocess.Popen([sys.executable, "-c", COUNTER, str(path)]) for _ in range(3)]
    assert [process.wait(60) for process in runs] == [0, 0, 0]
    assert path.read_bytes() == b"300"
    assert names(tmp_path) == ["count"]


FLIPPER = """
import sys
from panicguard.run import atomic
path = sys.argv[1]
a, b = b"a" * 300_000, b"b" * 300_000
print("ready", flush=True)
while True:
    atomic.replace(path, a, b)
    atomic.replace(path, b, a)
"""


def accept_interrupts() -> None:
    """What runs in the background of a shell is started with interrupts ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path, sent: signal.Signals) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"a" * 300_000)
    for attempt in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", FLIPPER, str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            preexec_fn=accept_interrupts,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.01 + attempt * 0.013)
            process.send_signal(sent)
            process.wait(20)
        data = path.read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1
        if sent is signal.SIGINT:
            assert names(tmp_path) == ["a.py"]


# Many files


def test_one_process_or_several_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = files(tmp_path, 12)
    (tmp_path / "005.py").write_text("x = 1\n")
    (tmp_path / "006.py").write_bytes(b"\xff")
    given.insert(3, (str(tmp_path / "missing.py"), SETTINGS))
    alone = list(run(given, Task()))
    assert [result.source.path for result in alone] == [path for path, _ in given]
    monkeypatch.setattr("panicguard.run.workers.ALONE_FILES", 0)
    monkeypatch.setattr("panicguard.run.workers.BATCH_FILES", 2)
    assert list(run(given, Task())) == alone
    assert children() == []


def test_few_files_need_no_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panicguard.run.workers._run_in_workers", None)
    assert len(list(run(iter(files(tmp_path, 3)), Task()))) == 3
    assert list(run([], Task())) == []


def test_fixes_are_written_with_workers_too(tmp_path: Path, workers: pytest.MonkeyPatch) -> None:
    results = list(run(files(tmp_path, 9), FIX))
    assert [result.fixed for result in results] == [("PNC101",)] * 9
    assert all("SafeGo" in path.read_text() for path in tmp_path.iterdir())
    assert [result.fixed for result in run(((r.source.path, SETTINGS) for r in results), FIX)] == [()] * 9


def test_files_are_taken_as_they_are_needed(tmp_path: Path, workers: pytest.MonkeyPatch) -> None:
    given = files(tmp_path, 200, "x = 1\n")
    taken = 0

    def stream() -> Iterator[tuple[str, Settings]]:
        nonlocal taken
        for file in given:
            taken += 1
            yield file

    results = run(stream(), Task())
    next(results)
    assert taken < 200
    results.close()  # type: ignore[attr-defined]
    assert children() == []


def misbehaving(workers: pytest.MonkeyPatch) -> None:
    """A linter that dies or hangs on some texts; they mention panicguard, or they would not even be decoded."""

    def check_or_die(source: Source, settings: Settings) -> tuple[object, ...]:
        match source.text:
            case "segfault  # PNC\n":
                faulthandler.disable()
                os.kill(os.getpid(), signal.SIGSEGV)
            case "exit  # PNC\n":
                os._exit(7)
            case "hang  # PNC\n":
                time.sleep(600)
            case "recursion  # PNC\n":
                raise RecursionError("maximum recursion depth exceeded")
            case "memory  # PNC\n":
                raise MemoryError
            case "error  # PNC\n":
                raise AssertionError("first\nsecond")
        return check(source, settings)

    workers.setattr("panicguard.engine.check", check_or_die)


@LINUX
def test_a_file_that_kills_the_linter_costs_itself(tmp_path: Path, workers: pytest.MonkeyPatch) -> None:
    misbehaving(workers)
    given = files(tmp_path, 40)
    (tmp_path / "002.py").write_text("segfault  # PNC\n")
    (tmp_path / "003.py").write_text("exit  # PNC\n")
    (tmp_path / "017.py").write_text("segfault  # PNC\n")
    (tmp_path / "020.py").write_text("recursion  # PNC\n")
    (tmp_path / "021.py").write_text("memory  # PNC\n")
    (tmp_path / "022.py").write_text("error  # PNC\n")
    results = list(run(given, Task()))
    assert [result.source.path for result in results] == [path for path, _ in given]
    assert sum(diagnostic.code == "PNC101" for result in results for diagnostic in result.diagnostics) == 34
    assert told(results) == {
        "002.py": "the linter crashed on this file (Segmentation fault)",
        "003.py": "the linter crashed on this file (exit code 7)",
        "017.py": "the linter crashed on this file (Segmentation fault)",
        "020.py": "RecursionError: maximum recursion depth exceeded",
        "021.py": "MemoryError",
        "022.py": "AssertionError: first",
    }
    assert children() == []


@LINUX
def test_a_file_that_hangs_costs_itself(tmp_path: Path, workers: pytest.MonkeyPatch) -> None:
    misbehaving(workers)
    workers.setattr("panicguard.run.workers.SECONDS", 0.5)
    given = files(tmp_path, 12)
    (tmp_path / "005.py").write_text("hang  # PNC\n")
    results = list(run(given, Task()))
    assert told(results) == {"005.py": "the linter took too long and was stopped"}
    assert len(results) == 12
    assert children() == []


@LINUX
def test_a_single_file_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(Source("a.py", BARE), SETTINGS)  # what it imports takes longer than what it does
    misbehaving(monkeypatch)
    monkeypatch.setattr("panicguard.run.workers.SECONDS", 0.5)
    given = files(tmp_path, 2)
    (tmp_path / "000.py").write_text("hang  # PNC\n")
    handler = signal.getsignal(signal.SIGALRM)
    results = list(run(given, Task()))
    assert told(results) == {"000.py": "the linter took too long and was stopped"}
    assert [diagnostic.code for diagnostic in results[1].diagnostics] == ["PNC101"]
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@LINUX
def test_workers_killed_from_outside_are_replaced(tmp_path: Path, workers: pytest.MonkeyPatch) -> None:
    given = files(tmp_path, 120)
    results = run(given, Task())
    got = [next(results)]
    for process in children():
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
    got += results
    assert [result.source.path for result in got] == [path for path, _ in given]
    assert told(got) == {}


SLOW = """
import sys, time, os
from panicguard import engine
from panicguard.run import workers
from panicguard.run.task import Task
from panicguard.settings import Settings
workers.ALONE_FILES = 0
workers.BATCH_FILES = 2
def check(source, settings):
    time.sleep(0.05)
    return ()
engine.check = check
try:
    results = workers.run(((path, Settings()) for path in sys.argv[1:]), Task())
    next(results)
    print("ready", flush=True)
    for result in results:
        pass
except KeyboardInterrupt:
    sys.exit(130)
"""


@LINUX
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGKILL, -9)])
def test_an_interrupted_run_ends_with_its_workers(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    paths = [path for path, _ in files(tmp_path, 400)]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *paths],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=accept_interrupts,
    )
    assert process.stdout is not None
    process.stdout.readline()
    started = time.monotonic()
    if sent is signal.SIGINT:  # as a terminal sends it
        os.killpg(process.pid, sent)
    else:
        process.send_signal(sent)
    # The workers hold the pipes: they close when all are gone.
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - started < 5
    assert process.returncode == code
    assert errors == b""


def test_importing_the_pool_loads_no_process_machinery() -> None:
    script = "import sys, panicguard.run.workers; print({'pebble', 'multiprocessing'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"

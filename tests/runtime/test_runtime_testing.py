"""What the runtime has for tests, and its pytest plugin on real runs."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import panicguard.mruntime as runtime
from panicguard.mruntime import (
    CrashProcess,
    KeepRunning,
    RecoverAndCrash,
    SafeGo,
    guarded,
    on_crash,
    root,
    set_exit_code,
    shutdown,
)
from panicguard.mruntime.testing import capture_crash, capture_panics, reopen


def boom() -> None:
    raise ValueError("the reason")


async def aboom() -> None:
    raise ValueError("the reason")


def test_panics_are_collected_from_everywhere(records):
    with capture_panics() as panics:
        SafeGo("thread", KeepRunning, boom)
        assert [p.component for p in panics.wait()] == ["thread"]

        async def main() -> None:
            SafeGo("task", KeepRunning, aboom())
            await asyncio.sleep(0)

        asyncio.run(main())
        assert [p.component for p in panics.wait(2)] == ["thread", "task"]
    SafeGo("after", KeepRunning, boom).join(5)
    assert [p.component for p in panics] == ["thread", "task"]
    assert len(records.panics) == 3


def test_of_two_nested_captures_the_inner_one_collects(records):
    with capture_panics() as outer:
        with capture_panics() as inner:
            SafeGo("inner", KeepRunning, boom).join(5)
        SafeGo("outer", KeepRunning, boom).join(5)
    assert [p.component for p in inner] == ["inner"]
    assert [p.component for p in outer] == ["outer"]


def test_a_panic_that_does_not_come_is_an_assertion_error():
    with capture_panics() as panics, pytest.raises(AssertionError, match="0 of 1 panics"):
        panics.wait(timeout=0.01)


@pytest.mark.parametrize("way", ["thread", "task", "pool"])
def test_a_crash_is_captured_and_the_process_lives(records, way):
    hooked: list[str] = []
    undo = on_crash(lambda: hooked.append("hook"))
    try:
        with capture_crash() as crash:
            if way == "thread":
                thread = SafeGo("c", CrashProcess, boom)
                thread.join(5)
                assert thread.panic is not None
            elif way == "task":

                async def main() -> None:
                    with pytest.raises(ValueError, match="the reason"):
                        await SafeGo("c", CrashProcess, aboom())

                asyncio.run(main())
            else:
                with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="the reason"):
                    SafeGo("c", CrashProcess, boom, executor=pool).result(5)
            assert crash.wait() == crash.code == 70
    finally:
        undo()
    assert crash.panic is not None
    assert (crash.panic.component, crash.panic.value) == ("c", "the reason")
    assert hooked == ["hook"]
    assert len(records.panics) == 1


def test_code_after_the_block_does_not_run(records):
    reached: list[str] = []
    set_exit_code(7)
    try:

        def block() -> None:
            with RecoverAndCrash("block", component="c"):
                boom()
            reached.append("after")

        with capture_crash() as crash, pytest.raises(ValueError, match="the reason"):
            block()
        assert crash.code == 7
    finally:
        set_exit_code(70)
    assert reached == []
    with capture_crash() as crash, pytest.raises(ValueError, match="the reason"):
        guarded(component="c", policy=CrashProcess)(boom)()
    assert crash.code == 70
    assert len(records.panics) == 2


def test_without_a_crash_there_is_none(records):
    with capture_crash() as crash:
        SafeGo("fine", CrashProcess, print).join(5)
        SafeGo("kept", KeepRunning, boom).join(5)
        with pytest.raises(AssertionError, match="no crash"):
            crash.wait(0.01)
    assert (crash.code, crash.panic) == (None, None)


def test_reopen_allows_spawns_again():
    before = root()
    try:
        assert shutdown(5).clean
        with pytest.raises(RuntimeError):
            SafeGo("closed", KeepRunning, print)
    finally:
        reopen()
    assert root() is not before
    assert root().err() is None
    SafeGo("open", KeepRunning, print).join(5)


# The plugin

PACKAGE = runtime.__name__
PRELUDE = f"""
import asyncio, threading, pytest
from {PACKAGE} import *
from {PACKAGE}.testing import capture_panics
def boom(): raise ValueError("the reason")
gate = threading.Event()
"""


def run_tests(folder: Path, program: str, *flags: str) -> tuple[dict[str, int], str]:
    """How many passed, failed and had errors, and the output."""
    (folder / "test_it.py").write_text(PRELUDE + textwrap.dedent(program))
    top = Path(runtime.__file__).parents[PACKAGE.count(".") + 1]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--strict-markers", "-rA", *flags, "test_it.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(top)},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.splitlines()[-1]
    return {word.rstrip("s"): int(n) for n, word in re.findall(r"(\d+) (passed|failed|errors?)", last)}, done.stdout


PLUGIN = ("-p", f"{PACKAGE}.pytest_plugin")


def test_a_test_whose_work_panicked_fails(tmp_path):
    program = """
    def test_bad(): SafeGo("mailer", KeepRunning, boom).join()
    def test_expected():
        with capture_panics() as panics: SafeGo("mailer", KeepRunning, boom).join()
        assert len(panics) == 1
    def test_good(): SafeGo("mailer", KeepRunning, print).join()
    @pytest.mark.mruntime(panics="allow")
    def test_allowed(): SafeGo("mailer", KeepRunning, boom).join()
    """
    counts, output = run_tests(tmp_path, program, *PLUGIN)
    assert counts == {"passed": 4, "error": 1}
    assert "ERROR test_it.py::test_bad" in output
    assert "mailer/boom panicked: ValueError: the reason" in output
    assert "Traceback" in output


def test_a_test_whose_work_still_runs_fails(tmp_path):
    program = """
    def test_bad(): SafeGo("worker", KeepRunning, gate.wait, daemon=True)
    def test_after(): pass
    def test_about_to_end():
        thread = SafeGo("worker", KeepRunning, threading.Event().wait, args=(0.2,))
    @pytest.mark.mruntime(running="allow")
    def test_allowed(): SafeGo("worker", KeepRunning, gate.wait, daemon=True)
    def test_a_task_of_a_closed_loop():
        async def main(): SafeGo("task", KeepRunning, asyncio.sleep(60))
        asyncio.run(main())
    """
    counts, output = run_tests(tmp_path, program, *PLUGIN, "-o", "mruntime_grace=2")
    assert counts == {"passed": 5, "error": 1}
    assert "ERROR test_it.py::test_bad" in output
    assert "thread worker/Event.wait still runs after the test" in output
    assert "in wait" in output


def test_a_fixture_has_until_its_teardown_and_one_of_a_module_longer(tmp_path):
    program = """
    @pytest.fixture
    def worker():
        stop = threading.Event()
        thread = SafeGo("fixture", KeepRunning, stop.wait)
        yield
        stop.set()
        thread.join()
    @pytest.fixture(scope="module")
    def lasting():
        stop = threading.Event()
        thread = SafeGo("module", KeepRunning, stop.wait)
        yield
        stop.set()
        thread.join()
    def test_one(worker, lasting): pass
    def test_two(worker, lasting): pass
    @pytest.fixture
    def forgotten(): SafeGo("forgotten", KeepRunning, gate.wait, daemon=True)
    def test_three(lasting, forgotten): pass
    """
    counts, output = run_tests(tmp_path, program, *PLUGIN, "-o", "mruntime_grace=0.1")
    assert counts == {"passed": 3, "error": 1}
    assert "thread forgotten/Event.wait still runs" in output


def test_after_a_test_that_shut_down_spawns_are_allowed_again(tmp_path):
    program = """
    def test_one(): assert shutdown(1).clean
    def test_two(): SafeGo("again", KeepRunning, print).join()
    """
    assert run_tests(tmp_path, program, *PLUGIN)[0] == {"passed": 2}
    assert run_tests(tmp_path, program)[0] == {"passed": 1, "failed": 1}


def test_nothing_changes_unless_asked(tmp_path):
    counts, _ = run_tests(tmp_path, 'def test_bad(): SafeGo("mailer", KeepRunning, boom).join()')
    assert counts == {"passed": 1}

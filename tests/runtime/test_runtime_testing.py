"""What the runtime has for tests, and its pytest plugin on real runs."""

from __future__ import annotations

import asyncio
import contextvars
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import panicguard.mruntime as runtime
from panicguard.mruntime import (
    CrashProcess,
    KeepRunning,
    RecoverAndCrash,
    SafeGo,
    SafeThread,
    Supervise,
    WaitGroup,
    guarded,
    handle_panic_value,
    metrics,
    observe_panics,
    on_crash,
    set_exit_code,
)
from panicguard.mruntime._state import STATE
from panicguard.mruntime.testing import capture_crash, capture_panics, no_panics

if TYPE_CHECKING:
    from collections.abc import Callable


def boom() -> None:
    raise ValueError("the reason")


async def aboom() -> None:
    raise ValueError("the reason")


def test_panics_are_collected_from_everywhere(records):
    with capture_panics() as panics:
        SafeGo("thread", KeepRunning, boom)
        assert [p.component for p in panics.wait()] == ["thread"]

        async def main() -> None:
            SafeGo("a task", KeepRunning, aboom())
            await asyncio.sleep(0)

        asyncio.run(main())
        assert [p.component for p in panics.wait(2)] == ["thread", "a task"]
    SafeGo("after", KeepRunning, boom).join(5)
    assert [p.component for p in panics] == ["thread", "a task"]
    assert len(records.panics) == 3


def test_of_two_nested_captures_the_inner_one_collects(records):
    with capture_panics() as outer:
        with capture_panics() as inner:
            SafeGo("inner", KeepRunning, boom).join(5)
        SafeGo("outer", KeepRunning, boom).join(5)
    assert [p.component for p in inner] == ["inner"]
    assert [p.component for p in outer] == ["outer"]


def in_parallel(*bodies: Callable[[threading.Barrier], object]) -> list[object]:
    """What they return or raise, each in a plain thread, whose context is empty."""
    together = threading.Barrier(len(bodies))
    with ThreadPoolExecutor(len(bodies)) as pool:
        ended = [pool.submit(body, together) for body in bodies]
    return [one.exception() or one.result() for one in ended]


@pytest.mark.parametrize("way", ["thread", "task", "pool", "loop's pool", "SafeThread", "supervised", "nested"])
def test_invariant_39_a_test_sees_the_panics_of_its_own_context_only(records, way):
    def go(component: str) -> None:
        async def main() -> None:
            if way == "task":
                await asyncio.wait([SafeGo(component, KeepRunning, aboom())])
            else:
                await asyncio.wait([SafeGo(component, KeepRunning, boom, loop=asyncio.get_running_loop())])

        if way == "thread":
            SafeGo(component, KeepRunning, boom).join(5)
        elif way == "pool":
            with ThreadPoolExecutor(1) as pool:
                SafeGo(component, KeepRunning, boom, executor=pool)
        elif way == "SafeThread":
            thread = SafeThread(component, KeepRunning, target=boom)
            thread.start()
            thread.join(5)
        elif way == "supervised":
            Supervise(component, boom, backoff=(0, 0), max_restarts=0).join(5)
        elif way == "nested":
            SafeGo("around", KeepRunning, lambda: SafeGo(component, KeepRunning, boom).join(5)).join(5)
        else:
            asyncio.run(main())

    def one_test(component: str) -> Callable[[threading.Barrier], object]:
        def test(together: threading.Barrier) -> object:
            with capture_panics() as panics:
                together.wait(5)
                go(component)
                # All the others have panicked, and their blocks have not ended.
                together.wait(5)
                return [panic.component for panic in panics]

        return test

    names = [f"parallel {n}" for n in range(4)]
    assert in_parallel(*map(one_test, names)) == [[name] for name in names]


def test_tests_in_parallel_tasks_see_their_own_panics(records):
    async def one_test(component: str, together: WaitGroup) -> list[str]:
        with capture_panics() as panics:
            SafeGo(component, KeepRunning, aboom())
            together.done()
            await together.wait_async(5)
            await panics.wait_async()
        return [panic.component for panic in panics]

    async def main() -> list[list[str]]:
        together = WaitGroup()
        together.add(3)
        return await asyncio.gather(*(one_test(f"task {n}", together) for n in range(3)))

    assert asyncio.run(main()) == [["task 0"], ["task 1"], ["task 2"]]


def test_crashes_in_parallel_are_those_of_their_own_tests(records):
    def one_test(component: str, code: int) -> Callable[[threading.Barrier], object]:
        def leave() -> None:
            raise SystemExit(code)

        def test(together: threading.Barrier) -> object:
            with capture_crash() as crash:
                together.wait(5)
                SafeGo(component, CrashProcess, leave).join(5)
                together.wait(5)
                return crash.wait(), crash.panic.component

        return test

    assert in_parallel(one_test("one", 3), one_test("two", 4)) == [(3, "one"), (4, "two")]
    assert not STATE.captures


def test_a_panic_of_no_capture_goes_to_the_only_one(records):
    def plain(component: str) -> None:
        thread = threading.Thread(
            target=contextvars.Context().run, args=(guarded(component=component, swallow=True)(boom),)
        )
        thread.start()
        thread.join(5)

    with capture_panics() as outer:
        plain("outer")
        with capture_panics() as inner:
            plain("inner")
        together = threading.Barrier(3)

        def other() -> None:
            with capture_panics() as panics:
                together.wait(5)
                together.wait(5)
            assert not panics

        threads = [threading.Thread(target=contextvars.copy_context().run, args=(other,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        together.wait(5)
        plain("beside two")
        together.wait(5)
        for thread in threads:
            thread.join(5)
    assert [p.component for p in outer] == ["outer", "beside two"]
    assert [p.component for p in inner] == ["inner"]


def test_a_late_panic_is_not_that_of_the_next_capture(records):
    gate = threading.Event()

    def late() -> None:
        gate.wait(5)
        boom()

    with ThreadPoolExecutor(1) as pool:
        with capture_panics() as first:
            threads = [SafeGo("late", KeepRunning, late), Supervise("late", late, max_restarts=0)]
            SafeGo("late", KeepRunning, late, executor=pool)
        with capture_panics() as second:
            gate.set()
            for thread in threads:
                thread.join(5)
            pool.shutdown()
    assert (first, second) == ([], [])
    assert len(records.panics) == 3


def test_a_late_panic_of_the_inner_block_is_the_outer_one_s(records):
    gate = threading.Event()

    def late() -> None:
        gate.wait(5)
        boom()

    with capture_panics() as outer:
        with capture_panics() as inner:
            thread = SafeGo("late", KeepRunning, late)
        gate.set()
        thread.join(5)
    assert (inner, [p.component for p in outer]) == ([], ["late"])


def test_a_block_in_a_test_is_about_what_the_test_began_before(tmp_path):
    program = """
    def late():
        gate.wait(5)
        boom()
    @pytest.fixture
    def worker(): return SafeGo("worker", KeepRunning, late)
    def test_it(worker):
        with capture_panics() as panics:
            gate.set()
            assert [panic.component for panic in panics.wait()] == ["worker"]
    """
    assert run_tests(tmp_path, program, *PLUGIN)[0] == {"passed": 1}


def test_what_is_spawned_in_the_context_of_a_test_that_is_over_is_of_the_one_that_runs(records):
    # As under anyio's plugin, whose runner has the context of the first test.
    with capture_panics() as first:
        context = contextvars.copy_context()
    with capture_panics() as second:
        context.run(lambda: SafeGo("stale", KeepRunning, boom)).join(5)
        context.run(Supervise, "stale", boom, max_restarts=0).join(5)
    assert (first, [p.component for p in second]) == ([], ["stale", "stale"])


def test_no_panics_is_an_assertion(records):
    gate = threading.Event()

    def late() -> None:
        gate.wait(5)
        boom()

    with no_panics():
        SafeGo("fine", KeepRunning, print)
    threading.Timer(0.05, gate.set).start()
    with (
        pytest.raises(AssertionError, match=r"mailer/\S+late panicked: ValueError: the reason\nTraceback"),
        no_panics(5),
    ):
        SafeGo("mailer", KeepRunning, late)

    def fails() -> None:
        SafeGo("mailer", KeepRunning, boom).join(5)
        raise LookupError

    with pytest.raises(LookupError), no_panics():
        fails()

    async def main() -> None:
        with pytest.raises(AssertionError, match="a task/"), no_panics():
            await asyncio.wait([SafeGo("a task", KeepRunning, aboom())])

    asyncio.run(main())


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


def test_waiting_in_a_coroutine_does_not_stop_its_loop(records):
    async def main() -> None:
        with capture_panics() as panics:
            task = SafeGo("a task", KeepRunning, aboom())
            with pytest.raises(RuntimeError, match="wait_async"):
                panics.wait()
            assert [p.component for p in await panics.wait_async()] == ["a task"]
            assert panics.wait() == panics
            with pytest.raises(AssertionError, match=r"1 of 2 panics within 0\.01"):
                await panics.wait_async(2, timeout=0.01)
        with capture_crash() as crash:
            thread = SafeGo("thread", CrashProcess, boom)
            assert await crash.wait_async() == 70
        thread.join()
        with pytest.raises(ValueError, match="the reason"):
            await task

    asyncio.run(main())


def test_who_waits_finds_it_logged_and_counted(records):
    gate = threading.Event()

    def later() -> None:
        gate.wait(5)
        boom()

    with capture_panics() as panics:
        thread = SafeGo("counted", KeepRunning, later)
        gate.set()
        panics.wait()
        assert len(records.panics) == 1
        assert metrics()["goroutine_panics_total"]["counted"] == 1
    thread.join()


def test_a_panic_while_one_is_reported_is_collected(records):
    undo = observe_panics(lambda panic, exc: handle_panic_value("second", component="observer", name="o"))
    try:
        with capture_panics() as panics:
            SafeGo("first", KeepRunning, boom).join()
    finally:
        undo()
    assert sorted(p.component for p in panics) == ["first", "observer"]


def test_a_crash_is_one_crash(records):
    hooked: list[str] = []
    undo = on_crash(lambda: hooked.append("hook"))

    def block() -> None:
        with RecoverAndCrash("inner", component="block"):
            boom()

    try:
        with capture_crash() as crash:
            SafeGo("outer", CrashProcess, block).join()
            SafeGo("second", CrashProcess, boom).join()
    finally:
        undo()
    assert crash.panic is not None
    assert crash.panic.component == "block"
    assert [p.component for p in crash.panics] == ["block", "second"]
    assert hooked == ["hook"]
    assert len(records.panics) == 2


def test_a_crash_about_what_was_reported_before_has_its_panic(records):
    async def main() -> None:
        with pytest.raises(ValueError, match="the reason"), RecoverAndCrash("block", component="own"):
            await SafeGo("a task", KeepRunning, aboom())

    with capture_crash() as crash:
        asyncio.run(main())
    assert crash.panic is not None
    assert (crash.panic.component, crash.panic.value) == ("own", "the reason")
    assert [p.component for p in crash.panics] == ["a task"]


@pytest.mark.parametrize(("status", "code"), [(3, 3), (256, 70)])
def test_the_status_of_a_captured_system_exit(records, status, code):
    def leave() -> None:
        raise SystemExit(status)

    async def main() -> None:
        async def leave_async() -> None:
            leave()

        await SafeGo("a task", CrashProcess, leave_async)

    with capture_crash() as crash:
        SafeGo("thread", CrashProcess, leave).join()
    assert crash.code == code
    with capture_crash() as crash, pytest.raises(SystemExit):
        asyncio.run(main())
    assert crash.code == code


def test_the_run_of_a_bare_thread_ends_without_an_exception(records):
    class Worker(threading.Thread):
        @guarded(component="worker", policy=CrashProcess)
        def run(self) -> None:
            boom()

    with capture_crash() as crash:
        worker = Worker()
        worker.start()
        worker.join()
    assert crash.wait() == 70
    assert len(records.panics) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_process_forked_off_meanwhile_can_crash(run_python):
    done = run_python(
        """
        import os
        from mruntime import *
        from mruntime.testing import *
        def boom(): raise ValueError("the reason")
        with capture_crash():
            with capture_panics() as panics, capture_crash() as crash:
                pid = os.fork()
            if pid == 0:
                SafeGo("child", CrashProcess, boom).join()
                os._exit(1)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), crash.code, panics)
        """
    )
    assert done.stdout == "70 None []\n"


def test_after_the_block_a_crash_ends_the_process(run_python):
    done = run_python(
        """
        from mruntime import *
        from mruntime.testing import *
        def boom(): raise ValueError("the reason")
        with capture_crash(): SafeGo("captured", CrashProcess, boom).join()
        print("lives", flush=True)
        SafeGo("real", CrashProcess, boom).join()
        print("not reached")
        """
    )
    assert (done.stdout, done.returncode) == ("lives\n", 70)


def test_a_second_copy_shares_what_tests_wait_for(run_python, tmp_path):
    shutil.copytree(Path(runtime.__file__).parent, tmp_path / "second", ignore=shutil.ignore_patterns("__pycache__"))
    done = run_python(
        """
        import second
        from mruntime.testing import *
        def boom(): raise ValueError("the reason")
        with capture_crash() as crash:
            with capture_panics() as panics: second.SafeGo("keeps", second.KeepRunning, boom).join()
            second.SafeGo("crashes", second.CrashProcess, boom).join()
        print([p.component for p in panics], crash.wait(), crash.panic.component)
        second.shutdown()
        reopen()
        second.SafeGo("again", second.KeepRunning, print, args=("started",)).join()
        """
    )
    assert done.stdout.splitlines() == ["['keeps'] 70 crashes", "started"]


def test_each_shutdown_counts_those_that_stop_at_once(run_python):
    done = run_python(
        """
        import sys
        from mruntime import *
        from mruntime.testing import reopen
        # Threads that wake get their turn before the one that woke them goes on.
        sys.setswitchinterval(1e-6)
        for _ in range(5):
            for _ in range(40):
                SafeGoWithContextAndComponent(root(), "worker", KeepRunning, lambda ctx: ctx.done().wait())
            print(shutdown(10))
            reopen()
        """
    )
    assert done.stdout.splitlines() == ["shutdown: 40 finished"] * 5


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
    output = f"{done.stdout}{done.stderr}exit status {done.returncode}"
    last = (done.stdout.splitlines() or [""])[-1]
    return {word.rstrip("s"): int(n) for n, word in re.findall(r"(\d+) (passed|failed|errors?)", last)}, output


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


def test_invariant_41_every_panic_fails_the_test_that_started_it(tmp_path):
    program = """
    import concurrent.futures, unittest
    from @PACKAGE@.testing import capture_crash
    pool = concurrent.futures.ThreadPoolExecutor(1)
    async def aboom(): boom()
    def started(thread):
        thread.start()
        thread.join()
    def in_loop(start):
        async def main(): await asyncio.wait([start()])
        asyncio.run(main())
    def pooled(): concurrent.futures.wait([SafeGo("c", KeepRunning, boom, executor=pool)])
    def recovered():
        with RecoverAndLog("block", component="c"): boom()
    forms = {
        "coroutine": lambda: in_loop(lambda: SafeGo("c", KeepRunning, aboom())),
        "async_callable": lambda: in_loop(lambda: SafeGo("c", KeepRunning, aboom)),
        "observed": lambda: in_loop(lambda: SafeGo("c", KeepRunning, asyncio.ensure_future(aboom()))),
        "thread": lambda: SafeGo("c", KeepRunning, boom).join(),
        "crash": lambda: SafeGo("c", CrashProcess, boom).join(),
        "pool": pooled,
        "loops_pool": lambda: in_loop(lambda: SafeGo("c", KeepRunning, boom, loop=asyncio.get_running_loop())),
        "SafeThread": lambda: started(SafeThread("c", KeepRunning, target=boom)),
        "SafeTimer": lambda: started(SafeTimer("c", KeepRunning, 0, boom)),
        "Supervise": lambda: Supervise("c", boom, backoff=(0, 0), max_restarts=2).join(),
        "WaitGroup": lambda: WaitGroup().go("c", KeepRunning, boom).join(),
        "nested": lambda: SafeGo("c", KeepRunning, lambda: SafeGo("c", KeepRunning, boom).join()).join(),
        "recovered": recovered,
        "not_joined": lambda: SafeGo("c", KeepRunning, boom),
        "storm": lambda: [SafeGo("c", KeepRunning, boom).join() for _ in range(40)],
    }
    @pytest.mark.parametrize("form", forms)
    def test_bad(form): forms[form]()
    @pytest.mark.parametrize("form", forms)
    def test_fine(form):
        with capture_crash() as crash:
            forms[form]()
            crash.panics.wait()
    class Tests(unittest.TestCase):
        def test_bad_unit(self): forms["thread"]()
        def test_fine(self): pass
    class AsyncTests(unittest.IsolatedAsyncioTestCase):
        async def test_bad_async(self): await asyncio.wait([SafeGo("c", KeepRunning, aboom())])
        async def test_fine(self): pass
    """
    program = program.replace("@PACKAGE@", PACKAGE)
    counts, output = run_tests(tmp_path, program, *PLUGIN, "-p", "no:logging")
    failed = set(re.findall(r"^ERROR test_it\.py::(?:\w+::)?(\w+)", output, re.MULTILINE))
    assert counts == {"passed": 2 * 15 + 4, "error": 15 + 2}, output
    assert failed == {"test_bad", "test_bad_unit", "test_bad_async"}
    assert len(re.findall(r"^ERROR test_it\.py::test_bad\[", output, re.MULTILINE)) == 15


@pytest.mark.parametrize("way", ["thread", "empty context", "crash", "allowed"])
def test_a_panic_after_its_test_is_told_at_the_end_by_its_name_and_fails_the_run(tmp_path, way):
    program = f"""
    import contextvars
    def late():
        gate.wait(5)
        boom()
    threads = []
    def start(): threads.append(SafeGo("late", {"CrashProcess" if way == "crash" else "KeepRunning"}, late))
    @pytest.mark.mruntime(running="allow", panics={"allow" if way == "allowed" else ""!r})
    def test_one(): {"contextvars.Context().run(start)" if way == "empty context" else "start()"}
    def test_two():
        gate.set()
        threads[0].join()
    def test_three(): pass
    """
    counts, output = run_tests(tmp_path, program, *PLUGIN)
    assert counts == {"passed": 3}
    assert ("= panics after the end of their test =" in output) == (way != "allowed")
    would = " and would have ended the process" if way == "crash" else ""
    assert (f"test_it.py::test_one: late/late panicked{would}: ValueError: the reason" in output) == (way != "allowed")
    assert f"exit status {int(way != 'allowed')}" in output


def test_what_a_fixture_of_the_session_began_is_held_against_the_test_that_runs(tmp_path):
    program = """
    calls = []
    @pytest.fixture(scope="session")
    def server():
        bell, stop = threading.Semaphore(0), threading.Event()
        def serve():
            while bell.acquire() and not stop.is_set(): SafeGo("request", KeepRunning, calls.pop()).join()
        thread = SafeGo("server", KeepRunning, serve)
        yield lambda call: (calls.append(call), bell.release())
        stop.set()
        bell.release()
        thread.join()
    def test_first(server): server(print)
    def test_bad(server):
        done = threading.Event()
        def fail():
            done.set()
            boom()
        server(fail)
        assert done.wait(5)
    def test_last(server): server(print)
    """
    counts, output = run_tests(tmp_path, program, *PLUGIN)
    assert counts == {"passed": 3, "error": 1}, output
    assert "ERROR test_it.py::test_bad" in output


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


def test_a_crash_is_an_error_of_its_test_and_the_run_goes_on(tmp_path):
    program = """
    def test_bad(): SafeGo("mailer", CrashProcess, boom).join()
    def test_reported_before():
        async def main():
            with capture_panics():
                try: await SafeGo("task", KeepRunning, aboom())
                except ValueError as error: caught = error
            with pytest.raises(ValueError), RecoverAndCrash("block", component="own"): raise caught from None
        async def aboom(): boom()
        asyncio.run(main())
    def test_after(): pass
    """
    counts, output = run_tests(tmp_path, program, *PLUGIN)
    assert counts == {"passed": 3, "error": 2}
    assert "mailer/boom panicked and would have ended the process: ValueError: the reason" in output
    assert "own/block panicked and would have ended the process" in output


def test_a_teardown_that_fails_does_not_hide_a_panic(tmp_path):
    program = """
    @pytest.fixture
    def failing():
        yield
        raise LookupError("of the teardown")
    def test_bad(failing): SafeGo("mailer", KeepRunning, boom).join()
    """
    counts, output = run_tests(tmp_path, program, *PLUGIN)
    assert counts == {"passed": 1, "error": 1}
    assert "LookupError: of the teardown" in output
    assert "mailer/boom panicked: ValueError: the reason" in output


def test_what_a_fixture_of_a_module_leaves_behind_is_held_against_its_last_test(tmp_path):
    program = """
    @pytest.fixture(scope="module")
    def leaky():
        SafeGo("leaky", KeepRunning, gate.wait, daemon=True)
        yield
    def test_one(leaky): pass
    def test_two(leaky): pass
    """
    counts, output = run_tests(tmp_path, program, *PLUGIN, "-o", "mruntime_grace=0.1")
    assert counts == {"passed": 2, "error": 1}
    assert "ERROR at teardown of test_two" in output
    assert "thread leaky/Event.wait still runs" in output


def test_what_waits_for_a_loop_is_the_same_work_as_the_task_it_becomes(tmp_path):
    program = """
    held = threading.Event()
    @pytest.fixture(scope="module")
    def server():
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        loop.call_soon_threadsafe(held.wait)
        future = SafeGo("server", KeepRunning, asyncio.sleep(60), loop=loop)
        yield loop
        future.cancel()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    def test_it(server):
        held.set()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), server).result(5)
    def test_next(server): pass
    """
    counts, output = run_tests(tmp_path, program, *PLUGIN, "-o", "mruntime_grace=0.2")
    assert counts == {"passed": 2}, output


def test_what_is_printed_after_the_test_belongs_to_it(tmp_path):
    program = """
    def late():
        gate.wait()
        print("from the worker")
    @pytest.fixture
    def opens():
        yield
        gate.set()
    def test_bad(opens):
        SafeGo("late", KeepRunning, late)
        assert False
    """
    _, output = run_tests(tmp_path, program, *PLUGIN)
    assert "Captured stdout teardown -----" in output
    assert output.index("Captured stdout teardown") < output.index("from the worker")


def test_a_grace_that_is_no_number_is_an_error_of_usage(tmp_path):
    program = "def test_it(): pass"
    assert run_tests(tmp_path, program, *PLUGIN, "-o", "mruntime_grace=2")[0] == {"passed": 1}
    assert (
        "mruntime_grace is a number of seconds, not 'soon'"
        in run_tests(tmp_path, program, *PLUGIN, "-o", "mruntime_grace=soon")[1]
    )


def test_it_works_beside_xdist_and_asyncio_plugins(tmp_path):
    pytest.importorskip("xdist")
    pytest.importorskip("pytest_asyncio")
    program = """
    @pytest.mark.asyncio
    async def test_bad(): SafeGo("task", KeepRunning, aboom()); await asyncio.sleep(0)
    async def aboom(): boom()
    @pytest.mark.asyncio
    async def test_left_to_the_loop_that_closes(): SafeGo("task", KeepRunning, asyncio.sleep(60))
    def test_thread(): SafeGo("thread", KeepRunning, gate.wait, daemon=True)
    """
    counts, output = run_tests(tmp_path, program, *PLUGIN, "-n", "2", "-o", "mruntime_grace=0.2")
    assert counts == {"passed": 3, "error": 2}, output
    assert "task/" in output
    assert "thread thread/Event.wait still runs" in output

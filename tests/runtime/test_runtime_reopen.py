"""After a shutdown, once more."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading

import pytest

from panicguard.mruntime import (
    KeepRunning,
    SafeGo,
    SafeGoWithContextAndComponent,
    SafeThread,
    SafeTimer,
    Supervise,
    WaitGroup,
    health,
    reopen,
    root,
    shutdown,
    shutdown_async,
)


@pytest.fixture(autouse=True)
def opened():
    yield
    reopen()


def test_invariant_40_after_reopen_all_forms_of_spawn_work(other_loop):
    def started(start):
        assert shutdown(5).clean
        with pytest.raises(RuntimeError, match="nothing is started after"):
            start()
        reopen()
        return start()

    def thread_of(cls, *args):
        thread = cls("again", KeepRunning, *args)
        thread.start()
        return thread

    async def work() -> str:
        return "done"

    threads = [
        lambda: SafeGo("again", KeepRunning, str, args=("done",)),
        lambda: SafeGoWithContextAndComponent(root(), "again", KeepRunning, lambda ctx: "done"),
        lambda: thread_of(SafeThread, None, lambda: "done"),
        lambda: thread_of(SafeTimer, 0, lambda: "done"),
        lambda: Supervise("again", lambda: "done"),
        lambda: WaitGroup().go("again", KeepRunning, lambda: "done"),
    ]
    for start in threads:
        thread = started(start)
        thread.join(5)
        assert thread.result == "done"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert started(lambda: SafeGo("again", KeepRunning, lambda: "done", executor=pool)).result(5) == "done"
    assert started(lambda: SafeGo("again", KeepRunning, work, loop=other_loop)).result(5) == "done"

    async def main() -> None:
        loop = asyncio.get_running_loop()
        tasks = [
            lambda: SafeGo("again", KeepRunning, work()),
            lambda: SafeGo("again", KeepRunning, work),
            lambda: SafeGo("again", KeepRunning, lambda: "done", loop=loop),
            lambda: Supervise("again", work),
            lambda: SafeGoWithContextAndComponent(root(), "again", KeepRunning, work()),
        ]
        for start in tasks:
            assert (await shutdown_async(5)).clean
            with pytest.raises(RuntimeError, match="nothing is started after"):
                start()
            reopen()
            assert await start() == "done"

    asyncio.run(main())


def test_the_root_is_a_new_one_and_the_process_ready():
    before = root()
    assert health().ready
    assert shutdown(5).clean
    assert not health().ready
    reopen()
    assert health().ready
    assert root() is not before
    assert (root().err(), str(before.err())) == (None, "context canceled")


def test_where_nothing_was_shut_down_nothing_happens():
    before = root()
    reopen()
    assert root() is before
    assert not before.done()


def test_while_a_shutdown_runs_it_is_refused():
    gate = threading.Event()
    thread = SafeGo("busy", KeepRunning, gate.wait, args=(10,))
    closing = threading.Thread(target=shutdown, args=(30,))
    done = root().done()
    closing.start()
    assert done.wait(5)
    with pytest.raises(RuntimeError, match="a shutdown runs"):
        reopen()
    assert not health().ready
    gate.set()
    thread.join(5)
    closing.join(5)
    reopen()
    assert health().ready


def test_a_shutdown_that_is_cancelled_runs_no_more():
    async def main() -> None:
        gate = threading.Event()
        SafeGo("busy", KeepRunning, gate.wait, args=(10,))
        closing = asyncio.ensure_future(shutdown_async(30))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="a shutdown runs"):
            reopen()
        closing.cancel()
        await asyncio.wait([closing])
        reopen()
        gate.set()

    asyncio.run(main())


def test_what_outlives_the_shutdown_keeps_its_context():
    gate, told = threading.Event(), []

    def stubborn(ctx) -> None:
        gate.wait(5)
        told.append(ctx.done().is_set())

    thread = SafeGoWithContextAndComponent(root(), "stubborn", KeepRunning, stubborn)
    assert len(shutdown(0).running) == 1
    reopen()
    gate.set()
    thread.join(5)
    assert told == [True]


def test_one_thread_waits_for_the_end_of_main_for_all_roots():
    for _ in range(3):
        root()
        shutdown(5)
        reopen()
    assert [thread.name for thread in threading.enumerate()].count("mruntime-root") <= 1


def test_the_new_root_ends_with_main_and_by_a_signal(run_python):
    done = run_python(
        """
        import os, signal, threading
        from mruntime import *
        install_signal_handlers()
        shutdown(1)
        reopen()
        os.kill(os.getpid(), signal.SIGTERM)
        print(root().done().wait(5), health().ready)
        shutdown(1)
        reopen()
        print(health().ready, flush=True)
        SafeGoWithContextAndComponent(root(), "waits", KeepRunning, lambda ctx: print(ctx.done().wait(10)))
        """
    )
    assert done.stdout.splitlines() == ["True False", "True", "True"], done

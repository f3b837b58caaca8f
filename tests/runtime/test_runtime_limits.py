"""How long work may take, how much of it runs at once, and that none of it is lost meanwhile."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import logging
import os
import signal
import sys
import threading
import weakref

import pytest
from runtime_programs import pythons

from panicguard.mruntime import (
    DeadlineExceeded,
    Group,
    KeepRunning,
    SafeGo,
    SafeGoWithContext,
    SafeGoWithContextAndComponent,
    WaitGroup,
    background,
    current_context,
    metrics,
    with_cancel,
    with_timeout,
)


def heed(*given):
    """Until the context is done, which ends it."""
    ctx = current_context()
    assert given in ((), (ctx,))
    assert ctx.done().wait(30)
    ctx.check()


async def nap(*_):
    await asyncio.sleep(30)


async def done(handle):
    """Wait until it has ended; the exception of what has one."""
    if isinstance(handle, threading.Thread):
        await asyncio.to_thread(handle.join, 5)
        assert not handle.is_alive()
        return handle.panic
    if isinstance(handle, concurrent.futures.Future):
        handle = asyncio.wrap_future(handle)
    await asyncio.wait([handle], timeout=5)
    return handle.exception()


FORMS = {
    "coroutine": lambda tools, **given: SafeGo("late", KeepRunning, nap(), **given),
    "async callable": lambda tools, **given: SafeGo("late", KeepRunning, nap, **given),
    "another loop": lambda tools, **given: SafeGo("late", KeepRunning, nap(), loop=tools[0], **given),
    "group": lambda tools, **given: WaitGroup().go("late", KeepRunning, nap(), **given),
    "thread": lambda tools, **given: SafeGo("late", KeepRunning, heed, **given),
    "pool": lambda tools, **given: SafeGo("late", KeepRunning, heed, executor=tools[1], **given),
    "loop's pool": lambda tools, **given: SafeGo(
        "late", KeepRunning, heed, loop=asyncio.get_running_loop(), executor=tools[1], **given
    ),
    "ctx and coroutine": lambda tools, **given: SafeGoWithContextAndComponent(
        background(), "late", KeepRunning, nap(), **given
    ),
    "ctx and async callable": lambda tools, **given: SafeGoWithContextAndComponent(
        background(), "late", KeepRunning, nap, **given
    ),
    "ctx and thread": lambda tools, **given: SafeGoWithContextAndComponent(
        background(), "late", KeepRunning, heed, **given
    ),
    "ctx alone": lambda tools, **given: SafeGoWithContext(None, KeepRunning, heed, **given),  # noqa: PNC201
}


@pytest.fixture
def tools(other_loop):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yield other_loop, pool


@pytest.mark.filterwarnings("ignore:SafeGoWithContext names no component")
@pytest.mark.parametrize("form", FORMS)
def test_invariant_36_a_timeout_is_a_cancellation_and_no_panic(records, tools, form):
    before = metrics()

    async def main():
        error = await done(FORMS[form](tools, timeout=0.02))
        # A thread keeps no exception, only what a panic was.
        if form.endswith(("thread", "alone")):
            assert error is None
        else:
            assert type(error) is DeadlineExceeded
            assert isinstance(error, TimeoutError)

    asyncio.run(main())
    assert not records.panics
    (said,) = [record for record in records.all if record.name == "mruntime"]
    assert (said.levelno, "DeadlineExceeded" in said.getMessage()) == (logging.DEBUG, True)
    now = metrics()
    assert now["goroutine_panics_total"] == before["goroutine_panics_total"]
    assert now["goroutine_active"].get("late", 0) == 0


@pytest.mark.filterwarnings("ignore:SafeGoWithContext names no component")
@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("thread", "ctx and thread", "ctx alone")])
@pytest.mark.parametrize("seconds", [0, -1])
def test_what_has_no_time_does_not_begin_if_it_is_a_task(no_warning, tools, form, seconds):
    async def main():
        assert type(await done(FORMS[form](tools, timeout=seconds))) is DeadlineExceeded

    asyncio.run(main())


def test_work_that_is_in_time_is_as_without_a_timeout(records):
    async def give(value):
        await asyncio.sleep(0)
        return value

    async def main():
        task = SafeGo("in-time", KeepRunning, give(1), timeout=60)
        assert type(task) is asyncio.Task
        assert await task == 1
        with pytest.raises(ZeroDivisionError):
            await SafeGo("in-time", KeepRunning, divide(), timeout=60)
        thread = SafeGo("in-time", KeepRunning, str, args=(2,), timeout=60)
        await done(thread)
        assert thread.result == "2"
        # Its timer does not keep the loop, nor what has ended.
        assert not [h for h in asyncio.get_running_loop()._scheduled if not h.cancelled()]

    async def divide():
        return 1 / 0

    asyncio.run(main())
    assert len(records.panics) == 1


@pytest.mark.parametrize("how", ["task", "context", "both"])
def test_a_task_that_others_cancel_in_time_is_cancelled(records, how):
    async def main():
        ctx, cancel = with_cancel(background())
        task = SafeGoWithContextAndComponent(ctx, "in-time", KeepRunning, nap(), timeout=60)
        await asyncio.sleep(0)
        if how != "task":
            cancel()
        if how != "context":
            task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(main())
    assert not records.panics


@pytest.mark.skipif(sys.version_info < (3, 11), reason="cancellations are not counted before")
def test_a_task_that_others_cancel_as_its_time_is_over_is_cancelled():
    async def main():
        async def stubborn():
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                task.cancel()
                raise

        task = SafeGo("late", KeepRunning, stubborn(), timeout=0.2)
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(main())


def test_what_a_cancelled_task_does_instead_counts(records):
    async def returns():
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            return "saved"

    async def fails():
        try:
            await asyncio.sleep(30)
        finally:
            raise ValueError("while it cleaned up")

    async def main():
        assert await SafeGo("late", KeepRunning, returns(), timeout=0.2) == "saved"
        with pytest.raises(ValueError, match="cleaned up"):
            await SafeGo("late", KeepRunning, fails(), timeout=0.2)

    asyncio.run(main())
    assert [record.panic_value for record in records.panics] == ["while it cleaned up"]


def test_the_context_of_the_work_has_the_deadline_and_the_values_around():
    seen: list[object] = []

    async def look():
        seen.append((current_context().value("key"), current_context().deadline()))

    async def main():
        with with_timeout(background(), 50) as ctx:
            outer = SafeGoWithContextAndComponent(ctx, "ctx", KeepRunning, spawn)
            await (await outer)
        return ctx.deadline()

    async def spawn(ctx):
        return SafeGo("ctx", KeepRunning, look, timeout=100)

    around = asyncio.run(main())
    assert seen == [(None, around)]


def test_a_timeout_that_is_none(no_warning):
    async def main():
        with pytest.raises(TypeError):
            SafeGo("c", KeepRunning, nap(), timeout="1")
        future = asyncio.get_running_loop().create_future()
        with pytest.raises(TypeError, match="that is there already"):
            SafeGo("c", KeepRunning, future, timeout=1)
        with pytest.raises(TypeError, match="must be a Context"):
            SafeGoWithContextAndComponent("ctx", "c", KeepRunning, nap(), timeout=1)

    asyncio.run(main())


@pytest.mark.parametrize("way", ["threads", "coroutines"])
def test_a_wait_group_has_a_limit(way):
    now: list[int] = []
    most: list[int] = []
    lock = threading.Lock()
    group = WaitGroup(limit=2)

    def work():
        with lock:
            now.append(1)
            most.append(len(now))
        threading.Event().wait(0.002)
        with lock:
            now.pop()

    async def work_async():
        now.append(1)
        most.append(len(now))
        await asyncio.sleep(0.001)
        now.pop()

    async def main():
        for _ in range(10):
            task = await group.go_async("limit", KeepRunning, work_async)
            assert type(task) is asyncio.Task
        assert await group.wait_async(5)

    if way == "threads":
        for _ in range(10):
            group.go("limit", KeepRunning, work)
        assert group.wait(5)
    else:
        asyncio.run(main())
    assert len(most) == 10
    assert max(most) == 2


@pytest.mark.parametrize("kind", ["coroutine", "callable", "thread"])
@pytest.mark.parametrize("group_type", [WaitGroup, Group])
def test_invariant_37_a_full_group_never_blocks_a_loop(no_warning, group_type, kind):
    def work():
        return {"coroutine": nap, "callable": lambda: nap, "thread": lambda: int}[kind]()

    async def fill(group):
        first = group.go("full", KeepRunning, nap())
        with pytest.raises(RuntimeError, match=r"1 run already.*`await go_async"):
            group.go("full", KeepRunning, work())
        turns: list[int] = []
        waiting = asyncio.ensure_future(group.go_async("full", KeepRunning, work()))
        for n in range(5):
            await asyncio.sleep(0)
            turns.append(n)
        assert not waiting.done()
        first.cancel()
        last = await asyncio.wait_for(waiting, 5)
        if kind != "thread":
            last.cancel()

    async def main():
        group = group_type(limit=1)
        if group_type is Group:
            async with group:
                await fill(group)
        else:
            await fill(group)
            assert await group.wait_async(5)

    asyncio.run(main())


def test_a_place_is_free_again_whatever_becomes_of_it(no_warning, records):
    group = WaitGroup(limit=1)

    def boom():
        raise ValueError("boom")

    for _ in range(2):
        with pytest.raises(TypeError):
            group.go("limit", KeepRunning, None)
        with pytest.raises(RuntimeError, match="no event loop"):
            group.go("limit", KeepRunning, nap())
        group.go("limit", KeepRunning, boom).join()

    async def main():
        for _ in range(2):
            task = await group.go_async("limit", KeepRunning, nap())
            waiting = asyncio.ensure_future(group.go_async("limit", KeepRunning, nap()))
            await asyncio.sleep(0)
            # At the very moment when there is room.
            task.cancel()
            task.add_done_callback(lambda _, waiting=waiting: waiting.cancel())
            await asyncio.wait([waiting])
            if not waiting.cancelled():
                waiting.result().cancel()
        assert await group.wait_async(5)

    asyncio.run(main())
    assert group.go("limit", KeepRunning, int).join(5) is None
    assert group.wait(5)
    for limit in (0, -1):
        with pytest.raises(ValueError, match="at least 1"):
            WaitGroup(limit=limit)


def test_threads_wait_for_the_ends_of_tasks(other_loop):
    group = WaitGroup(limit=1)
    first = group.go("limit", KeepRunning, nap(), loop=other_loop)
    threading.Timer(0.01, first.cancel).start()
    group.go("limit", KeepRunning, int).join()
    assert first.cancelled()
    assert group.wait(5)


def test_a_ctrl_c_while_a_thread_starts_leaves_it_counted(monkeypatch):
    gate = threading.Event()
    real = threading.Thread.start

    def start(self):
        real(self)
        raise KeyboardInterrupt

    group = WaitGroup(limit=1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(KeyboardInterrupt):
            group.go("limit", KeepRunning, gate.wait)
    assert not group.wait(0.01)
    gate.set()
    assert group.wait(5)
    assert group.go("limit", KeepRunning, int).join(5) is None


def test_what_a_failed_thread_held_is_freed_without_a_collection(records):
    class Thing:
        pass

    def boom():
        thing = Thing()
        there.append(weakref.ref(thing))
        raise ValueError("boom")

    there: list[weakref.ref[Thing]] = []
    group = WaitGroup(limit=1)
    gc.collect()
    gc.disable()
    try:
        thread = group.go("limit", KeepRunning, boom)
        thread.join(5)
        assert group.wait(5)
        assert there[0]() is None
    finally:
        gc.enable()


@pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C cannot be sent to a thread")
def test_a_ctrl_c_while_it_waits_for_room_takes_no_place():
    group = WaitGroup(limit=1)
    gate = threading.Event()
    main = threading.main_thread().ident

    def interrupt():
        while not group._places._receivers:
            gate.wait(0.001)
        signal.pthread_kill(main, signal.SIGINT)
        gate.wait(5)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        first = group.go("limit", KeepRunning, interrupt)
        with pytest.raises(KeyboardInterrupt):
            group.go("limit", KeepRunning, int)
    finally:
        signal.signal(signal.SIGINT, before)
    gate.set()
    first.join(5)
    assert group.go("limit", KeepRunning, str).join(5) is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_the_places_of_a_parent_are_free_in_its_child(run_python):
    done = run_python(
        """
        import os, threading
        from mruntime import *
        gate = threading.Event()
        group = WaitGroup(limit=1)
        group.go("c", KeepRunning, gate.wait)
        pid = os.fork()
        if not pid:
            group.go("c", KeepRunning, print, args=("child",), kwargs={"flush": True}).join()
            group.go("c", KeepRunning, print, args=("child again",), kwargs={"flush": True}).join()
            os._exit(not group.wait(5))
        assert os.waitpid(pid, 0)[1] == 0
        gate.set()
        group.go("c", KeepRunning, print, args=("parent",)).join()
        """,
        "-W",
        "ignore",
    )
    assert done.stdout.split("\n") == ["child", "child again", "parent", ""]
    assert not done.stderr


@pytest.mark.parametrize("version", pythons())
def test_invariant_38_no_form_of_spawning_loses_its_task_to_the_collector(run_python, version):
    done = run_python(
        """
        import asyncio, gc, sys, threading, time, warnings, weakref
        from mruntime import *

        warnings.simplefilter("ignore", DeprecationWarning)
        stuck, ended = {}, []

        class Awaitable:
            def __init__(self, name): self.name = name
            def __await__(self): return work(self.name).__await__()

        async def work(name):
            # Task, coroutine and future refer to one another, and nothing else does to any of them.
            future = asyncio.get_running_loop().create_future()
            stuck[name] = weakref.ref(future)
            await future
            ended.append(name)

        async def handed(ctx, name): await work(name)

        async def grouped(name):
            async with Group() as group:
                group.go("c", KeepRunning, work(name))

        async def grouped_later(name):
            async with Group(limit=1) as group:
                await group.go_async("c", KeepRunning, work, args=(name,))

        def cancellable(): return with_cancel(background()).ctx

        async def start(elsewhere):
            asyncio.create_task(work("bare"))
            SafeGo("c", KeepRunning, work("coroutine"))
            SafeGo("c", KeepRunning, work("named"), name="n")
            SafeGo("c", KeepRunning, work, args=("async callable",))
            SafeGo("c", KeepRunning, Awaitable("awaitable"))
            SafeGo("c", KeepRunning, asyncio.ensure_future(work("future")))
            SafeGo("c", KeepRunning, work("timeout"), timeout=60)
            SafeGo("c", KeepRunning, work("own loop"), loop=asyncio.get_running_loop())
            SafeGoWithContextAndComponent(cancellable(), "c", KeepRunning, work("ctx"))
            SafeGoWithContextAndComponent(cancellable(), "c", KeepRunning, handed, args=("ctx handed",))
            SafeGoWithContext(cancellable(), KeepRunning, work("ctx alone"))
            WaitGroup().go("c", KeepRunning, work("WaitGroup"))
            await WaitGroup(limit=1).go_async("c", KeepRunning, work("WaitGroup.go_async"))
            SafeGo("c", KeepRunning, grouped("Group"))
            SafeGo("c", KeepRunning, grouped_later("Group.go_async"))
            Supervise("c", work, args=("Supervise",))

        def start_elsewhere(elsewhere):
            asyncio.run_coroutine_threadsafe(work("bare from a thread"), elsewhere)
            SafeGo("c", KeepRunning, work("loop"), loop=elsewhere)
            SafeGo("c", KeepRunning, work, args=("loop, callable",), loop=elsewhere)
            SafeGo("c", KeepRunning, work("loop, timeout"), loop=elsewhere, timeout=60)
            SafeGoWithContextAndComponent(cancellable(), "c", KeepRunning, work("loop, ctx"), loop=elsewhere)
            SafeGoWithContextAndComponent(root(), "c", KeepRunning, handed, args=("loop, handed",), loop=elsewhere)
            WaitGroup().go("c", KeepRunning, work("loop, WaitGroup"), loop=elsewhere)

        elsewhere = asyncio.new_event_loop()
        elsewhere.set_exception_handler(lambda *_: None)
        SafeGo("c", KeepRunning, work("loop before it runs"), loop=elsewhere)
        threading.Thread(target=elsewhere.run_forever, daemon=True).start()

        async def main():
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda *_: None)
            await start(elsewhere)
            threading.Thread(target=start_elsewhere, args=(elsewhere,)).start()
            until = loop.time() + 5
            while len(stuck) < 24 and loop.time() < until:
                await asyncio.sleep(0.001)
            # Once more on the other loop: nothing of it is in a call now.
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), elsewhere))
            for _ in range(3):
                gc.collect()
            lost = sorted(name for name, future in stuck.items() if future() is None)
            for future in stuck.values():
                if future() is not None:
                    future().get_loop().call_soon_threadsafe(future().set_result, None)
            while len(ended) < 24 - len(lost) and loop.time() < until:
                await asyncio.sleep(0.001)
            print(len(stuck), "lost:", lost, "ended:", len(ended))

        asyncio.run(main())
        """,
        python=pythons()[version],
    )
    count, _, rest = done.stdout.strip().partition(" ")
    assert (count, done.stderr) == ("24", "")
    lost = ["bare", "bare from a thread"]
    # So that this test could fail at all: the bare one is lost. That a loop of a thread keeps one is no promise.
    assert rest in (f"lost: {lost} ended: 22", f"lost: {lost[:1]} ended: 23")

"""SafeGo with coroutines, async callables and futures."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import gc
import logging
import sys
import threading
import types
import warnings
import weakref
from typing import Any
from unittest import mock

import pytest

from panicguard.mruntime import (
    Canceled,
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
from panicguard.mruntime._state import STATE


async def boom(message: str = "boom") -> None:
    await asyncio.sleep(0)
    raise ValueError(message)


async def value(x: int) -> int:
    await asyncio.sleep(0)
    return x


def test_is_create_task():
    async def main():
        task = SafeGo("tasks", KeepRunning, value(3), name="mine")
        assert type(task) is asyncio.Task
        assert task.get_name() == "mine"
        assert "value" in repr(task)
        assert await task == 3
        bare = asyncio.create_task(value(1))
        auto = SafeGo("tasks", KeepRunning, value(1))
        assert bare.get_name().split("-")[0] == auto.get_name().split("-")[0] == "Task"
        await asyncio.gather(bare, auto)

    asyncio.run(main())
    assert not STATE.tasks


class OddError(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("v"), OddError("o"), TimeoutError(), Canceled("c")], ids=repr)
def test_invariant_04_await_raises_the_same_exception_object(other_loop, error):
    async def fail():
        await asyncio.sleep(0)
        raise error

    async def main():
        ways = [lambda t: t, asyncio.gather, asyncio.shield, lambda t: asyncio.wait_for(t, 5)]
        for way in ways:
            for fn in (fail, fail(), asyncio.ensure_future(fail())):
                task = SafeGo("same", KeepRunning, fn)
                with pytest.raises(type(error)) as caught:
                    await way(task)
                assert caught.value is error
                assert task.exception() is error
                assert any(entry.name == "fail" for entry in caught.traceback)

    asyncio.run(main())
    assert SafeGo("same", KeepRunning, fail(), loop=other_loop).exception(5) is error


def test_the_record_of_a_panic(records):
    async def fail():
        raise ValueError("it\nbroke")

    async def main():
        await asyncio.wait([SafeGo("record", KeepRunning, fail())])

    asyncio.run(main())
    (record,) = records.panics
    assert record.levelno == logging.ERROR
    assert record.name == "mruntime"
    assert record.getMessage() == "panic recovered in record/" + fail.__qualname__ + ": it\nbroke"
    assert record.panic_source == fail.__qualname__
    assert record.panic_value == "it\nbroke"
    assert "raise ValueError" in record.stack_trace
    assert record.panic_component == "record"
    assert record.panic_policy == "KeepRunning"
    assert record.panic_type == "ValueError"
    assert record.exc_info is None
    assert metrics()["goroutine_panics_total"]["record"] == 1
    assert metrics()["goroutine_started_total"]["record"] == 1


def test_nobody_awaits_and_nothing_is_said_twice(records):
    async def main():
        task = SafeGo("alone", KeepRunning, boom())
        await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(main())
    gc.collect()
    assert len(records.all) == 1


def test_waiters_of_a_panic_do_not_report_it_again(records):
    async def outer():
        await SafeGo("inner", KeepRunning, boom())

    async def main():
        await asyncio.gather(SafeGo("outer", KeepRunning, outer()), return_exceptions=True)

    asyncio.run(main())
    assert [r.panic_component for r in records.panics] == ["inner"]


def test_an_exception_kept_and_raised_again_is_a_new_panic(records):
    error = ValueError("shared")

    async def fail():
        raise error

    async def main():
        for _ in range(2):
            await asyncio.wait([SafeGo("shared", KeepRunning, fail())])

    asyncio.run(main())
    assert len(records.panics) == 2


@pytest.mark.parametrize("how", ["coroutine", "callable", "future", "context"])
def test_invariant_01_a_spawned_task_survives_a_collection(how):
    async def stuck():
        await asyncio.get_running_loop().create_future()

    def spawn():
        if how == "context":
            ctx, _ = with_timeout(background(), 60)
            return SafeGoWithContextAndComponent(ctx, "stuck", KeepRunning, stuck())
        fn = {"coroutine": stuck, "callable": lambda: stuck, "future": lambda: asyncio.ensure_future(stuck())}[how]
        return SafeGo("stuck", KeepRunning, fn())

    async def main():
        bare = weakref.ref(asyncio.create_task(stuck()))
        safe = weakref.ref(spawn())
        await asyncio.sleep(0)
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        gc.collect()
        assert bare() is None
        task = safe()
        assert task is not None
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())


@pytest.mark.parametrize("how", ["cancel", "context", "early", "itself", "future", "cleanup"])
def test_invariant_05_a_cancelled_task_is_cancelled_and_no_panic(records, how):
    async def nap():
        try:
            await asyncio.sleep(60)
        finally:
            if how == "cleanup":
                await asyncio.sleep(0)

    async def itself():
        raise asyncio.CancelledError

    async def main():
        ctx, cancel = with_cancel(background())
        fn = itself() if how == "itself" else nap()
        if how == "future":
            fn = asyncio.ensure_future(fn)
        task = SafeGoWithContextAndComponent(ctx, "cancel", KeepRunning, fn)
        if how != "early":
            await asyncio.sleep(0)
        if how == "context":
            cancel()
        elif how != "itself":
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled() is True

    asyncio.run(main())
    assert not records.all
    assert "cancel" not in metrics()["goroutine_panics_total"]
    assert not STATE.tasks


@pytest.mark.usefixtures("no_warning")
@pytest.mark.parametrize("how", ["coroutine", "callable", "awaitable", "done context", "another loop", "idle loop"])
def test_invariant_15_no_warning_for_a_task_cancelled_before_its_first_step(records, other_loop, how):
    class Later:
        def __await__(self):
            return value(1).__await__()

    async def main():
        if how == "done context":
            ctx, cancel = with_cancel(background())
            cancel()
            task = SafeGoWithContextAndComponent(ctx, "early", KeepRunning, value(1))
        else:
            fn = {"callable": functools.partial(value, 1), "awaitable": Later()}.get(how)
            task = SafeGo("early", KeepRunning, value(1) if fn is None else fn)
            task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    if how == "another loop":
        gate = threading.Event()
        other_loop.call_soon_threadsafe(gate.wait, 5)
        future = SafeGo("early", KeepRunning, value(1), loop=other_loop)
        assert future.cancel()
        gate.set()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), other_loop).result(5)
    elif how == "idle loop":
        loop = asyncio.new_event_loop()
        task = SafeGo("early", KeepRunning, value(1), loop=loop)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()
    else:
        asyncio.run(main())
    assert not records.all


def test_async_callables(records):
    class Job:
        async def __call__(self, x):
            return x + 1

        async def method(self, x, *, y):
            return x + y

    async def main():
        assert await SafeGo("c", KeepRunning, value, args=(4,)) == 4
        assert await SafeGo("c", KeepRunning, functools.partial(value, 5)) == 5
        assert await SafeGo("c", KeepRunning, Job(), args=(1,)) == 2
        assert await SafeGo("c", KeepRunning, Job().method, args=[1], kwargs={"y": 4}) == 5
        task = SafeGo("c", KeepRunning, functools.partial(Job().method, 1), kwargs={"y": 2}, name="n")
        assert isinstance(task, asyncio.Task)
        assert await task == 3

    asyncio.run(main())


@pytest.mark.usefixtures("no_warning")
def test_no_loop_closes_the_coroutine_and_names_the_way_out():
    coro = value(1)
    with pytest.raises(RuntimeError, match=r"pass loop=.*asyncio\.run"):
        SafeGo("noloop", KeepRunning, coro)
    assert coro.cr_frame is None
    assert "noloop" not in metrics()["goroutine_started_total"]


@pytest.mark.usefixtures("no_warning")
def test_closed_loop_closes_the_coroutine():
    loop = asyncio.new_event_loop()
    loop.close()
    coro = value(1)
    with pytest.raises(RuntimeError, match="closed"):
        SafeGo("closed", KeepRunning, coro, loop=loop)
    assert coro.cr_frame is None
    assert "closed" not in metrics()["goroutine_started_total"]


def test_loop_that_does_not_run_yet():
    loop = asyncio.new_event_loop()
    task = SafeGo("later", KeepRunning, value(7), loop=loop)
    assert isinstance(task, asyncio.Task)
    assert loop.run_until_complete(task) == 7
    loop.close()


def test_loop_that_begins_to_run_elsewhere_while_the_task_is_made():
    loop = asyncio.new_event_loop()
    asleep, ran = threading.Event(), threading.Event()
    select = loop._selector.select

    def sleep(timeout: float | None) -> Any:
        if timeout is None:
            asleep.set()
        return select(timeout)

    def factory(loop: Any, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        thread.start()
        assert asleep.wait(5)
        return asyncio.Task(coro, loop=loop, **kwargs)

    async def run() -> None:
        ran.set()

    loop._selector.select = sleep
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    loop.set_task_factory(factory)
    SafeGo("starting", KeepRunning, run(), loop=loop)
    assert ran.wait(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def test_loop_in_another_thread(records, other_loop):
    future = SafeGo("remote", KeepRunning, value(8), loop=other_loop)
    assert isinstance(future, concurrent.futures.Future)
    assert future.result(5) == 8
    failing = SafeGo("remote", KeepRunning, boom("far"), loop=other_loop)
    assert isinstance(failing.exception(5), ValueError)
    assert [r.panic_value for r in records.panics] == ["far"]
    cancelled = threading.Event()

    async def wait():
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    started = threading.Event()
    long = SafeGo("remote", KeepRunning, wait(), loop=other_loop)
    assert started.wait(5)
    assert long.cancel()
    assert cancelled.wait(5)
    assert len(records.all) == 1


def test_task_cancelled_there_cancels_the_future_here(other_loop):
    async def cancel_me():
        asyncio.current_task().cancel()
        await asyncio.sleep(60)

    future = SafeGo("remote", KeepRunning, cancel_me(), loop=other_loop)
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(5)


def test_loop_given_is_the_running_one():
    async def main():
        task = SafeGo("here", KeepRunning, value(1), loop=asyncio.get_running_loop())
        assert isinstance(task, asyncio.Task)
        assert await task == 1

    asyncio.run(main())


def test_future_is_observed_and_returned(records):
    async def main():
        future = asyncio.get_running_loop().create_future()
        assert SafeGo("observed", KeepRunning, future) is future
        future.set_exception(ValueError("set"))
        task = asyncio.create_task(boom("bare"))
        assert SafeGo("observed", KeepRunning, task) is task
        assert SafeGo("observed", KeepRunning, task) is task
        done = asyncio.get_running_loop().create_future()
        done.set_exception(ValueError("done"))
        SafeGo("observed", KeepRunning, done)
        await asyncio.wait([future, task])
        safe = SafeGo("made", KeepRunning, boom("own"))
        assert SafeGo("observed", KeepRunning, safe) is safe
        await asyncio.wait([safe])
        await asyncio.sleep(0)

    asyncio.run(main())
    gc.collect()
    assert sorted(r.panic_value for r in records.panics) == ["bare", "done", "own", "set"]
    assert len(records.all) == 4
    assert not STATE.tasks


def test_other_awaitables_are_wrapped(records):
    class Later:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return "done"

    async def main():
        task = SafeGo("awaitable", KeepRunning, Later())
        assert isinstance(task, asyncio.Task)
        assert await task == "done"
        both = SafeGo("awaitable", KeepRunning, asyncio.gather(value(1), value(2)))
        assert await both == [1, 2]

    asyncio.run(main())


def test_refusals(records):
    def gen():
        yield 1

    async def agen():
        yield 1

    class Gen:
        def __call__(self):
            yield 1

    for bad in (None, gen, agen, Gen(), functools.partial(gen), gen(), agen(), 3):
        with pytest.raises(TypeError):
            SafeGo("bad", KeepRunning, bad)
    assert [r.levelname for r in records.all] == ["WARNING"]
    coro = value(1)
    with pytest.raises(TypeError, match="args"):
        SafeGo("bad", KeepRunning, coro, args=(1,))
    assert coro.cr_frame is None
    with pytest.raises(TypeError, match="async"):
        SafeGo("bad", KeepRunning, value, args=(1,), daemon=True)
    assert "bad" not in metrics()["goroutine_started_total"]


def test_ctx_is_handed_and_current():
    async def main():
        ctx, _ = with_cancel(background())

        async def handed(got, x):
            return got is ctx and current_context() is ctx and x == 1

        async def bound():
            return current_context() is ctx

        assert await SafeGoWithContextAndComponent(ctx, "ctx", KeepRunning, handed, args=(1,))
        assert await SafeGoWithContextAndComponent(ctx, "ctx", KeepRunning, bound())
        assert current_context() is background()

    asyncio.run(main())


@pytest.mark.parametrize("from_thread", [False, True])
def test_ctx_cancels_the_task_of_a_coroutine_object(records, from_thread):
    async def main():
        ctx, cancel = with_cancel(background())
        task = SafeGoWithContextAndComponent(ctx, "link", KeepRunning, asyncio.sleep(60))
        handed = SafeGoWithContextAndComponent(ctx, "link", KeepRunning, lambda_sleep)
        await asyncio.sleep(0)
        if from_thread:
            threading.Thread(target=cancel).start()
        else:
            cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(task), 5)
        assert task.cancelled()
        assert not handed.done()
        handed.cancel()

    async def lambda_sleep(ctx):
        await asyncio.sleep(60)

    asyncio.run(main())
    assert not records.panics


def test_ctx_deadline_cancels_the_task_and_a_done_ctx_at_once():
    async def main():
        ctx, _ = with_timeout(background(), 0.01)
        task = SafeGoWithContextAndComponent(ctx, "link", KeepRunning, asyncio.sleep(60))
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()
        late = SafeGoWithContextAndComponent(ctx, "link", KeepRunning, asyncio.sleep(60))
        await asyncio.wait([late], timeout=5)
        assert late.cancelled()

    asyncio.run(main())


def test_canceled_of_own_ctx_is_a_clean_end(records):
    async def check(ctx):
        await ctx.done()
        ctx.check()

    async def main():
        ctx, cancel = with_cancel(background())
        task = SafeGoWithContextAndComponent(ctx, "own", KeepRunning, check)
        await asyncio.sleep(0)
        cancel()
        with pytest.raises(Canceled):
            await task

        async def other(_):
            raise Canceled("not mine")

        with pytest.raises(Canceled):
            await SafeGoWithContextAndComponent(background(), "other", KeepRunning, other)

    asyncio.run(main())
    assert [r.panic_component for r in records.panics] == ["other"]


def test_deprecated_once_for_each_place():
    async def main():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(3):
                await SafeGoWithContext(background(), KeepRunning, value(1))
            await SafeGoWithContext(background(), KeepRunning, value(1))
        assert [w.category for w in caught] == [DeprecationWarning] * 2
        assert {w.filename for w in caught} == {__file__}

    asyncio.run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with 3.12")
def test_eager_tasks(records):
    async def now(x):
        return x

    async def fail():
        raise ValueError("eager")

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        task = SafeGo("eager", KeepRunning, now(2))
        assert task.done()
        assert task.result() == 2
        failed = SafeGo("eager", KeepRunning, fail())
        assert failed.done()
        slow = SafeGo("eager", KeepRunning, value(3))
        assert not slow.done()
        assert await slow == 3
        assert not [t for t, r in STATE.tasks.items() if r.component == "eager"]

    asyncio.run(main())
    gc.collect()
    assert len(records.all) == 1


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with 3.12")
def test_an_eager_task_that_ends_the_loop_is_counted_as_ended():
    async def leave():
        raise SystemExit(3)

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        with pytest.raises(SystemExit):
            SafeGo("leaves", KeepRunning, leave())

    asyncio.run(main())
    assert metrics()["goroutine_active"]["leaves"] == 0
    assert metrics()["goroutine_started_total"]["leaves"] == 1
    assert metrics()["goroutine_duration_seconds_count"]["leaves"] == 1


def tracing(loop: Any, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
    """A task factory that wraps what runs, as that of an error tracker does."""

    async def traced() -> Any:
        return await coro

    return asyncio.Task(traced(), loop=loop, **kwargs)


def deriving(loop: Any, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
    """A task factory that makes tasks of its own kind."""

    class Own(asyncio.Task):  # type: ignore[type-arg]
        pass

    return Own(coro, loop=loop, **kwargs)


# The factory that wraps does not close what it never came to await.
@pytest.mark.filterwarnings("ignore:coroutine 'value' was never awaited")
@pytest.mark.parametrize("factory", [None, tracing, deriving])
def test_whatever_makes_the_task_its_end_is_seen(records, factory):
    name = factory.__name__ if factory else "plain"

    async def main():
        asyncio.get_running_loop().set_task_factory(factory)
        assert await SafeGo(name, KeepRunning, value(3)) == 3
        failed = SafeGo(name, KeepRunning, boom())
        never = value(4)
        early = SafeGo(name, KeepRunning, never)
        early.cancel()
        late = SafeGo(name, KeepRunning, asyncio.sleep(60))
        assert metrics()["goroutine_active"][name] == 3
        assert {failed, early, late} == set(STATE.tasks)
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.wait([failed, early, late])
        assert early.cancelled()
        assert late.cancelled()
        await asyncio.sleep(0)
        assert never.cr_frame is None
        assert not STATE.tasks

    asyncio.run(main())
    assert [record.panic_value for record in records.panics] == ["boom"]
    counted = metrics()
    assert counted["goroutine_started_total"][name] == counted["goroutine_duration_seconds_count"][name] == 4
    assert counted["goroutine_active"][name] == 0


@pytest.mark.parametrize("how", ["group", "observed", "waiter"])
def test_whoever_is_told_of_the_end_finds_the_task_done(how):
    async def main():
        group, told = WaitGroup(), asyncio.Event()
        key = object()
        spawn = group.go if how == "group" else SafeGo
        task = spawn("told", KeepRunning, value(1))
        if how == "observed":
            group.go("told", KeepRunning, task)
        found: list[bool] = []
        listening = STATE.waiters if how == "waiter" else group._wakers
        listening[key] = lambda: (found.append(task.done()), told.set())
        try:
            await asyncio.wait_for(told.wait(), 5)
        finally:
            listening.pop(key, None)
        assert found == [True]

    asyncio.run(main())


def test_a_generator_exit_of_its_own_is_said_to_nobody(records):
    async def leave():
        raise GeneratorExit

    async def main():
        task = SafeGo("leaves", KeepRunning, leave())
        await asyncio.wait([task])
        assert isinstance(task.exception(), GeneratorExit)

    asyncio.run(main())
    gc.collect()
    assert not records.all


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with 3.11")
def test_groups(records):
    async def fail(group):
        raise group

    async def main():
        quiet = BaseExceptionGroup("c", [asyncio.CancelledError(), asyncio.CancelledError()])  # noqa: F821
        loud = BaseExceptionGroup("p", [asyncio.CancelledError(), ValueError("x")])  # noqa: F821
        for group in (quiet, loud):
            with pytest.raises(BaseException) as caught:  # noqa: PT011
                await SafeGo("group", KeepRunning, fail(group))
            assert caught.value is group
        with pytest.raises(ExceptionGroup):  # noqa: F821
            async with asyncio.TaskGroup() as group:
                group.create_task(boom("in group"))

    asyncio.run(main())
    assert len(records.panics) == 1


def test_system_exit_stops_the_loop_with_a_warning(run_python):
    done = run_python(
        """
        import asyncio, logging, sys
        from mruntime import SafeGo, KeepRunning
        logging.basicConfig()
        async def leave():
            sys.exit(3)
        async def main():
            SafeGo("leaver", KeepRunning, leave())
            await asyncio.sleep(60)
        asyncio.run(main())
        """
    )
    assert done.returncode == 3
    assert "WARNING:mruntime:leaver/leave stops the event loop" in done.stderr
    assert "never retrieved" not in done.stderr
    assert "panic" not in done.stderr


def test_keyboard_interrupt_in_a_task_is_no_panic(run_python):
    done = run_python(
        """
        import asyncio, gc, signal
        from mruntime import SafeGo, CrashProcess
        async def interrupt():
            signal.raise_signal(signal.SIGINT)
            raise KeyboardInterrupt
        async def main():
            SafeGo("ki", CrashProcess, interrupt())
            await asyncio.sleep(60)
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            gc.collect()
            print("interrupted")
        """
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n")
    assert done.stderr == ""


def test_locals_of_a_finished_task_are_free():
    class Big:
        pass

    async def main():
        big = Big()
        ref = weakref.ref(big)

        async def hold(thing):
            await asyncio.sleep(0)

        await SafeGo("free", KeepRunning, hold(big))
        del big
        await asyncio.sleep(0)
        assert ref() is None

    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()


def test_types_are_not_lost() -> None:
    async def main() -> Any:
        return await SafeGo("typed", KeepRunning, value, args=(1,))

    assert asyncio.run(main()) == 1


def test_an_awaitable_with_a_close_of_its_own_is_left_alone():
    class Connection:
        closed = False

        def __await__(self):
            yield

        def close(self):
            self.closed = True

    connection = Connection()
    with pytest.raises(RuntimeError, match="loop="):
        SafeGo("conn", KeepRunning, connection)
    with pytest.raises(TypeError):
        SafeGo("conn", KeepRunning, connection, args=(1,))
    assert not connection.closed


def test_observed_future_of_another_loop(records, other_loop):
    async def make():
        return asyncio.ensure_future(boom("there"))

    task = asyncio.run_coroutine_threadsafe(make(), other_loop).result(5)
    assert SafeGo("there", KeepRunning, task) is task

    async def wait():
        await asyncio.wait([task])
        await asyncio.sleep(0)

    asyncio.run_coroutine_threadsafe(wait(), other_loop).result(5)
    assert [r.panic_value for r in records.panics] == ["there"]

    async def wrong():
        with pytest.raises(ValueError, match="different loop"):
            SafeGo("there", KeepRunning, task, loop=asyncio.get_running_loop())

    asyncio.run(wrong())


def test_a_parallel_stage_with_threads_and_tasks(records):
    """The guide's parallel processing: a group, an error list, a deadline."""

    async def item(ctx, n, errors):
        try:
            ctx.check()
            await asyncio.sleep(0)
            if n == 3:
                raise ValueError(n)
        except ValueError as exc:
            errors.append(exc)

    async def main():
        errors: list[ValueError] = []
        with with_timeout(background(), 5) as ctx:
            tasks = [SafeGoWithContextAndComponent(ctx, "stage", KeepRunning, item, args=(n, errors)) for n in range(5)]
            await asyncio.gather(*tasks)
        assert [exc.args for exc in errors] == [(3,)]

    asyncio.run(main())
    assert not records.panics


def test_async_in_disguise():
    @types.coroutine
    def old_style():
        yield from asyncio.sleep(0).__await__()
        return "old"

    @functools.wraps(value)
    async def wrapped(*args):
        return await value(*args)

    class Caller:
        @staticmethod
        async def static():
            return "static"

        @classmethod
        async def cls(cls):
            return "cls"

    async def main():
        assert await SafeGo("odd", KeepRunning, old_style) == "old"
        assert await SafeGo("odd", KeepRunning, old_style()) == "old"
        assert await SafeGo("odd", KeepRunning, wrapped, args=(2,)) == 2
        assert await SafeGo("odd", KeepRunning, Caller.static) == "static"
        assert await SafeGo("odd", KeepRunning, Caller.cls) == "cls"
        assert await SafeGo("odd", KeepRunning, mock.AsyncMock(return_value=9)) == 9
        plain = SafeGo("odd", KeepRunning, mock.MagicMock(return_value=8))
        plain.join(5)
        assert plain.result == 8

    asyncio.run(main())

"""Work that ends together."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import copy
import gc
import signal
import sys
import threading
import weakref

import pytest

import panicguard.mruntime as runtime
from panicguard.mruntime import (
    BaseExceptionGroup,
    Canceled,
    CrashProcess,
    DeadlineExceeded,
    ExceptionGroup,
    Group,
    KeepRunning,
    SafeGo,
    SafeGoWithContextAndComponent,
    background,
    current_context,
    metrics,
    with_cancel,
    with_timeout,
)
from panicguard.mruntime.testing import capture_crash

WAYS = ("threads", "coroutines")


def boom(text="boom"):
    raise ValueError(text)


async def boom_async(text="boom"):
    raise ValueError(text)


def heed():
    """Until the context is done, which ends it."""
    current_context().done().wait(30)
    current_context().check()


async def nap(seconds=30):
    await asyncio.sleep(seconds)


async def give(value, turns=0):
    for _ in range(turns):
        await asyncio.sleep(0)
    return value


def run(way, block, **options):
    """Run `block(group)`, a generator of what to start: (function for threads, the same for coroutines, args)."""

    def threads():
        with Group(**options) as group:
            for fn, _, args in block(group):
                group.go("group", KeepRunning, fn, args=args)
        return group

    async def coroutines():
        async with Group(**options) as group:
            for _, fn, args in block(group):
                await group.go_async("group", KeepRunning, fn, args=args)
        return group

    return threads() if way == "threads" else asyncio.run(coroutines())


@pytest.mark.parametrize("way", WAYS)
def test_a_group_without_errors(records, way):
    group = run(way, lambda group: [(lambda x: x, give, (n,)) for n in range(3)])
    assert group.results == [0, 1, 2]
    assert group.ctx.done()
    assert not records.panics


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("end", ["well", "error in the body", "error in a member", "outer context", "cancel"])
def test_invariant_26_a_group_never_ends_before_its_members(records, way, end):
    ended: list[str] = []
    began = threading.Semaphore(0)
    ctx, cancel = with_cancel(background())

    def slow():
        began.release()
        current_context().done().wait(0.02 if end == "well" else 30)
        # Cleaning up takes time, too.
        threading.Event().wait(0.02)
        ended.append("member")

    async def slow_async():
        began.release()
        try:
            await asyncio.sleep(0.02 if end == "well" else 30)
        finally:
            await asyncio.sleep(0.02)
            ended.append("member")

    def after(group):
        assert began.acquire(timeout=5)
        assert began.acquire(timeout=5)
        if end == "error in the body":
            boom()
        elif end == "error in a member":
            return boom
        elif end == "outer context":
            cancel()
        elif end == "cancel":
            group.cancel()
        return int

    def threads():
        with Group(ctx=ctx) as group:
            group.go("group", KeepRunning, slow)
            group.go("group", KeepRunning, slow)
            group.go("group", KeepRunning, after(group)) if end not in ("outer context", "cancel") else after(group)

    async def coroutines():
        async with Group(ctx=ctx) as group:
            group.go("group", KeepRunning, slow_async())
            group.go("group", KeepRunning, slow_async())
            await asyncio.sleep(0)
            fn = after(group)
            if end == "error in a member":
                group.go("group", KeepRunning, boom_async())
            assert fn

    try:
        threads() if way == "threads" else asyncio.run(coroutines())
    except (ExceptionGroup, Canceled):
        assert end not in ("well", "cancel")
    assert ended == ["member", "member"]
    assert not [r for r in runtime.running() if r.component == "group"]


@pytest.mark.parametrize("way", WAYS)
def test_invariant_27_the_first_error_cancels_the_rest_and_all_errors_are_in_it(records, way):
    both = threading.Barrier(2)
    ended: list[str] = []

    def first():
        both.wait(5)
        raise ValueError("first")

    def second():
        both.wait(5)
        current_context().done().wait(30)
        ended.append("cancelled")
        raise KeyError("second")

    async def first_async():
        # Begun, and not yet at its end, is the second one after this.
        await asyncio.sleep(0)
        raise ValueError("first")

    async def second_async():
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise KeyError("second") from None

    with pytest.raises(ExceptionGroup) as caught:
        run(way, lambda group: [(first, first_async, ()), (second, second_async, ())])
    assert [repr(exc) for exc in caught.value.exceptions] == ["ValueError('first')", "KeyError('second')"]
    assert ended == ["cancelled"]
    # Each was reported once, and the group's exception is none of its own.
    assert [r.panic_value for r in records.panics] == ["first", "'second'"]


@pytest.mark.parametrize("way", WAYS)
def test_errors_that_cancel_nothing(records, way):
    def block(group):
        return [(boom, boom_async, ("one",)), (lambda: 2, lambda: give(2, 5), ()), (boom, boom_async, ("three",))]

    def threads(group):
        for fn, _, args in block(group):
            group.go("group", KeepRunning, fn, args=args).join()

    async def coroutines(group):
        group.go("group", KeepRunning, boom_async("one"))
        group.go("group", KeepRunning, give(2, 5))
        group.go("group", KeepRunning, boom_async("three"))

    group = Group(cancel_on_error=False)

    async def main():
        async with group:
            await coroutines(group)

    def plain():
        with group:
            threads(group)

    with pytest.raises(ExceptionGroup) as caught:
        plain() if way == "threads" else asyncio.run(main())
    assert [str(exc) for exc in caught.value.exceptions] == ["one", "three"]
    assert group.results == [None, 2, None]


@pytest.mark.parametrize("way", WAYS)
def test_invariant_28_results_are_in_the_order_of_spawning(way):
    turn = [threading.Event() for _ in range(5)]
    turn[4].set()

    def backwards(n):
        assert turn[n].wait(5)
        if n:
            turn[n - 1].set()
        return n

    async def backwards_async(n):
        await asyncio.sleep((5 - n) / 100)
        return n

    group = run(way, lambda group: [(backwards, backwards_async, (n,)) for n in range(5)])
    assert group.results == [0, 1, 2, 3, 4]


def test_results_of_every_kind_are_in_order():
    async def main():
        loop = asyncio.get_running_loop()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            async with Group() as group:
                with pytest.raises(RuntimeError, match="block has ended"):
                    group.results  # noqa: B018
                group.go("group", KeepRunning, give("coroutine", 9))
                group.go("group", KeepRunning, give, args=("callable",))
                group.go("group", KeepRunning, str, args=("thread",))
                group.go("group", KeepRunning, str, args=("pool",), executor=pool)
                group.go("group", KeepRunning, str, args=("loop",), loop=loop)
                group.go("group", KeepRunning, nap()).cancel()
                with pytest.raises(TypeError):
                    group.go("group", KeepRunning, None)
        return group.results

    assert asyncio.run(main()) == ["coroutine", "callable", "thread", "pool", "loop", None]


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("way", WAYS)
def test_invariant_29_never_more_than_limit_at_once(way, limit):
    now: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def work(n):
        with lock:
            now.append(n)
            most.append(len(now))
        threading.Event().wait(0.002)
        with lock:
            now.remove(n)

    async def work_async(n):
        now.append(n)
        most.append(len(now))
        await asyncio.sleep(0.001)
        now.remove(n)

    run(way, lambda group: [(work, work_async, (n,)) for n in range(12)], limit=limit)
    assert len(most) == 12
    assert max(most) <= limit
    # The limit is used.
    assert max(most) == limit


def test_a_limit_is_at_least_one():
    for limit in (0, -1):
        with pytest.raises(ValueError, match="at least 1"):
            Group(limit=limit)


def test_errors_of_threads_and_tasks_stop_a_body_that_only_starts_things(records):
    started: list[int] = []

    def threads():
        with Group(limit=2) as group:
            for n in range(1000):
                group.go("group", KeepRunning, boom if n == 5 else int)
                started.append(n)

    with pytest.raises(ExceptionGroup):
        threads()
    assert 5 < len(started) < 1000


def test_members_see_the_context_and_a_group_in_a_group_ends_with_it():
    seen: list[object] = []

    async def member(outer):
        async with Group() as inner:
            seen.append(current_context() is inner.ctx)
            inner.go("inner", KeepRunning, nap)
            inner.go("inner", KeepRunning, heed)
            outer.cancel()

    async def main():
        async with Group() as outer:
            assert current_context() is outer.ctx
            outer.go("outer", KeepRunning, lambda: seen.append(current_context() is outer.ctx))
            outer.go("outer", KeepRunning, member(outer))
        assert current_context() is background()

    asyncio.run(main())
    assert seen == [True, True]


def test_a_group_in_the_body_of_another_is_in_its_exception_once(records):
    async def main():
        async with Group() as outer:
            outer.go("outer", KeepRunning, nap)
            async with Group() as inner:
                inner.go("inner", KeepRunning, boom_async())

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(main())
    (inner,) = caught.value.exceptions
    assert isinstance(inner, ExceptionGroup)
    assert str(inner.exceptions[0]) == "boom"
    assert len(records.panics) == 1


def test_a_member_that_ends_by_a_group_of_its_own_is_not_reported_again(records):
    async def member():
        async with Group() as inner:
            inner.go("inner", KeepRunning, boom_async())

    async def main():
        async with Group() as outer:
            outer.go("outer", KeepRunning, member())

    with pytest.raises(ExceptionGroup):
        asyncio.run(main())
    assert [(r.panic_component, r.panic_value) for r in records.panics] == [("inner", "boom")]


@pytest.mark.parametrize("way", WAYS)
def test_the_context_around_ends_the_block_if_it_cut_something_short(way):
    def threads():
        with with_timeout(background(), 0.02) as ctx, Group(ctx=ctx) as group:
            group.go("group", KeepRunning, heed)

    async def coroutines():
        with with_timeout(background(), 0.02) as ctx:
            async with Group(ctx=ctx) as group:
                group.go("group", KeepRunning, nap)

    with pytest.raises(DeadlineExceeded):
        threads() if way == "threads" else asyncio.run(coroutines())


def test_the_context_around_cuts_the_body_short():
    async def main():
        ctx, cancel = with_cancel(background())
        asyncio.get_running_loop().call_later(0.01, cancel)
        with pytest.raises(Canceled):
            async with Group(ctx=ctx):
                await nap()
        assert not current_task_is_cancelled()

    asyncio.run(main())


def current_task_is_cancelled():
    task = asyncio.current_task()
    return bool(hasattr(task, "cancelling") and task.cancelling())


def test_threads_that_return_when_they_are_asked_to_are_no_error():
    ctx, cancel = with_cancel(background())
    with Group(ctx=ctx) as group:
        group.go("group", KeepRunning, lambda: current_context().done().wait(5))
        cancel()
    assert group.results == [True]
    with pytest.raises(Canceled), Group(ctx=ctx) as group:
        group.go("group", KeepRunning, int)


def test_cancel_ends_a_block_without_an_error(records):
    async def main():
        async with Group() as group:
            group.go("group", KeepRunning, nap)
            group.go("group", KeepRunning, heed)
            group.cancel()
            await nap()
        assert group.results == [None, None]
        assert not current_task_is_cancelled()
        await asyncio.sleep(0)

    asyncio.run(main())
    with Group() as group:
        group.go("group", KeepRunning, heed)
        group.cancel()
        group.go("group", KeepRunning, int)
        raise AssertionError("go raises Canceled")
    assert not records.panics


def test_a_timeout_of_a_member_is_an_error_of_the_group_and_no_panic(records):
    async def main():
        async with Group() as group:
            group.go("group-timeout", KeepRunning, nap, timeout=0.01)
            group.go("group-timeout", KeepRunning, nap)

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(main())
    assert [type(exc) for exc in caught.value.exceptions] == [DeadlineExceeded]
    assert not records.panics


def test_what_a_group_refuses(no_warning):
    group = Group()
    with pytest.raises(RuntimeError, match="enter it first"):
        group.go("group", KeepRunning, nap())
    with group:
        pass
    with pytest.raises(RuntimeError, match="its block has ended"):
        group.go("group", KeepRunning, nap())
    with pytest.raises(RuntimeError, match="entered once"), group:
        pass
    with pytest.raises(TypeError, match="cannot copy"):
        copy.copy(group)
    with pytest.raises(TypeError, match="must be a Context"):
        Group(ctx="ctx")

    async def main():
        with pytest.raises(RuntimeError, match="async with"), Group():
            pass
        async with Group() as group:
            with pytest.raises(TypeError, match="a future runs already"):
                group.go("group", KeepRunning, asyncio.ensure_future(nap(0)))
            group.cancel()
            with pytest.raises(Canceled):
                await group.go_async("group", KeepRunning, nap())
        with pytest.raises(RuntimeError, match="its block has ended"):
            await group.go_async("group", KeepRunning, nap())

    asyncio.run(main())


def test_members_start_members_while_the_block_waits():
    def parent(group):
        group.go("group", KeepRunning, lambda: threading.Event().wait(0.02) or "child")
        return "parent"

    with Group() as group:
        group.go("group", KeepRunning, parent, args=(group,))
    assert group.results == ["parent", "child"]


@pytest.mark.parametrize("place", ["member", "thread", "body"])
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_what_ends_the_program_is_raised_itself(records, place, error):
    def stop():
        raise error

    def threads():
        with Group() as group:
            group.go("group", KeepRunning, heed)
            if place == "body":
                stop()
            group.go("group", KeepRunning, stop)

    async def coroutines():
        async with Group() as group:
            group.go("group", KeepRunning, nap)
            group.go("group", KeepRunning, later(stop))

    async def later(fn):
        await asyncio.sleep(0)
        fn()

    with pytest.raises(type(error)) as caught:
        asyncio.run(coroutines()) if place == "member" else threads()
    assert caught.value is error or place == "member"


class Steers(BaseException):
    """As `trio.Cancelled` or what makes a test fail."""


@pytest.mark.parametrize("way", WAYS)
def test_control_flow_of_a_framework_is_an_error_of_the_group(records, way, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def steer():
        raise Steers

    async def steer_async():
        raise Steers

    with pytest.raises(BaseExceptionGroup) as caught:
        run(way, lambda group: [(steer, steer_async, ())])
    assert not isinstance(caught.value, Exception)
    assert [type(exc) for exc in caught.value.exceptions] == [Steers]
    assert not records.panics


def test_with_crash_process_the_process_ends_where_the_panic_was(records):
    with capture_crash() as crash, pytest.raises(ExceptionGroup), Group() as group:
        group.go("group", CrashProcess, boom)
    assert crash.code == 70
    assert [r.levelname for r in records.panics] == ["CRITICAL"]


def test_a_member_of_another_loop_is_cancelled_and_heard_there(other_loop, records):
    group = Group()

    def block():
        with group:
            group.go("group", KeepRunning, nap, loop=other_loop)
            group.go("group", KeepRunning, boom_async("there"), loop=other_loop)

    with pytest.raises(ExceptionGroup) as caught:
        block()
    assert [str(exc) for exc in caught.value.exceptions] == ["there"]
    assert group.results == [None, None]


def test_a_thread_of_an_async_group_that_fails_wakes_the_body(records):
    async def main():
        async with Group() as group:
            group.go("group", KeepRunning, boom)
            await nap()

    with pytest.raises(ExceptionGroup):
        asyncio.run(main())


def test_waiting_for_room_ends_with_the_group(records):
    gate = threading.Event()

    def fails():
        gate.wait(5)
        boom()

    def threads():
        with Group(limit=2) as group:
            group.go("group", KeepRunning, fails)
            group.go("group", KeepRunning, heed)
            threading.Timer(0.01, gate.set).start()
            group.go("group", KeepRunning, int)
            raise AssertionError("there was no room before")

    with pytest.raises(ExceptionGroup) as caught:
        threads()
    assert [str(exc) for exc in caught.value.exceptions] == ["boom"]


def test_a_coroutine_that_waits_for_room_can_be_cancelled(no_warning):
    async def main():
        async with Group(limit=1) as group:
            first = group.go("group", KeepRunning, nap)
            waiting = asyncio.ensure_future(group.go_async("group", KeepRunning, nap()))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            assert waiting.cancelled()
            first.cancel()
            assert await (await group.go_async("group", KeepRunning, give(1))) == 1
        assert group.results == [None, 1]

    asyncio.run(main())


@pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C cannot be sent to a thread")
def test_ctrl_c_while_a_block_waits_ends_it_after_its_members():
    main = threading.main_thread().ident
    ended: list[bool] = []

    def member():
        while not group._members._wakers:
            threading.Event().wait(0.001)
        signal.pthread_kill(main, signal.SIGINT)
        ended.append(current_context().done().wait(5))

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), Group() as group:
            group.go("group", KeepRunning, member)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended == [True]


def test_ended_work_is_counted_and_freed():
    class Thing:
        pass

    thing = Thing()
    there = weakref.ref(thing)

    def work(thing):
        raise ValueError(thing)

    with contextlib.suppress(ExceptionGroup), Group() as group:
        group.go("group-free", KeepRunning, work, args=(thing,))
    del thing
    gc.collect()
    assert there() is None
    now = metrics()
    assert (now["goroutine_started_total"]["group-free"], now["goroutine_active"]["group-free"]) == (1, 0)


def test_the_shape_of_a_group_of_exceptions():
    one, two, three = ValueError("1"), KeyError("2"), ValueError("3")
    inner = BaseExceptionGroup("inner", [two, three])
    group = BaseExceptionGroup("outer", [one, inner])
    assert type(group) is ExceptionGroup
    assert (str(group), str(BaseExceptionGroup("x", [one]))) == ("outer (2 sub-exceptions)", "x (1 sub-exception)")
    assert (group.message, group.exceptions) == ("outer", (one, inner))
    values, rest = group.split(ValueError)
    assert (values.exceptions[0], values.exceptions[1].exceptions) == (one, (three,))
    assert rest.exceptions[0].exceptions == (two,)
    assert group.subgroup(lambda exc: exc is two).exceptions[0].exceptions == (two,)
    assert group.subgroup(OSError) is None
    assert group.subgroup(ExceptionGroup) is group
    assert type(BaseExceptionGroup("x", [KeyboardInterrupt()])) is BaseExceptionGroup
    with pytest.raises(ValueError, match="non-empty"):
        BaseExceptionGroup("x", [])


# Side by side with asyncio's, where the behaviours compare.


async def _fails_in(group_type, go, what):
    """What the block raises, and what is left of it, as text."""
    ended: list[str] = []

    async def member(name, end):
        try:
            await end()
        except asyncio.CancelledError:
            ended.append(f"{name} cancelled")
            raise
        ended.append(f"{name} returned")

    async def fail():
        await asyncio.sleep(0)
        raise ValueError("member")

    async def fail_late():
        try:
            await nap()
        finally:
            raise ValueError("late")

    async def block():
        async with group_type() as group:
            go(group, member("long", nap))
            if what == "member":
                go(group, member("bad", fail))
                await nap()
            elif what == "members":
                go(group, member("bad", fail))
                go(group, member("worse", fail))
            elif what == "body":
                await asyncio.sleep(0)
                raise KeyError("body")
            elif what == "both":
                go(group, member("bad", fail))
                try:
                    await nap()
                finally:
                    raise KeyError("body")
            elif what == "one cancelled":
                go(group, member("short", nap)).cancel()
                go(group, member("bad", fail))
            elif what == "nested":
                async with group_type() as inner:
                    go(inner, member("inner", nap))
                    go(group, member("bad", fail))
                    await nap()
            elif what == "nested error":
                async with group_type() as inner:
                    go(inner, member("bad", fail))
                    await nap()
            else:
                # The task that waits is cancelled.
                await asyncio.sleep(0)
                asyncio.get_running_loop().call_soon(task.cancel)
                if what == "outside, body":
                    await nap()
                elif what == "outside, error":
                    go(group, member("bad", fail_late))

    task = asyncio.ensure_future(block())
    await asyncio.wait([task])
    outcome = "cancelled" if task.cancelled() else _words(task.exception())
    return outcome, sorted(ended)


def _words(exc):
    if isinstance(exc, BaseExceptionGroup):
        return type(exc).__name__, [_words(one) for one in exc.exceptions]
    return repr(exc)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there is no TaskGroup before")
@pytest.mark.parametrize(
    "what",
    [
        "member",
        "members",
        "body",
        "both",
        "one cancelled",
        "nested",
        "nested error",
        "outside, body",
        "outside, waiting",
        "outside, error",
    ],
)
def test_what_a_task_group_does_a_group_does(what):
    ours = asyncio.run(_fails_in(Group, lambda group, coro: group.go("group", KeepRunning, coro), what))
    theirs = asyncio.run(_fails_in(asyncio.TaskGroup, lambda group, coro: group.create_task(coro), what))
    assert ours == theirs


def test_a_cancellation_that_errors_came_before_is_raised_at_the_next_await(records):
    async def block():
        try:
            async with Group() as group:
                group.go("group", KeepRunning, stubborn())
        except ExceptionGroup:
            await nap(0)
            raise AssertionError("the cancellation is lost") from None

    async def stubborn():
        try:
            await nap()
        except asyncio.CancelledError:
            boom()

    async def main():
        task = asyncio.ensure_future(block())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(main())


@pytest.mark.parametrize("fn", [nap, heed])
def test_a_group_ends_with_the_work_that_it_is_in(records, fn):
    async def work():
        async with Group() as group:
            group.go("inner", KeepRunning, fn)
            await nap()

    async def main():
        with pytest.raises(DeadlineExceeded):
            await SafeGo("outer", KeepRunning, work(), timeout=0.02)
        if sys.version_info >= (3, 11):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await work()
        assert not current_task_is_cancelled()

    asyncio.run(main())
    assert not records.panics


def test_a_plain_spawn_in_the_body_is_no_member():
    async def main():
        gate = asyncio.Event()
        async with Group():
            task = SafeGo("outside", KeepRunning, gate.wait())
        assert not task.done()
        gate.set()
        assert await task is True
        async with Group() as group:
            linked = SafeGoWithContextAndComponent(group.ctx, "outside", KeepRunning, nap())
        await asyncio.wait([linked])
        assert linked.cancelled()

    asyncio.run(main())

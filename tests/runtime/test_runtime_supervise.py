"""Work that is started anew when it panics."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from panicguard.mruntime import (
    CrashProcess,
    KeepRunning,
    Supervise,
    background,
    current_context,
    health,
    metrics,
    with_cancel,
)
from panicguard.mruntime.testing import capture_crash, capture_panics

AT_ONCE = (0, 0)


async def failed_twice(records) -> None:
    deadline = asyncio.get_running_loop().time() + 5
    while len(records.panics) < 2:
        await asyncio.sleep(0)
        assert asyncio.get_running_loop().time() < deadline


class Flaky:
    """Fails a number of times before it returns."""

    def __init__(self, failures: int) -> None:
        self.left = failures
        self.calls = 0

    def work(self, answer: str) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise ValueError(f"call {self.calls}")
        return answer

    async def work_async(self, answer: str) -> str:
        return self.work(answer)


def test_a_thread_goes_on_until_the_work_returns(records):
    flaky = Flaky(2)
    thread = Supervise("sup-thread", flaky.work, args=("done",), backoff=AT_ONCE)
    thread.join(5)
    assert (thread.result, thread.panic, flaky.calls) == ("done", None, 3)
    assert [(r.panic_value, r.panic_restarts, r.panic_source) for r in records.panics] == [
        ("call 1", 0, "Flaky.work"),
        ("call 2", 1, "Flaky.work"),
    ]
    now = metrics()
    assert now["goroutine_restarts_total"]["sup-thread"] == 2
    assert now["goroutine_started_total"]["sup-thread"] == 1
    assert now["goroutine_panics_total"]["sup-thread"] == 2
    assert now["goroutine_active"]["sup-thread"] == 0


def test_a_task_goes_on_until_the_work_returns(records):
    flaky = Flaky(2)

    async def main() -> str:
        return await Supervise("sup-task", flaky.work_async, kwargs={"answer": "done"}, backoff=AT_ONCE)

    assert asyncio.run(main()) == "done"
    assert [r.panic_restarts for r in records.panics] == [0, 1]
    assert metrics()["goroutine_restarts_total"]["sup-task"] == 2


def supervised(way: str, component: str, flaky: Flaky, **options: object) -> object:
    """What it returned, or the last error's words."""
    if way == "thread":
        thread = Supervise(component, flaky.work, args=("done",), **options)
        thread.join(5)
        return thread.result if thread.panic is None else thread.panic.value

    async def main() -> object:
        try:
            return await Supervise(component, flaky.work_async, args=("done",), **options)
        except ValueError as exc:
            return str(exc)

    return asyncio.run(main())


@pytest.mark.parametrize("policy", [KeepRunning, CrashProcess])
@pytest.mark.parametrize(("failures", "most"), [(0, 0), (1, 0), (1, 1), (3, 5), (9, 2), (20, None)])
@pytest.mark.parametrize("way", ["thread", "task"])
def test_invariant_30_supervised_work_restarts_and_gives_up_as_told(records, way, failures, most, policy):
    flaky = Flaky(failures)
    with capture_crash() as crash:
        ended = supervised(way, "sup-told", flaky, policy=policy, backoff=AT_ONCE, max_restarts=most)
    gives_up = most is not None and failures > most
    assert flaky.calls == (most if gives_up else failures) + 1
    assert ended == (f"call {flaky.calls}" if gives_up else "done")
    assert crash.code == (70 if gives_up and policy is CrashProcess else None)


@pytest.mark.parametrize("failures", [0, 1, 4])
@pytest.mark.parametrize("way", ["thread", "task"])
def test_invariant_31_the_restarts_are_in_metrics_and_records(records, way, failures):
    component = f"sup-seen {way} {failures}"
    assert supervised(way, component, Flaky(failures), backoff=AT_ONCE, max_restarts=9) == "done"
    assert metrics()["goroutine_restarts_total"].get(component, 0) == failures
    assert health().component(component).restarts == failures
    assert [record.panic_restarts for record in records.panics] == list(range(failures))
    said = [r for r in records.all if f"{component}/" in r.getMessage() and "is started again in" in r.getMessage()]
    assert len(said) == failures


def test_after_too_many_restarts_the_next_panic_is_the_last(records):
    flaky = Flaky(10)
    with capture_panics() as panics:
        thread = Supervise("sup-often", flaky.work, args=("",), backoff=AT_ONCE, max_restarts=2)
        thread.join(5)
    assert flaky.calls == 3
    assert [(panic.value, panic.restarts) for panic in panics] == [("call 1", 0), ("call 2", 1), ("call 3", 2)]
    assert thread.panic.value == "call 3"
    said = [
        record.getMessage()
        for record in records.all
        if record.levelno == logging.ERROR and not hasattr(record, "panic_source")
    ]
    assert said == ["sup-often/Flaky.work is not started again: 2 restarts within 300 s"]


def test_whoever_awaits_gets_the_last_error(records):
    async def main() -> None:
        with pytest.raises(ValueError, match="call 2"):
            await Supervise("sup-await", Flaky(10).work_async, args=("",), backoff=AT_ONCE, max_restarts=1)

    asyncio.run(main())
    assert len(records.panics) == 2


def test_then_the_policy_decides(records):
    with capture_crash() as crash:
        Supervise("sup-crash", Flaky(9).work, args=("",), policy=CrashProcess, backoff=AT_ONCE, max_restarts=1).join(5)
    assert crash.code == 70
    assert [record.panic_policy for record in records.panics] == ["KeepRunning", "CrashProcess"]


def test_restarts_long_ago_do_not_count(records):
    flaky = Flaky(5)
    thread = Supervise("sup-within", flaky.work, args=("",), backoff=AT_ONCE, max_restarts=1, within=0)
    thread.join(5)
    assert flaky.calls == 6


def test_its_context_ends_it_while_it_waits(records):
    ctx, cancel = with_cancel(background())
    failed = threading.Event()

    def work() -> None:
        assert current_context() is ctx
        failed.set()
        raise ValueError

    thread = Supervise("sup-stop", work, backoff=(60, 60), ctx=ctx)
    assert failed.wait(5)
    cancel()
    thread.join(5)
    assert not thread.is_alive()
    assert thread.panic is None

    async def main() -> None:
        ctx, cancel = with_cancel(background())
        task = Supervise("sup-stop", Flaky(9).work_async, args=("",), backoff=(60, 60), ctx=ctx)
        await failed_twice(records)
        cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()

    asyncio.run(main())


def test_once_its_context_is_done_a_panic_is_the_last(records):
    ctx, cancel = with_cancel(background())

    def work() -> None:
        cancel()
        raise ValueError("late")

    thread = Supervise("sup-late", work, backoff=AT_ONCE, ctx=ctx)
    thread.join(5)
    assert [record.panic_value for record in records.panics] == ["late"]
    assert thread.panic.value == "late"


def test_cancelling_it_is_no_panic(records):
    async def main() -> None:
        async def forever() -> None:
            await asyncio.Event().wait()

        task = Supervise("sup-cancel", forever)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()

    asyncio.run(main())
    assert not records.panics


def test_waits_grow_up_to_the_longest(records):
    flaky = Flaky(4)
    Supervise("sup-grow", flaky.work, args=("",), backoff=(0.002, 0.004)).join(5)
    waits = [float(r.getMessage().split()[-2]) for r in records.all if "is started again in" in r.getMessage()]
    for wait, most in zip(waits, (0.002, 0.004, 0.004, 0.004), strict=True):
        assert most / 2 <= wait <= most


def test_shutdown_ends_it(run_python):
    done = run_python(
        """
import threading, time
from mruntime import *
failed = threading.Event()
def work():
    failed.set()
    raise ValueError
thread = Supervise("worker", work, backoff=(60, 60))
failed.wait()
print(shutdown(20))
"""
    )
    assert done.stdout == "shutdown: 1 finished\n"


@pytest.mark.parametrize("policy", [KeepRunning, CrashProcess])
def test_what_cannot_be_run_twice_is_refused(policy):
    with pytest.raises(TypeError, match="a coroutine can run only once"):
        Supervise("sup-coro", asyncio.sleep(0), policy=policy)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="is a generator function"):
        Supervise("sup-gen", lambda: (yield), policy=policy)
    with pytest.raises(TypeError, match="the policy"):
        Supervise("sup-policy", print, policy="CrashProcess")

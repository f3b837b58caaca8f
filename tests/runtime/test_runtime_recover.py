"""RecoverAndLog, RecoverWithPolicy, guarded, handle_panic_value."""

from __future__ import annotations

import asyncio
import inspect
import threading

import pytest

from panicguard.mruntime import (
    Canceled,
    KeepRunning,
    RecoverAndLog,
    RecoverWithPolicy,
    SafeGo,
    SafeThread,
    background,
    guarded,
    handle_panic_value,
    metrics,
    with_cancel,
)


def test_with_and_async_with(records):
    with RecoverAndLog("block", component="rec"):
        raise ValueError("one")

    async def main():
        async with RecoverWithPolicy("ablock", KeepRunning, component="rec"):
            raise ValueError("two")

    asyncio.run(main())
    assert [(r.panic_source, r.panic_value) for r in records.panics] == [("block", "one"), ("ablock", "two")]
    assert metrics()["goroutine_panics_total"]["rec"] == 2


def test_decorators(records):
    @RecoverAndLog("fn")
    def fn(x):
        """Doc."""
        if x:
            raise ValueError(x)
        return "ok"

    @RecoverAndLog("afn")
    async def afn(x):
        if x:
            raise ValueError(x)
        return "ok"

    assert (fn(0), fn(1), fn.__doc__) == ("ok", None, "Doc.")
    assert inspect.iscoroutinefunction(afn)
    assert asyncio.run(afn(0)) == "ok"
    assert asyncio.run(afn(1)) is None
    assert len(records.panics) == 2
    with pytest.raises(TypeError):
        RecoverAndLog(fn)  # noqa: PNC301
    with pytest.raises(TypeError):

        @RecoverAndLog("gen")
        def gen():
            yield 1


@pytest.mark.parametrize("exc", [asyncio.CancelledError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_passes(records, exc):
    with pytest.raises(exc), RecoverAndLog("pass"):
        raise exc
    assert not records.all


def test_the_same_exception_again_is_reported_again(records):
    error = ValueError("kept")
    for _ in range(2):
        with RecoverAndLog("again"):
            raise error
    assert len(records.panics) == 2


def test_canceled_of_a_done_context(records):
    ctx, cancel = with_cancel(background())
    with RecoverAndLog("ctx", ctx=ctx):
        raise Canceled
    cancel()
    with RecoverAndLog("ctx", ctx=ctx):
        ctx.check()
    assert len(records.panics) == 1


def test_system_exit_in_a_thread(records):
    def leave():
        with RecoverAndLog("leave"):
            raise SystemExit(3)

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join(5)
    assert [r.panic_type for r in records.panics] == ["SystemExit"]


def test_guarded_reports_and_raises(records):
    @guarded(component="guard")
    def fn():
        raise ValueError("g")

    @guarded(component="guard", policy=KeepRunning)
    async def afn():
        raise ValueError("a")

    with pytest.raises(ValueError, match="g"):
        fn()
    with pytest.raises(ValueError, match="a"):
        asyncio.run(afn())
    thread = SafeGo("outer", KeepRunning, fn)
    thread.join(5)
    assert [r.panic_component for r in records.panics] == ["guard"] * 3


def test_guarded_run_of_a_bare_thread(records, monkeypatch):
    hook: list[object] = []
    monkeypatch.setattr(threading, "excepthook", hook.append)

    class Worker(threading.Thread):
        def __init__(self, exc):
            super().__init__()
            self.exc = exc

        @guarded(component="worker")
        def run(self):
            raise self.exc

    for exc in (ValueError("v"), SystemExit(3), SystemExit(0)):
        worker = Worker(exc)
        worker.start()
        worker.join(5)
    assert [r.panic_type for r in records.panics] == ["ValueError", "SystemExit"]
    assert not hook


def test_guarded_run_of_a_safe_thread(records):
    class Worker(SafeThread):
        @guarded(component="inner")
        def run(self):
            raise ValueError("v")

    worker = Worker("outer", KeepRunning)
    worker.start()
    worker.join(5)
    assert worker.panic is not None
    assert [r.panic_component for r in records.panics] == ["inner"]


class UnprintableError(Exception):
    def __str__(self):
        raise SystemExit("from __str__")

    __repr__ = __str__


def test_handle_panic_value(records):
    for value in (ValueError("v"), "text", None, UnprintableError()):
        handle_panic_value(value, component="hand", name="n")
    handle_panic_value(asyncio.CancelledError(), component="hand", name="n")
    assert [r.panic_value for r in records.panics] == ["v", "text", "None", "<unprintable UnprintableError>"]
    assert metrics()["goroutine_panics_total"]["hand"] == 4


def test_handle_panic_value_of_a_task_that_reported_it(records):
    async def fail():
        raise ValueError("once")

    async def main():
        try:
            await SafeGo("task", KeepRunning, fail())
        except ValueError as exc:
            handle_panic_value(exc, component="task", name="again")

    asyncio.run(main())
    assert len(records.panics) == 1
    assert metrics()["goroutine_panics_total"]["task"] == 1

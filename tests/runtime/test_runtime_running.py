"""What runs now: the list, the page, and what runs for too long."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import logging
import threading
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from panicguard.mruntime import KeepRunning, SafeGo, Supervise, running, watch
from panicguard.mruntime import _watch as watchdog
from panicguard.mruntime._registry import working
from panicguard.mruntime.debug import asgi, wsgi


@pytest.fixture
def held():
    """A thread that waits, and the function by which it does; it ends with the test."""
    gate, begun = threading.Event(), threading.Event()

    def wait_for_gate() -> None:
        begun.set()
        gate.wait(30)

    thread = SafeGo("run-thread", KeepRunning, wait_for_gate, name="held")
    assert begun.wait(5)
    yield thread
    gate.set()
    thread.join(5)


def of(component: str):
    return [one for one in running() if one.component == component]


def test_a_thread_is_there_while_it_runs(held):
    [one] = of("run-thread")
    assert (one.kind, one.component, one.name) == ("thread", "run-thread", "held")
    assert 0 < one.seconds < 30
    assert "in wait_for_gate" in one.stack
    assert str(one).startswith("thread run-thread/held, ")
    assert "in wait_for_gate" in str(one)


def test_a_job_that_waits_has_not_begun(held):
    gate = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        SafeGo("run-job", KeepRunning, gate.wait, args=(30,), executor=pool)
        SafeGo("run-queued", KeepRunning, print, executor=pool)
        [queued] = of("run-queued")
        assert (queued.kind, queued.seconds, queued.stack) == ("job", 0.0, "")
        gate.set()
    assert not of("run-job") + of("run-queued")


def test_a_task_is_seen_from_a_task_that_does_not_see_itself():
    async def inner(gate: asyncio.Event) -> None:
        await gate.wait()

    async def look() -> list[str]:
        await asyncio.sleep(0)
        return [one.name for one in running() if one.component == "run-task"]

    async def main() -> None:
        gate = asyncio.Event()
        waiting = SafeGo("run-task", KeepRunning, inner(gate), name="inner")
        assert await SafeGo("run-task", KeepRunning, look(), name="look") == ["inner"]
        [one] = of("run-task")
        assert "await gate.wait()" in one.stack
        gate.set()
        await waiting
        assert not of("run-task")

    asyncio.run(main())


def test_the_oldest_comes_first(held):
    gate = threading.Event()
    younger = SafeGo("run-younger", KeepRunning, gate.wait, args=(30,))
    names = [one.component for one in running()]
    assert names.index("run-thread") < names.index("run-younger")
    gate.set()
    younger.join(5)


def call_wsgi(**environ: str) -> tuple[str, dict[str, str], bytes]:
    environ.setdefault("QUERY_STRING", "")
    setup_testing_defaults(environ)
    got: list[tuple[str, dict[str, str]]] = []
    parts = validator(wsgi)(environ, lambda status, headers, *_: got.append((status, dict(headers))))
    body = b"".join(parts)
    parts.close()
    return (*got[0], body)


def test_the_page_by_wsgi(held):
    status, headers, body = call_wsgi()
    assert (status, headers["Content-Type"]) == ("200 OK", "text/plain; charset=utf-8")
    assert b"thread run-thread/held" in body
    assert int(headers["Content-Length"]) == len(body)
    status, headers, body = call_wsgi(QUERY_STRING="a=b&json")
    assert headers["Content-Type"] == "application/json"
    assert {"run-thread"} <= {one["component"] for one in json.loads(body)}
    assert call_wsgi(REQUEST_METHOD="HEAD")[2] == b""
    status, headers, body = call_wsgi(REQUEST_METHOD="POST", CONTENT_LENGTH="0")
    assert (status, headers["Allow"], body) == ("405 Method Not Allowed", "GET, HEAD", b"")


def test_the_page_by_asgi(held):
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def main() -> None:
        await asgi({"type": "http", "method": "GET", "query_string": b"json"}, lambda: asyncio.sleep(0), send)
        with pytest.raises(ValueError, match="not for websocket"):
            await asgi({"type": "websocket"}, lambda: asyncio.sleep(0), send)

    asyncio.run(main())
    start, body = sent
    assert (start["status"], dict(start["headers"])[b"content-type"]) == (200, b"application/json")
    assert {"run-thread"} <= {one["component"] for one in json.loads(body["body"])}


async def until(look) -> None:
    deadline = asyncio.get_running_loop().time() + 10
    while not look():
        await asyncio.sleep(0)
        assert asyncio.get_running_loop().time() < deadline


def start_all(component, gate, pool, other_loop):
    """One of each kind, by its name, and what ends it."""

    async def wait(event) -> None:
        await event.wait()

    events = {name: asyncio.Event() for name in ("coroutine", "async callable", "observed")}
    there = asyncio.Event()
    ends = {name: event.set for name, event in events.items()}
    ends["other loop"] = lambda: other_loop.call_soon_threadsafe(there.set)
    SafeGo(component, KeepRunning, wait(events["coroutine"]), name="coroutine")
    SafeGo(component, KeepRunning, wait, args=(events["async callable"],), name="async callable")
    SafeGo(component, KeepRunning, asyncio.ensure_future(wait(events["observed"])), name="observed")
    SafeGo(component, KeepRunning, wait(there), name="other loop", loop=other_loop)
    for name, options in {"thread": {}, "pool": {"executor": pool}, "supervised": None}.items():
        gate[name] = threading.Event()
        ends[name] = gate[name].set
        if options is None:
            Supervise(component, gate[name].wait, args=(10,), name=name)
        else:
            SafeGo(component, KeepRunning, gate[name].wait, args=(10,), name=name, **options)
    return ends


def test_invariant_32_running_lists_just_what_runs(other_loop):
    component = "run-just"

    def names() -> list[str]:
        return sorted(one.name for one in of(component))

    async def main() -> None:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            ends = start_all(component, {}, pool, other_loop)
            assert names() == sorted(ends)
            left = set(ends)
            for name, end in ends.items():
                end()
                left.remove(name)
                await until(lambda: names() == sorted(left))

    assert not names()
    asyncio.run(main())
    assert not names()


def test_invariant_33_the_watchdog_reports_stuck_work_once(records, other_loop, monkeypatch):
    component = "run-stuck"
    looks: list[int] = []

    def counted() -> list[object]:
        looks.append(1)
        return working()

    monkeypatch.setattr(watchdog, "working", counted)

    def told() -> list[str]:
        return sorted(r.getMessage().split(" runs for")[0].partition("/")[2] for r in records.all if r.levelno == 30)

    async def main() -> None:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            ends = start_all(component, {}, pool, other_loop)
            stop = watch(0.02, components=[component])
            try:
                await until(lambda: told() == sorted(ends))
                seen = len(looks)
                await until(lambda: len(looks) > seen + 5)
            finally:
                stop()
                for end in ends.values():
                    end()
            assert told() == sorted(ends)

    asyncio.run(main())
    assert not records.panics


def test_what_runs_for_too_long_is_told_once(records, held):
    told = threading.Semaphore(0)

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.release()

    listener = Listener(logging.WARNING)
    logging.getLogger("mruntime").addHandler(listener)
    stop = watch(0.02, components=["run-thread", "run-late"])
    gate = threading.Event()
    try:
        assert told.acquire(timeout=10)
        late = SafeGo("run-late", KeepRunning, gate.wait, args=(30,), name="late")
        assert told.acquire(timeout=10)
    finally:
        stop()
        gate.set()
        logging.getLogger("mruntime").removeHandler(listener)
    late.join(5)
    first, second = [record.getMessage() for record in records.all if record.levelno == logging.WARNING]
    assert first.startswith("thread run-thread/held runs for 0.")
    assert "in wait_for_gate" in first
    assert second.startswith("thread run-late/late runs for 0.")


def test_only_a_positive_limit_is_one():
    with pytest.raises(ValueError, match="must be positive"):
        watch(0)

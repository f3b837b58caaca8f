"""How each component fares, and the probes of an orchestrator that ask."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import re
import threading
import time
from pathlib import Path
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

import panicguard.mruntime as runtime
from panicguard.mruntime import (
    ComponentHealth,
    CrashProcess,
    KeepRunning,
    RecoverAndLog,
    SafeGo,
    SafeGoWithContextAndComponent,
    Supervise,
    WaitGroup,
    background,
    handle_panic_value,
    health,
    metrics,
    reopen,
    root,
    running,
    set_production_mode,
    shutdown,
    shutdown_async,
    with_cancel,
)
from panicguard.mruntime._state import STATE
from panicguard.mruntime.debug import wsgi
from panicguard.mruntime.testing import capture_crash


@pytest.fixture(autouse=True)
def opened():
    yield
    reopen()


def boom() -> None:
    raise ValueError("password=hunter2 refused")


def test_a_component_is_counted_and_has_its_last_panic(records):
    gate = threading.Event()
    began = time.time()
    running = SafeGo("health-counted", KeepRunning, gate.wait, args=(10,))
    SafeGo("health-counted", KeepRunning, boom).join(5)
    Supervise("health-counted", boom, backoff=(0, 0), max_restarts=2).join(5)
    found = health().component("health-counted")
    gate.set()
    running.join(5)
    assert found[:6] == ("health-counted", 3, 1, 0, 4, 2)
    last = found.last_panic
    line = boom.__code__.co_firstlineno + 1
    assert last[:3] == ("ValueError", "password=[REDACTED] refused", f"{__name__}.boom:{line}")
    assert began <= last.time <= time.time()
    assert health().component("health-counted").active == 0
    assert health().component("never seen") == ComponentHealth("never seen")
    with pytest.raises(AttributeError):
        found.active = 3


def test_in_production_mode_it_says_no_value(records):
    SafeGo("quiet", KeepRunning, boom).join(5)
    set_production_mode(True)
    try:
        assert health().component("quiet").last_panic.value == ""
        SafeGo("quiet", KeepRunning, boom).join(5)
        assert health().component("quiet").last_panic.value == ""
        assert "REDACTED" not in health().json()
    finally:
        set_production_mode(False)


def test_what_is_no_exception_has_no_place(records):
    handle_panic_value("a value", component="valued", name="n")
    assert health().component("valued").last_panic[:3] == ("str", "a value", "")
    with RecoverAndLog("block", component="blocked"):
        boom()
    assert health().component("blocked")[:5] == ("blocked", 0, 0, 0, 1)


def test_what_is_cancelled_is_counted_once(records):
    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def forever() -> None:
            await asyncio.Event().wait()

        def cancelled() -> float:
            return metrics()["goroutine_cancelled_total"].get("cut", 0)

        begun = SafeGo("cut", KeepRunning, forever())
        handed = SafeGo("cut", KeepRunning, forever, name="named")
        await asyncio.sleep(0)
        unbegun = SafeGo("cut", KeepRunning, forever())
        ctx, cancel = with_cancel(background())
        linked = SafeGoWithContextAndComponent(ctx, "cut", KeepRunning, forever())
        cancel()
        tasks = [begun, handed, unbegun, linked]
        for task in tasks[:3]:
            task.cancel()
        await asyncio.wait(tasks)
        await asyncio.sleep(0)
        assert cancelled() == 4
        gate = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            SafeGo("busy", KeepRunning, gate.wait, args=(10,), executor=pool)
            queued = SafeGo("cut", KeepRunning, print, executor=pool)
            awaited = SafeGo("cut", KeepRunning, print, executor=pool, loop=loop)
            assert queued.cancel()
            assert awaited.cancel()
            # It is the loop that tells the pool.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            gate.set()
        await asyncio.wait([awaited])
        await asyncio.sleep(0)
        assert cancelled() == health().component("cut").cancelled == 6
        # Those that end by themselves are none.
        await SafeGo("cut", KeepRunning, asyncio.sleep(0))
        await asyncio.wait([SafeGo("cut", KeepRunning, asyncio.to_thread(boom))])
        assert cancelled() == 6

    asyncio.run(main())


def test_who_looks_at_the_very_end_of_a_task_changes_no_count(records):
    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def ends() -> None:
            loop.call_soon(running)

        async def is_cut() -> None:
            loop.call_soon(running)
            raise asyncio.CancelledError

        group = WaitGroup()
        group.go("looked at", KeepRunning, ends())
        group.go("looked at", KeepRunning, is_cut())
        assert await group.wait_async(5)
        await asyncio.sleep(0)

    asyncio.run(main())
    now = metrics()
    assert now["goroutine_duration_seconds_count"]["looked at"] == now["goroutine_started_total"]["looked at"] == 2
    assert now["goroutine_cancelled_total"]["looked at"] == 1


@pytest.mark.parametrize("way", ["thread", "coroutine"])
def test_invariant_34_it_is_not_ready_from_the_moment_shutdown_begins(way):
    gate, begun = threading.Event(), threading.Event()
    seen: list[bool] = []

    def work(ctx) -> None:
        seen.append(health().ready)
        begun.set()
        ctx.done().wait()
        # Whoever is told to stop finds it said.
        seen.append(health().ready)
        gate.wait(5)

    thread = SafeGoWithContextAndComponent(root(), "work", KeepRunning, work)
    assert begun.wait(5)
    done = root().done()
    if way == "thread":
        closing = threading.Thread(target=shutdown)
        closing.start()
        assert done.wait(5)
        assert not health().ready
        gate.set()
        closing.join(5)
    else:

        async def main() -> None:
            closing = asyncio.ensure_future(shutdown_async())
            await done.wait_async(5)
            assert not health().ready
            gate.set()
            await closing

        asyncio.run(main())
    thread.join(5)
    assert seen == [True, False]
    assert not health().ready


def test_a_request_to_stop_is_the_end_of_being_ready():
    root()
    assert health().ready
    STATE.root.cancel()
    assert not health().ready
    STATE.root = None


def test_a_crash_is_the_end_of_being_ready_but_not_a_captured_one(records, run_python):
    with capture_crash():
        SafeGo("crash", CrashProcess, boom).join(5)
        assert health().ready
    done = run_python(
        """
        from mruntime import *
        def boom(): raise ValueError
        on_crash(lambda: print("ready:", health().ready, flush=True))
        SafeGo("crash", CrashProcess, boom).join()
        """
    )
    assert (done.returncode, done.stdout) == (70, "ready: False\n")


def test_a_forked_child_is_ready(run_python):
    done = run_python(
        """
        import os, sys
        from mruntime import *
        shutdown(1)
        if hasattr(os, "fork") and os.fork() == 0:
            print("ready:", health().ready, flush=True)
            os._exit(0)
        elif hasattr(os, "fork"): os.wait()
        """
    )
    assert done.stdout in ("ready: True\n", "")


def test_as_json_and_on_the_page(records):
    SafeGo("paged", KeepRunning, boom).join(5)
    said = json.loads(health().json())
    assert said == health().as_dict()
    assert said["ready"] is True
    assert said["components"]["paged"]["panics"] == 1
    assert said["components"]["paged"]["last_panic"]["type"] == "ValueError"
    environ = {"QUERY_STRING": "health"}
    setup_testing_defaults(environ)
    assert json.loads(b"".join(wsgi(environ, lambda *_: None))) == health().as_dict()


# The README's recipes

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
RECIPES = {
    "asgi" if "starlette" in program else "wsgi": program
    for program in re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    if "/readyz" in program
}


def recipe(kind: str) -> dict[str, object]:
    there: dict[str, object] = {}
    exec(RECIPES[kind].replace("from myapp import mruntime", f"import {runtime.__name__} as mruntime"), there)
    return there


def ask_wsgi(path: str) -> tuple[int, dict[str, object]]:
    environ = {"QUERY_STRING": ""}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = path
    got: list[str] = []
    parts = validator(recipe("wsgi")["probes"])(environ, lambda status, headers, *_: got.append(status))
    body = b"".join(parts)
    parts.close()
    return int(got[0].split()[0]), json.loads(body or b"null")


def ask_asgi(path: str) -> tuple[int, dict[str, object]]:
    pytest.importorskip("starlette")
    sent: list[dict[str, object]] = []
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    asyncio.run(recipe("asgi")["app"](scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(one.get("body", b"") for one in sent[1:]) or b"null")


@pytest.mark.parametrize("ask", [ask_wsgi, ask_asgi])
def test_the_recipes_answer_a_kubelet(ask, records):
    STATE.counts.pop("consumer", None)
    assert (ask("/readyz")[0], ask("/livez")[0]) == (200, 200)
    gate = threading.Event()
    worker = SafeGo("consumer", KeepRunning, gate.wait, args=(10,))
    status, body = ask("/readyz")
    assert (status, body["ready"], body["components"]["consumer"]["active"]) == (200, True, 1)
    assert ask("/livez")[0] == 200
    threading.Timer(0.05, gate.set).start()
    assert shutdown(5).clean
    # No more requests, please; but restarting it now would cut off what it still does.
    assert ask("/readyz")[0] == 503
    assert ask("/livez")[0] == 200
    worker.join(5)
    reopen()
    # The consumer has given up, and nothing will start it again.
    assert ask("/livez")[0] == 503
    assert ask("/readyz")[0] == 200

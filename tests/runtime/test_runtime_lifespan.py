"""`lifespan` and what `mruntime.servers` makes of it, each in a process of its own."""

from __future__ import annotations

import signal
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there a signal ends the process")

PRELUDE = """
import asyncio, logging, os, signal, sys, threading, time
from mruntime import *
from mruntime import servers
logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stdout)
def say(text): os.write(1, f"{text}\\n".encode())
def work():
    root().done().wait()
    say("told")
def start(): SafeGo("c", KeepRunning, work, daemon=True)
"""

FORMER = {
    "around main": """
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: (say("former"), stop.set()))
with lifespan(timeout=5):
    start()
    say("ready")
    stop.wait()
""",
    "around asyncio.run": """
stop = threading.Event()
async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: (say("former"), stop.set()))
    start()
    say("ready")
    await stop.wait()
with lifespan(timeout=5): asyncio.run(main())
""",
    "in a coroutine": """
async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: (say("former"), stop.set()))
    async with lifespan(timeout=5):
        start()
        say("ready")
        await stop.wait()
asyncio.run(main())
""",
    "in a coroutine, set before": """
async def main():
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    signal.signal(signal.SIGTERM, lambda *_: (say("former"), loop.call_soon_threadsafe(stop.set)))
    async with lifespan(timeout=5):
        start()
        say("ready")
        await stop.wait()
asyncio.run(main())
""",
    "set within": """
with lifespan(timeout=5):
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: (say("former"), stop.set()))
    start()
    say("ready")
    stop.wait()
""",
    "install_signal_handlers": """
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: (say("former"), stop.set()))
install_signal_handlers()
start()
say("ready")
stop.wait()
shutdown(5)
""",
    "two of them": """
signal.signal(signal.SIGTERM, lambda *_: say("former"))
install_signal_handlers()
install_signal_handlers()
start()
say("ready")
root().done().wait()
shutdown(5)
""",
}


@pytest.mark.parametrize("how", list(FORMER))
def test_invariant_43_a_former_handler_still_runs(start_python, how):
    process = start_python(PRELUDE + FORMER[how])
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=10)
    assert (sorted(out.splitlines()), process.returncode) == (["former", "told"], 0)


def test_the_same_signal_at_once_is_the_same_request(start_python):
    process = start_python(
        PRELUDE
        + """
def slow():
    root().done().wait()
    say("told")
    go.wait()
    say("ended")
go = threading.Event()
signal.signal(signal.SIGUSR1, lambda *_: go.set())
with lifespan(timeout=20):
    SafeGo("c", KeepRunning, slow)
    say("ready")
    threading.Event().wait()
"""
    )
    assert process.stdout.readline() == "ready\n"
    # As under a supervisor in a terminal: one is from each.
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "told\n"
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGUSR1)
    out, _ = process.communicate(timeout=10)
    assert (out, process.returncode) == ("ended\n", 0)


def test_what_ends_the_block_leaves_it_unless_it_is_the_signal(run_python):
    done = run_python(
        PRELUDE
        + """
for error in (ValueError("v"), SystemExit(3), KeyboardInterrupt()):
    try:
        with lifespan(timeout=5) as life:
            start()
            raise error
    except BaseException as caught: print(repr(caught))
    print(life.report)
async def main():
    task = asyncio.current_task()
    try:
        async with lifespan(timeout=5):
            asyncio.get_running_loop().call_soon(task.cancel)
            await asyncio.sleep(60)
    except asyncio.CancelledError: print("cancelled by somebody else")
    try: lifespan().__enter__()
    except RuntimeError as error: print(error)
asyncio.run(main())
"""
    )
    lines = [line for line in done.stdout.splitlines() if line != "told"]
    assert lines == [
        "ValueError('v')",
        "shutdown: 1 finished",
        "SystemExit(3)",
        "shutdown: 1 finished",
        "shutdown: 1 finished",
        "cancelled by somebody else",
        "this block would block the running event loop at its end; use `async with`",
    ]
    assert done.returncode == 0


@pytest.mark.parametrize("end", ["pass", "sys.exit()", "raise KeyboardInterrupt"])
@pytest.mark.parametrize("kind", ["with", "async with"])
def test_the_exit_status_is_that_of_the_work(run_python, kind, end):
    block = f"""
    {kind} lifespan(timeout=0.01):
        SafeGo("c", KeepRunning, time.sleep, args=(60,), daemon=True)
        {end}
"""
    main = {
        "with": "def main():" + block + "\nmain()",
        "async with": "async def main():" + block + "\nasyncio.run(main())",
    }[kind]
    done = run_python(PRELUDE + "set_exit_code(9)\n" + main)
    assert (done.returncode, done.stderr) == (9, "")


def test_one_report_of_what_fails_as_it_is_cancelled(run_python):
    # Left to the end of asyncio.run, it is reported a second time: "unhandled exception during asyncio.run() shutdown".
    done = run_python(
        PRELUDE
        + """
async def fails():
    try: await asyncio.sleep(60)
    finally: raise ValueError("while it is cancelled")
async def main():
    async with lifespan(timeout=0.01):
        SafeGo("c", KeepRunning, fails())
        await asyncio.sleep(0)
try: asyncio.run(main())
except SystemExit as exit: print(exit)
"""
    )
    assert done.stdout.count("panic recovered in c/fails: while it is cancelled") == 1
    assert "asyncio.run() shutdown" not in done.stdout + done.stderr
    assert done.stdout.endswith("shutdown: 0 finished, 1 cancelled (c/fails)\n70\n")


ASGI = """
messages = iter(("lifespan.startup", "lifespan.shutdown"))
async def receive(): return {"type": next(messages)}
async def send(message): print(message["type"], flush=True)
def serve(app): asyncio.run(servers.asgi(app, timeout=5)({"type": "lifespan"}, receive, send))
"""


def test_an_app_without_a_lifespan_has_one(run_python):
    done = run_python(
        PRELUDE
        + ASGI
        + """
async def app(scope, receive, send):
    if scope["type"] != "http": raise ValueError("only http")
start()
serve(app)
"""
    )
    assert done.stdout.splitlines() == ["lifespan.startup.complete", "told", "lifespan.shutdown.complete"]


def test_the_work_ends_before_what_the_app_closes(run_python):
    done = run_python(
        PRELUDE
        + ASGI
        + """
async def app(scope, receive, send):
    await receive()
    start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("closes its pool", flush=True)
    await send({"type": "lifespan.shutdown.complete"})
serve(app)
"""
    )
    assert done.stdout.splitlines() == [
        "lifespan.startup.complete",
        "told",
        "closes its pool",
        "lifespan.shutdown.complete",
    ]


def test_an_app_that_fails_to_start_fails(run_python):
    done = run_python(
        PRELUDE
        + ASGI
        + """
async def app(scope, receive, send):
    await receive()
    raise OSError("no database")
try: serve(app)
except OSError as error: print(error)
"""
    )
    assert done.stdout == "no database\n"


def test_a_lifespan_is_what_frameworks_take(run_python):
    # Starlette calls it with the app; what it gives as state must be None or a mapping. A second life begins anew.
    done = run_python(
        PRELUDE
        + """
async def life(factory):
    async with factory(object()) as state:
        start()
        print(state, flush=True)
for _ in range(2): asyncio.run(life(lifespan))
"""
    )
    assert done.stdout.splitlines() == ["None", "told", "None", "told"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("module", "name", "own"),
    [
        ("uvicorn.server", "uvicorn", False),
        ("gunicorn.app.base", "gunicorn (sync, gthread, gevent)", False),
        ("celery.apps.worker", "Celery", False),
        ("waitress", "waitress", True),
        ("uvicorn_of_ours", "anything else", True),
    ],
)
def test_the_server_is_known_by_what_runs(run_python, module, name, own):
    # Also from a thread, and not by what is only imported.
    done = run_python(
        PRELUDE
        + f"""
import types
sys.modules["hypercorn"] = types.ModuleType("hypercorn")
called = {{"__name__": {module!r}}}
exec("def run(call): return call()", called)
def ask():
    found = []
    SafeGo("c", KeepRunning, lambda: found.append(servers.server())).join()
    return found[0]
row = called["run"](ask)
print(row.name, row.own_process, row.seconds)
"""
    )
    seconds = 8.0 if name == "anything else" else 20.0
    assert done.stdout == f"{name} {own} {seconds}\n"

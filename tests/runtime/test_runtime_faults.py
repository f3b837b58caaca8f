"""What was found when the runtime ran inside other programs: frameworks, pools, forked children, loops that close."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from panicguard.mruntime import Channel as Chan
from panicguard.mruntime import (
    CrashProcess,
    KeepRunning,
    RecoverAndLog,
    SafeGo,
    SafeThread,
    background,
    guarded,
    let_pass,
    metrics,
    root,
    with_cancel,
)
from panicguard.mruntime import WaitGroup as Group

PRELUDE = """
import asyncio, logging, os, sys, threading, time
from mruntime import *
def boom():
    raise ValueError("the reason")
"""
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")


def panics(component):
    return metrics()["goroutine_panics_total"].get(component, 0)


class Steering(BaseException):
    """As those of trio, gevent and pytest are."""


class AskAgain(Exception):  # noqa: N818  (as frameworks name them)
    """As some frameworks steer by."""


def raises(error):
    def fail():
        raise error

    return fail


@FORKS
def test_a_forked_child_heeds_a_signal_and_its_parent_does_not_stop(run_python):
    done = run_python(
        PRELUDE
        + """
import multiprocessing, signal
install_signal_handlers()
fork = multiprocessing.get_context("fork")
started = fork.Event()
child = fork.Process(target=lambda: (started.set(), time.sleep(60)))
child.start(); started.wait()
child.terminate(); child.join()
print(child.exitcode == -signal.SIGTERM, bool(root().done()))
"""
    )
    assert done.stdout == "True False\n", done


@FORKS
def test_a_forked_child_counts_what_it_does_itself(run_python):
    done = run_python(
        PRELUDE
        + """
SafeGo("preload", KeepRunning, boom).join()
pid = os.fork()
if pid == 0: os._exit(sum(len(values) for values in metrics().values()))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    )
    assert done.stdout == "0\n", done


def test_threads_that_wait_for_root_end_when_main_fails(run_python):
    done = run_python(
        PRELUDE
        + """
def worker(ctx):
    ctx.done().wait()
    print("saved", flush=True)
SafeGoWithContextAndComponent(root(), "w", KeepRunning, worker)
raise ValueError("the configuration is broken")
"""
    )
    assert (done.returncode, done.stdout) == (1, "saved\n"), done


@pytest.mark.parametrize("wrap", [RecoverAndLog("n", component="flow"), guarded(component="flow")], ids=type)
def test_control_flow_passes_a_guard(wrap):
    before = panics("flow")
    with pytest.raises(Steering):
        wrap(raises(Steering()))()
    assert panics("flow") == before


def test_control_flow_leaves_a_thread_as_it_would_leave_a_bare_one(monkeypatch):
    seen = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(args.exc_type))
    for start in (
        lambda: SafeGo("flow-thread", KeepRunning, raises(Steering())),
        lambda: SafeThread("flow-thread", CrashProcess, target=raises(Steering())),
    ):
        thread = start()
        if thread.ident is None:
            thread.start()
        thread.join()
    assert seen == [Steering, Steering]
    assert panics("flow-thread") == 0


def test_control_flow_of_a_task_and_a_pool_job_reaches_whoever_waits():
    async def main():
        async def fail():
            raise Steering

        with pytest.raises(Steering):
            await SafeGo("flow-task", KeepRunning, fail())
        with ThreadPoolExecutor() as pool, pytest.raises(Steering):
            SafeGo("flow-task", KeepRunning, raises(Steering()), executor=pool).result()

    asyncio.run(main())
    assert panics("flow-task") == 0


def test_a_framework_s_own_exceptions_pass():
    for wrap in (RecoverAndLog("n", component="own", passes=(AskAgain,)), guarded(component="own", passes=(AskAgain,))):
        with pytest.raises(AskAgain):
            wrap(raises(AskAgain()))()
    undo = let_pass(AskAgain)
    with pytest.raises(AskAgain):
        RecoverAndLog("n", component="own")(raises(AskAgain()))()
    undo()
    RecoverAndLog("n", component="own")(raises(AskAgain()))()
    assert panics("own") == 1


def test_known_ones_are_known_by_name():
    known = type("GraphBubbleUp", (Exception,), {"__module__": "langgraph.errors"})
    interrupt = type("GraphInterrupt", (known,), {})
    with pytest.raises(interrupt):
        RecoverAndLog("n", component="known")(raises(interrupt()))()
    assert panics("known") == 0


@pytest.mark.parametrize("kind", ["text", 3, int])
def test_only_exceptions_can_pass(kind):
    with pytest.raises(TypeError, match="let_pass takes classes of exceptions"):
        let_pass(kind)


@pytest.mark.parametrize("how", [pickle.dumps, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
@pytest.mark.parametrize(
    "make", [Group, Chan, root, lambda: with_cancel(background()).cancel], ids=["group", "channel", "root", "cancel"]
)
def test_what_is_shared_is_not_copied(make, how):
    thing = make()
    with pytest.raises(TypeError, match=f"cannot copy or pickle a {type(thing).__name__}"):
        how(thing)


def test_an_error_raised_again_without_its_traceback_is_reported_again():
    kept = ConnectionError("the pool is closed")

    def use():
        raise kept.with_traceback(None)

    for _ in range(50):
        RecoverAndLog("use", component="again")(use)()
    assert panics("again") == 50


def test_an_error_of_another_process_was_not_reported_here():
    error = ValueError("sent")
    RecoverAndLog("use", component="sent")(raises(error))()
    RecoverAndLog("use", component="sent")(raises(pickle.loads(pickle.dumps(error))))()
    assert panics("sent") == 2


def test_a_job_that_its_pool_never_ran_is_a_panic():
    pool = ThreadPoolExecutor(1, initializer=raises(OSError("no licence")))
    future = SafeGo("broken", KeepRunning, print, executor=pool)
    assert future.exception(10) is not None
    pool.shutdown()
    assert panics("broken") == 1


def test_what_a_loop_never_began_ends_with_it():
    loop, stopping, asked = asyncio.new_event_loop(), threading.Event(), threading.Event()

    def stop():
        loop.stop()
        stopping.set()
        asked.wait()

    def run():
        loop.call_soon(stop)
        loop.run_forever()
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    stopping.wait()

    async def job():
        pass

    future = SafeGo("closed", KeepRunning, job(), loop=loop)
    asked.set()
    thread.join()
    with pytest.raises(RuntimeError, match="closed before it began"):
        future.result(10)


def test_a_task_that_fails_while_asyncio_ends_is_reported_once(run_python):
    done = run_python(
        PRELUDE
        + """
logging.basicConfig(format="RECORD %(name)s")
async def work():
    try: await asyncio.sleep(100)
    except asyncio.CancelledError: raise RuntimeError("cleaning up failed")
async def main():
    SafeGo("c", KeepRunning, work())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
asyncio.run(main())
"""
    )
    assert done.stderr.count("RECORD") == 1, done


def plain(fn):
    @functools.wraps(fn)
    def wrapper(*args):
        return fn(*args)

    return wrapper


async def lost():
    raise KeyError("lost")


def test_what_a_guarded_function_returns_is_guarded():
    async def main():
        with pytest.raises(KeyError):
            await guarded(component="returned")(plain(lost))()
        assert await RecoverAndLog("n", component="returned")(plain(lost))() is None
        task = guarded(component="returned")(lambda: asyncio.create_task(asyncio.sleep(0, 5)))()
        assert isinstance(task, asyncio.Task)
        assert await task == 5

    asyncio.run(main())
    assert panics("returned") == 2


def test_what_cannot_be_guarded_by_guarding_what_makes_it_is_refused():
    @contextlib.asynccontextmanager
    async def lifespan():
        yield

    with pytest.raises(TypeError, match="async context manager"):
        guarded(component="refused")(lifespan)()
    RecoverAndLog("n", component="refused")(lifespan)()
    assert panics("refused") == 2


def test_a_callback_that_exits_its_library_s_thread_is_spoken_of(caplog):
    for callback in (
        guarded(component="mqtt")(raises(SystemExit())),
        RecoverAndLog("on_message", component="mqtt")(raises(SystemExit())),
    ):
        caplog.clear()
        thread = threading.Thread(target=callback)
        thread.start()
        thread.join()
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "mqtt" in caplog.text


def test_a_callback_may_swallow_so_that_the_thread_lives():
    handled = []
    calls = iter((SystemExit(2), ValueError("bad"), SystemExit()))

    @guarded(component="lives", swallow=True)
    def on_message():
        raise next(calls)

    def consumer():
        for n in range(3):
            on_message()
            handled.append(n)

    thread = threading.Thread(target=consumer)
    thread.start()
    thread.join()
    assert handled == [0, 1, 2]
    assert panics("lives") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="file descriptors are inherited as on POSIX")
@pytest.mark.parametrize("policy", ["KeepRunning", "CrashProcess"])
def test_a_data_file_that_has_descriptor_2_is_left_alone(tmp_path, policy):
    data, program = tmp_path / "data", tmp_path / "writes.py"
    program.write_text(
        PRELUDE
        + f"""
data = open({str(data)!r}, "wb", buffering=0)
assert data.fileno() == 2
data.write(b"record 1;")
SafeGo("c", {policy}, boom).join()
"""
    )
    subprocess.run(
        ["sh", "-c", 'exec "$0" "$1" 2>&-', sys.executable, str(program)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "panicguard")},
        check=False,
    )
    assert data.read_bytes() == b"record 1;"


def test_multiprocess_mode_of_prometheus_is_warned_of(monkeypatch, tmp_path):
    prometheus_client = pytest.importorskip("prometheus_client")
    from panicguard.mruntime.prometheus import register

    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="PROMETHEUS_MULTIPROC_DIR is set"):
        register(prometheus_client.CollectorRegistry())()

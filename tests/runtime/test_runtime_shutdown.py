"""Orderly shutdowns, each in a process of its own: after one, nothing can be started."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runtime_programs import program

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="the children are forked")
PRELUDE = """
import asyncio, concurrent.futures, gc, logging, os, threading, time
from mruntime import *
logging.basicConfig(format="%(levelname)s %(message)s")
started = threading.Event()
"""


def test_workers_that_heed_the_root_context_end_at_once(run_python):
    done = run_python(
        PRELUDE
        + """
def worker(ctx):
    started.set()
    ctx.done().wait()

async def main():
    async def worker_async(ctx):
        await ctx.done()
    async def bound():
        await asyncio.sleep(60)
    SafeGoWithContextAndComponent(root(), "handed", KeepRunning, worker_async)
    SafeGoWithContextAndComponent(root(), "bound", KeepRunning, bound())
    SafeGoWithContextAndComponent(root(), "thread", KeepRunning, worker)
    await asyncio.sleep(0)
    return await shutdown_async(20)

report = asyncio.run(main())
print(report, report.clean, root().err())
"""
    )
    assert (done.stdout, done.stderr, done.returncode) == ("shutdown: 3 finished True context canceled\n", "", 0)


def test_what_does_not_end_is_cut_off_and_named(run_python):
    done = run_python(
        PRELUDE
        + """
async def sleeper():
    started.set()
    await asyncio.sleep(60)

async def stubborn():
    while True:
        try: await asyncio.sleep(60)
        except asyncio.CancelledError: pass

def stuck():
    started.set()
    time.sleep(60)

def loop():
    async def main():
        SafeGo("stubborn", KeepRunning, stubborn())
        await asyncio.gather(SafeGo("sleep", KeepRunning, sleeper()), return_exceptions=True)
        await asyncio.sleep(60)
    asyncio.run(main())

threading.Thread(target=loop, daemon=True).start()
started.wait()
started.clear()
SafeGo("stuck", KeepRunning, stuck, daemon=True, name="the-thread")
started.wait()
pool = concurrent.futures.ThreadPoolExecutor(1)
SafeGo("pool", KeepRunning, time.sleep, args=(60,), executor=pool)
queued = SafeGo("queued", KeepRunning, time.sleep, args=(60,), executor=pool)
SafeTimer("timer", KeepRunning, 60, print).start()
report = shutdown(0.05)
print(report.finished, sorted((s.kind, s.component) for s in report.cancelled))
for s in sorted(report.running): print(s.kind, s.component, s.name)
stacks = {s.component: s.stack for s in report.running}
print("in stuck" in stacks["stuck"], "in stubborn" in stacks["stubborn"], stacks["pool"] != "")
print(queued.cancelled(), report.clean, flush=True)
os._exit(0)
"""
    )
    assert done.stdout.splitlines() == [
        "0 [('job', 'queued'), ('task', 'sleep'), ('thread', 'timer')]",
        "job pool sleep",
        "task stubborn stubborn",
        "thread stuck the-thread",
        "True True True",
        "True False",
    ]
    before, last = done.stderr.splitlines()
    head, _, named = before.partition("WARNING shutdown: unfinished after 0.05 s: ")
    places = [re.sub(r":\d+ in ", " in ", one) for one in named.split("; ")]
    assert (head, sorted(places)) == (
        "",
        [
            "job pool/sleep at _job.py in _body",
            "job queued/sleep, not begun",
            "task sleep/sleeper at program.py in sleeper",
            "task stubborn/stubborn at program.py in stubborn",
            "thread stuck/the-thread at program.py in stuck",
            "thread timer/print at threading.py in wait",
        ],
    )
    # In what a pool runs, not in daemons, Python waits at its end.
    assert re.fullmatch(
        r"WARNING shutdown: 0 finished, 3 cancelled \(.*\), 3 still running \(.*\); "
        r"the process waits for job pool/sleep at _job.py:\d+ in _body",
        last,
    )


def test_nothing_is_started_after_it(run_python):
    done = run_python(
        PRELUDE
        + """
async def work(): pass
coro = work()
before = SafeThread("before", KeepRunning, target=print)
pool = concurrent.futures.ThreadPoolExecutor(1)
shutdown()
async def main():
    SafeGo("task", KeepRunning, coro)
group = WaitGroup()
for spawn in (
    lambda: SafeGo("thread", KeepRunning, print),
    before.start,
    lambda: asyncio.run(main()),
    lambda: SafeGo("pool", KeepRunning, print, executor=pool),
    lambda: group.go("group", KeepRunning, print),
):
    try: spawn()
    except RuntimeError as error: print(error)
print(coro.cr_frame, group.wait(0), metrics()["goroutine_started_total"])
"""
    )
    assert done.stdout.splitlines() == [
        "SafeGo('thread'): nothing is started after mruntime.shutdown()",
        "SafeThread('before'): nothing is started after mruntime.shutdown()",
        "SafeGo('task'): nothing is started after mruntime.shutdown()",
        "SafeGo('pool'): nothing is started after mruntime.shutdown()",
        "SafeGo('group'): nothing is started after mruntime.shutdown()",
        "None True {}",
    ]
    assert done.stderr == ""


def test_the_caller_is_not_waited_for(run_python):
    done = run_python(
        PRELUDE
        + """
def last(): print("thread", shutdown(20))
async def main(): print("task", await shutdown_async(20))
SafeGo("last", KeepRunning, last).join()
def run(): asyncio.run(main())
threading.Thread(target=run).start()
"""
    )
    assert done.stdout.splitlines() == ["thread shutdown: 0 finished", "task shutdown: 0 finished"]


def test_a_task_of_a_closed_loop_is_not_waited_for(run_python):
    done = run_python(
        PRELUDE
        + """
async def never(): await asyncio.Event().wait()
async def leave(): return SafeGo("left", KeepRunning, never())
loop = asyncio.new_event_loop()
task = loop.run_until_complete(leave())
loop.close()
began = time.monotonic()
print(shutdown(20), time.monotonic() - began < 10)
task._log_destroy_pending = False
del task
gc.collect()
"""
    )
    assert done.stdout == "shutdown: 0 finished True\n"
    assert not done.stderr, "freed, it ends without a word"


def test_on_the_thread_of_a_loop_it_is_an_error(run_python):
    done = run_python(
        PRELUDE
        + """
async def main():
    try: shutdown()
    except RuntimeError as error: print(error)
    print(await asyncio.wait_for(SafeGo("goes on", KeepRunning, asyncio.sleep(0, 7)), 5))
asyncio.run(main())
"""
    )
    assert done.stdout.splitlines() == [
        "shutdown() would block the running event loop; use `await shutdown_async()`",
        "7",
    ]


def test_the_child_of_a_fork_starts_anew(run_python):
    done = run_python(
        PRELUDE
        + """
def wait(): started.wait()
SafeGo("parent", KeepRunning, wait)
pid = os.fork()
if pid == 0:
    thread = SafeGo("child", KeepRunning, print, args=("child",))
    thread.join()
    began = time.monotonic()
    report = shutdown(20)
    print(report, time.monotonic() - began < 10, flush=True)
    os._exit(0)
os.waitpid(pid, 0)
started.set()
print(shutdown(20).clean)
"""
    )
    assert done.stdout.splitlines() == ["child", "shutdown: 0 finished True", "True"]


@pytest.mark.skipif(sys.platform == "win32", reason="there a signal ends the process")
@pytest.mark.parametrize("way", ["thread", "task"])
def test_a_signal_cancels_the_root_context_and_a_second_one_ends_the_process(start_python, way):
    ways = {
        "thread": "root().done().wait()",
        "task": "asyncio.run(main())",
    }
    program = (
        PRELUDE
        + f"""
async def main(): await root().done()
install_signal_handlers()
os.write(1, b"ready\\n")
{ways[way]}
print(shutdown(5), flush=True)
time.sleep(60)
"""
    )
    process = start_python(program)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "shutdown: 0 finished\n"
    assert insisted(process) == 128 + signal.SIGTERM


def insisted(process):
    """How it ends after one SIGTERM more; within a second of the first one that would be the same request."""
    until = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < until:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    return process.poll()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs namespaces")
def test_the_second_signal_ends_the_first_process_of_a_container(tmp_path):
    # There the default of a signal is to do nothing.
    script, env = program(
        tmp_path,
        PRELUDE
        + """
install_signal_handlers()
print(os.getpid(), flush=True)
root().done().wait()
shutdown(60)
time.sleep(60)
""",
    )
    new = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*new, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may make no namespace")
    process = subprocess.Popen([*new, sys.executable, script], stdout=subprocess.PIPE, text=True, env=env)
    try:
        assert process.stdout.readline() == "1\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        until = time.monotonic() + 10
        while process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(children[0]), signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        assert process.poll() == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.communicate()


def test_queued_jobs_can_be_left_out(run_python):
    done = run_python(
        PRELUDE
        + """
pool = concurrent.futures.ThreadPoolExecutor(1)
def running():
    started.set()
    root().done().wait()
SafeGo("pool", KeepRunning, running, executor=pool)
started.wait()
for n in range(3): SafeGo("queued", KeepRunning, print, args=("never",), executor=pool, name=f"n{n}")
report = shutdown(20, cancel_futures=True)
print(report, report.status)
"""
    )
    assert done.stdout == "shutdown: 1 finished, 3 cancelled (queued/n0, queued/n1, queued/n2) 70\n"
    first, _ = done.stderr.splitlines()
    assert first.startswith("WARNING shutdown: unfinished and not begun: job queued/n0, not begun; ")


@FORKS
@pytest.mark.parametrize("heeds", [True, False])
def test_children_are_told_if_asked(run_python, heeds):
    done = run_python(
        PRELUDE
        + f"""
import multiprocessing, signal
fork = multiprocessing.get_context("fork")
began = fork.Event()
def child():
    if not {heeds}: signal.signal(signal.SIGTERM, signal.SIG_IGN)
    began.set()
    time.sleep(60)
process = fork.Process(target=child, name="the-child")
process.start(); began.wait()
report = shutdown(20 if {heeds} else 0.1, children=True)
print(report.finished, [(s.kind, s.name) for s in report.cancelled] == [("child", f"the-child (pid {{process.pid}})")])
print(process.exitcode)
"""
    )
    assert done.stdout == ("1 False\n-15\n" if heeds else "0 True\n-9\n"), done
    assert ("unfinished after 0.1 s: child multiprocessing/the-child (pid " in done.stderr) is not heeds


@FORKS
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_child_notices_that_its_parent_is_gone(start_python, method):
    process = start_python(
        f"""
import multiprocessing, os, time
from mruntime import root
def child(say):
    os.write(1, b"waiting\\n")
    root().done().wait()
    os.write(1, b"told\\n")
def sibling():
    time.sleep(5)
if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    context.Process(target=child, args=(1,)).start()
    # It inherits the pipe whose end says that the parent is gone.
    context.Process(target=sibling).start()
    time.sleep(60)
"""
    )
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM
    assert process.stdout.readline() == "told\n"


def test_a_shutdown_that_is_cancelled_says_what_it_leaves(run_python):
    done = run_python(
        PRELUDE
        + """
async def work():
    try: await asyncio.sleep(60)
    finally: print("finally")
async def main():
    SafeGo("c", KeepRunning, work())
    await asyncio.sleep(0)
    ending = asyncio.ensure_future(shutdown_async(60))
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.wait([ending])
    print(ending.cancelled())
asyncio.run(main())
"""
    )
    assert done.stdout == "finally\nTrue\n"
    first, _ = done.stderr.splitlines()
    assert first.startswith("WARNING shutdown: unfinished and no longer waited for: task c/work at program.py:")


def test_signal_handlers_are_for_the_main_thread(run_python):
    done = run_python(
        PRELUDE
        + """
import signal
before = signal.getsignal(signal.SIGTERM)
undo = install_signal_handlers()
assert signal.getsignal(signal.SIGTERM) is not before
undo(); undo()
print(signal.getsignal(signal.SIGTERM) is before, root().err())
def elsewhere():
    try: install_signal_handlers()
    except RuntimeError as error: print(error)
SafeGo("t", KeepRunning, elsewhere).join()
"""
    )
    assert done.stdout.splitlines() == [
        "True None",
        "install_signal_handlers() is for the main thread",
    ]

"""What needs a process of its own: crashes, forks, lost logs, two copies."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

import panicguard.mruntime as runtime

PRELUDE = """
import asyncio, logging, os, re, sys, threading, time, concurrent.futures
from mruntime import *
def boom():
    stamp()
    raise ValueError("the reason")
async def aboom(): boom()
def stamp():
    with open("moment", "a") as file: file.write(f"{time.monotonic()}\\n")
"""

CRASHES = {
    "thread": "SafeGo('c', CrashProcess, boom); time.sleep(60)",
    "task": """
async def main():
    SafeGo('c', CrashProcess, aboom())
    await asyncio.sleep(60)
asyncio.run(main())""",
    "stubborn sibling": """
async def stubborn():
    while True:
        try: await asyncio.sleep(60)
        except asyncio.CancelledError: pass
async def main():
    SafeGo('s', KeepRunning, stubborn())
    await asyncio.sleep(0)
    await SafeGo('c', CrashProcess, aboom())
asyncio.run(main())""",
    "pool": """
with concurrent.futures.ThreadPoolExecutor() as pool:
    SafeGo('c', CrashProcess, boom, executor=pool); time.sleep(60)""",
    "non-daemon thread": """
threading.Thread(target=time.sleep, args=(60,)).start()
SafeGo('c', CrashProcess, boom)""",
    "recover": """
try:
    with RecoverAndCrash('boom', component='c'): boom()
except BaseException: time.sleep(60)""",
    "guarded": "guarded(component='c', policy=CrashProcess)(boom)()",
    "two at once": """
gate = threading.Barrier(2)
def both(): gate.wait(); boom()
SafeGo('c', CrashProcess, both, name='boom'); SafeGo('c', CrashProcess, both, name='boom'); time.sleep(60)""",
    "observed future": """
async def main():
    SafeGo('c', CrashProcess, asyncio.ensure_future(aboom()))
    await asyncio.sleep(60)
asyncio.run(main())""",
    "main ended": "SafeGo('c', CrashProcess, lambda: (threading.main_thread().join(), boom()))",
    "timer": "SafeTimer('c', CrashProcess, 0, boom).start(); time.sleep(60)",
}

STUCK = {
    "stuck handler": """
class Stuck(logging.Handler):
    def emit(self, record): time.sleep(60)
logging.getLogger().addHandler(Stuck())
SafeGo('c', CrashProcess, boom); time.sleep(60)""",
    "stuck handler under a task": """
class Stuck(logging.Handler):
    def emit(self, record): time.sleep(60)
logging.getLogger().addHandler(Stuck())
async def main():
    SafeGo('c', CrashProcess, aboom())
    await asyncio.sleep(60)
asyncio.run(main())""",
    "handler's lock": """
handler = logging.StreamHandler()
logging.getLogger().addHandler(handler)
handler.acquire()
SafeGo('c', CrashProcess, boom); time.sleep(60)""",
    "held GIL": """
class Hog(logging.Handler):
    def emit(self, record): re.match(r'(a+)+$', 'a' * 64 + 'b')
logging.getLogger().addHandler(Hog())
SafeGo('c', CrashProcess, boom); time.sleep(60)""",
    "stuck str": """
class Bad(Exception):
    def __str__(self): time.sleep(60)
def bad():
    stamp()
    raise Bad
SafeGo('c', CrashProcess, bad); time.sleep(60)""",
    "stuck hook": """
on_crash(lambda: time.sleep(60))
SafeGo('c', CrashProcess, boom); time.sleep(60)""",
}


@pytest.mark.parametrize("how", [*CRASHES, *STUCK])
def test_invariant_08_a_crash_ends_the_process_within_three_seconds(run_python, tmp_path, how):
    done = run_python(PRELUDE + {**CRASHES, **STUCK}[how])
    # One second more, for the machine.
    assert time.monotonic() - float((tmp_path / "moment").read_text().split()[0]) < 4
    # Only where no Python can run is it the timer in C that ends it.
    assert done.returncode == (1 if how == "held GIL" else 70)
    assert done.stderr.count("mruntime: crash: panic in c/") == 1, done.stderr


LOGS = {
    "file": "logging.basicConfig(filename='crash.log')",
    "buffered": """
from logging.handlers import MemoryHandler
logging.basicConfig(handlers=[MemoryHandler(99, logging.CRITICAL + 1, logging.FileHandler('crash.log'))])""",
    "queue": """
import queue
from logging.handlers import QueueHandler, QueueListener
lines = queue.Queue()
logging.basicConfig(handlers=[QueueHandler(lines)])
listener = QueueListener(lines, logging.FileHandler('crash.log'))
listener.start()
on_crash(listener.stop)""",
    "beside a stuck one": """
class Stuck(logging.Handler):
    def emit(self, record): time.sleep(60)
logging.basicConfig(handlers=[logging.FileHandler('crash.log')])
logging.getLogger().addHandler(Stuck(logging.CRITICAL))""",
}


@pytest.mark.parametrize(("how", "log"), [(how, "file") for how in CRASHES] + [("thread", log) for log in LOGS])
def test_invariant_09_a_log_line_before_the_crash_is_on_disk(run_python, tmp_path, how, log):
    setup = f"{LOGS[log]}\nlogging.error('line before')\nprint('printed before')\n"
    done = run_python(PRELUDE + setup + CRASHES[how])
    assert done.returncode == 70, done
    assert done.stderr.count("mruntime: crash: panic in c/") == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert "ValueError" in done.stderr
    written = (tmp_path / "crash.log").read_text()
    assert written.count("line before") == 1
    assert written.count("panic recovered in c/") == 1
    assert "the reason" in written
    # What a stuck handler leaves no time for is the flush.
    assert done.stdout == ("" if log == "beside a stuck one" else "printed before\n")


def test_invariant_10_crashes_at_once_end_in_one_banner_and_one_code(run_python, tmp_path):
    done = run_python(
        PRELUDE
        + """
logging.basicConfig(filename="crash.log")
gate = threading.Barrier(5)
def leave(code):
    gate.wait()
    sys.exit(code)
async def aleave(code):
    leave(code)
for code in (11, 12):
    SafeGo("c", CrashProcess, leave, args=(code,))
pool = concurrent.futures.ThreadPoolExecutor(1)
SafeGo("c", CrashProcess, leave, args=(13,), executor=pool)
SafeTimer("c", CrashProcess, 0, leave, (14,)).start()
async def main():
    SafeGo("c", CrashProcess, aleave(15))
    await asyncio.sleep(60)
asyncio.run(main())
"""
    )
    (line,) = done.stderr.splitlines()
    assert line.startswith("mruntime: crash: panic in c/")
    assert line.endswith(f"; exit status {done.returncode}")
    assert done.returncode in range(11, 16)
    assert (tmp_path / "crash.log").read_text().count("CRITICAL") == 1


def test_crash_hooks_and_code(run_python):
    done = run_python(
        PRELUDE
        + """
set_exit_code(9)
undo = on_crash(lambda: print("never")); undo()
on_crash(lambda: 1 / 0)
on_crash(lambda: print("hook"))
for bad in (0, 256, -1, True, "1"):
    try: set_exit_code(bad)
    except ValueError: print("refused")
SafeGo('c', CrashProcess, boom); time.sleep(60)
"""
    )
    assert done.returncode == 9
    assert done.stdout.split() == ["refused"] * 5 + ["hook"]
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize(("exc", "code"), [("SystemExit(5)", 5), ("SystemExit('text')", 70), ("SystemExit(300)", 70)])
@pytest.mark.parametrize("kind", ["task", "thread"])
def test_system_exit_under_crash(run_python, exc, code, kind):
    body = {
        "task": f"""
async def leave(): raise {exc}
async def main():
    SafeGo('c', CrashProcess, leave()); await asyncio.sleep(60)
asyncio.run(main())""",
        "thread": f"""
def leave(): raise {exc}
SafeGo('c', CrashProcess, leave); time.sleep(60)""",
    }[kind]
    assert run_python(PRELUDE + body).returncode == code


def test_sys_exit_of_main_is_no_crash(run_python):
    done = run_python(
        PRELUDE
        + """
import atexit
atexit.register(print, "atexit")
@guarded(component="main", policy=CrashProcess)
def main():
    with RecoverAndCrash("main"):
        sys.exit(4)
main()
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (4, "atexit\n", "")


def test_a_signal_handler_that_crashes_the_crashing_thread(run_python):
    done = run_python(
        PRELUDE
        + """
import signal
def handler(*_):
    with RecoverAndCrash("handler"): boom()
signal.signal(signal.SIGUSR1, handler)
on_crash(lambda: (os.kill(os.getpid(), signal.SIGUSR1), time.sleep(60)))
with RecoverAndCrash("main"): boom()
"""
    )
    assert done.returncode == 70


LOST = {
    "logging.disable": "logging.disable(logging.CRITICAL)",
    "level": "logging.getLogger('mruntime').setLevel(99)",
    "filter": "logging.getLogger('mruntime').addFilter(lambda record: False)",
    "handler raises": """
class Bad(logging.Handler):
    def emit(self, record): raise SystemExit(1)
logging.getLogger().addHandler(Bad())""",
    "stderr None": "sys.stderr = None",
    "closed stream": """
import io
stream = io.StringIO(); logging.basicConfig(stream=stream); stream.close()""",
}


@pytest.mark.parametrize("how", list(LOST))
def test_a_panic_is_never_silent(run_python, how):
    done = run_python(PRELUDE + LOST[how] + "\nt = SafeGo('c', KeepRunning, boom); t.join(); print(t.panic.value)")
    assert done.returncode == 0, done
    assert done.stdout == "the reason\n"
    (line,) = done.stderr.splitlines()
    assert line.startswith("mruntime: panic recovered in c/boom: the reason [")


SILENCED = {name: LOST[name] for name in ("logging.disable", "level", "filter")}


@pytest.mark.parametrize("how", list(SILENCED))
def test_a_silenced_logger_is_spoken_of_once(run_python, how):
    done = run_python(PRELUDE + SILENCED[how] + "\nfor _ in range(3): SafeGo('c', KeepRunning, boom).join()")
    (line,) = done.stderr.splitlines()
    assert line.endswith("not logged: silenced by its level or a filter, as further ones are]")


PLAIN = {
    "basicConfig": "logging.basicConfig(stream=sys.stdout)",
    "a format of its own": "logging.basicConfig(stream=sys.stdout, format='%(asctime)s [%(threadName)s] %(message)s')",
    "dictConfig after the first panic": """
import logging.config
logging.getLogger('mruntime')
handler = {'class': 'logging.StreamHandler', 'stream': 'ext://sys.stdout'}
logging.config.dictConfig({'version': 1, 'handlers': {'out': handler}, 'root': {'handlers': ['out']}})""",
    "a logger that somebody disabled": """
logging.basicConfig(stream=sys.stdout)
logging.getLogger('mruntime').disabled = True""",
}


@pytest.mark.parametrize("how", list(PLAIN))
def test_a_plain_text_log_says_what_it_was_and_where(run_python, how):
    done = run_python(
        PRELUDE + PLAIN[how] + "\ndef lookup(): return {}['user']\nSafeGo('c', KeepRunning, lookup).join()"
    )
    assert done.stderr == ""
    assert "panic recovered in c/lookup: 'user'" in done.stdout
    assert "in lookup" in done.stdout
    assert done.stdout.endswith("KeyError: 'user'\n")


def test_a_handler_that_panics_itself_does_not_recurse(run_python):
    done = run_python(
        PRELUDE
        + """
class Again(logging.Handler):
    def emit(self, record):
        handle_panic_value(ValueError("inner"), component="h", name="emit")
logging.getLogger().addHandler(Again())
SafeGo('c', KeepRunning, boom).join()
"""
    )
    (line,) = done.stderr.splitlines()
    assert "h/emit: inner" in line


def test_the_line_of_a_crash_has_the_message_though_a_handler_never_returns(run_python):
    done = run_python(
        PRELUDE
        + """
class Stuck(logging.Handler):
    def emit(self, record): time.sleep(60)
logging.basicConfig(handlers=[Stuck()])
SafeGo("c", CrashProcess, boom).join()
"""
    )
    assert done.returncode == 70
    assert done.stderr == "mruntime: crash: panic in c/boom: ValueError: the reason; exit status 70\n"


def test_a_hook_that_hangs_costs_only_itself(run_python):
    done = run_python(
        PRELUDE
        + """
on_crash(lambda: time.sleep(60))
on_crash(lambda: print("the other hook", flush=True))
SafeGo("c", CrashProcess, boom).join()
"""
    )
    assert (done.returncode, done.stdout) == (70, "the other hook\n")


@pytest.mark.parametrize("listener", ["handler.listener = listener", ""], ids=["known to the handler", "unknown"])
def test_a_crash_writes_what_stands_in_the_queue_of_the_log(run_python, listener):
    done = run_python(
        PRELUDE
        + f"""
import queue, logging.handlers
class Slow(logging.StreamHandler):
    def emit(self, record):
        time.sleep(0.02)
        super().emit(record)
handler = logging.handlers.QueueHandler(queue.Queue())
listener = logging.handlers.QueueListener(handler.queue, Slow(sys.stdout))
{listener}
listener.start()
logging.basicConfig(handlers=[handler], level=logging.INFO)
for n in range(30): logging.info("line %d", n)
SafeGo("c", CrashProcess, boom).join()
"""
    )
    assert done.returncode == 70
    assert "INFO:root:line 29\nCRITICAL:mruntime:panic recovered in c/boom: the reason\n" in done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the children are forked")
@pytest.mark.parametrize(
    "child",
    [
        "fork.Process(target=tell, daemon=True).start()",
        "ProcessPoolExecutor(1, mp_context=fork).submit(tell)",
        "pool = fork.Pool(1); pool.apply_async(tell)",
        "manager = fork.Manager(); manager.list(); os.write(1, b'.')",
    ],
    ids=["daemon process", "worker of a pool", "multiprocessing.Pool", "manager"],
)
def test_a_crash_ends_the_children_that_python_would_end(run_python, child):
    # They hold standard output: as long as one lives, whoever reads that waits.
    done = run_python(
        PRELUDE
        + f"""
import multiprocessing, os
from concurrent.futures import ProcessPoolExecutor
fork = multiprocessing.get_context("fork")
started = fork.Event()
def tell():
    os.write(1, b".")
    started.set()
    time.sleep(60)
{child}
"manager" in globals() or started.wait()
SafeGo("c", CrashProcess, boom).join()
"""
    )
    assert (done.returncode, done.stdout) == (70, ".")


def test_without_any_logging_setup_it_is_on_stderr_with_its_traceback(run_python):
    done = run_python(PRELUDE + "SafeGo('c', KeepRunning, boom).join()")
    lines = done.stderr.splitlines()
    assert lines[:2] == ["panic recovered in c/boom: the reason", "Traceback (most recent call last):"]
    assert lines[-1].endswith("Error: the reason")


def test_deep_recursion_is_reported_once(run_python):
    done = run_python(
        PRELUDE + "def deep(): deep()\nt = SafeGo('c', KeepRunning, deep); t.join(); print(len(t.panic.stack))"
    )
    assert done.stderr.count("panic recovered") == 1
    assert 0 < int(done.stdout) <= 4096


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_invariant_17_a_forked_child_can_spawn(run_python):
    done = run_python(
        PRELUDE
        + """
import mruntime._state as state
group = WaitGroup()
gate = threading.Event()
group.go("parent", KeepRunning, gate.wait)
holding = threading.Event()
def hold():
    with state.STATE.lock:
        holding.set(); gate.wait()
threading.Thread(target=hold).start()
holding.wait()
pid = os.fork()
if pid == 0:
    assert not state.STATE.threads
    assert group.wait(5)
    group.go("child", KeepRunning, print, args=("in the child",))
    assert group.wait(5)
    ctx, cancel = with_cancel(background()); cancel(); assert ctx.err()
    async def main():
        return await SafeGo("child", KeepRunning, asyncio.sleep(0, 1))
    assert asyncio.run(main()) == 1
    # shutdown: to be asked here, where nothing of the parent may be waited for.
    sys.stdout.flush()
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
gate.set()
print(group.wait(5))
"""
    )
    assert done.stdout.split("\n")[:3] == ["in the child", "7", "True"], done


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_within_a_counted_thread(run_python):
    done = run_python(
        PRELUDE
        + """
group = WaitGroup()
def forks():
    pid = os.fork()
    if pid == 0:
        group.add()
        return
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
group.go("forks", KeepRunning, forks)
print(group.wait(5))
"""
    )
    assert done.stdout == "0\nTrue\n", done
    assert "negative" not in done.stderr


def test_crash_in_a_forked_child(run_python):
    done = run_python(
        PRELUDE
        + """
async def main():
    SafeGo("kept", KeepRunning, asyncio.sleep(60))
    pid = os.fork()
    if pid == 0:
        SafeGo('c', CrashProcess, boom).join()
        time.sleep(60)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
asyncio.run(main())
"""
    )
    assert done.stdout == "70\n", done
    assert "destroyed" not in done.stderr


def test_invariant_20_two_copies_share_one_registry(run_python, tmp_path):
    source = Path(runtime.__file__).parent
    for place in ("one", "deep/two"):
        shutil.copytree(source, tmp_path / place, ignore=shutil.ignore_patterns("__pycache__"))
    done = run_python(
        """
        import sys, time
        import one, deep.two as two
        one.SafeGo("a", one.KeepRunning, print).join()
        two.SafeGo("a", two.KeepRunning, print).join()
        assert one.metrics() == two.metrics()
        assert one.metrics()["goroutine_started_total"] == {"a": 2}
        ctx, cancel = one.with_cancel(one.background())
        child, _ = two.with_cancel(ctx)
        cancel()
        def end(ctx):
            assert one.current_context() is ctx is two.current_context()
            ctx.check()
        t = two.SafeGoWithContextAndComponent(ctx, "a", two.KeepRunning, end); t.join()
        assert t.panic is None and child.err(), t.panic
        assert sys.modules["_mruntime_state_v1"] is one._state.STATE is two._state.STATE
        gate = two.WaitGroup()
        gate.add()
        thread = one.SafeGo("a", one.KeepRunning, gate.wait, args=(5,))
        assert thread in two._state.STATE.threads
        gate.done()
        thread.join()
        one.SafeGo("b", two.CrashProcess, lambda: 1 / 0)
        time.sleep(60)
        """
    )
    assert done.returncode == 70, done


def test_invariant_18_at_most_257_label_values(run_python):
    done = run_python(
        PRELUDE
        + """
for n in range(300):
    handle_panic_value("x", component=f"c{n}", name="n", logger=logging.getLogger("quiet"))
handle_panic_value("x", component="é" * 40, name="n")
handle_panic_value("x", component="c0", name="n")
for n in range(150, 450):
    SafeGo(f"c{n}", KeepRunning, int).join()
SafeGo(None, KeepRunning, int).join()
started, panics = metrics()["goroutine_started_total"], metrics()["goroutine_panics_total"]
print(len(panics), panics["_other"], panics["c0"])
print(len(started), started["_other"], len({*panics, *started}))
"""
    )
    assert done.stdout == "257 45 2\n107 195 257\n", done


def test_label_cut():
    from panicguard.mruntime._state import _cut

    assert _cut("é" * 40) == "é" * 32
    assert _cut("a" + "é" * 40) == "a" + "é" * 31


def test_a_full_stderr_pipe_does_not_stop_a_crash(run_python):
    done = run_python(
        PRELUDE
        + """
reader, writer = os.pipe()
os.dup2(writer, 2)
os.set_blocking(2, False)
try:
    while True: os.write(2, b"x" * 4096)
except BlockingIOError: pass
os.set_blocking(2, True)
SafeGo('c', CrashProcess, boom); time.sleep(60)
"""
    )
    assert done.returncode in (1, 70)


def test_the_package_is_as_promised():
    init = Path(runtime.__file__)
    lines = init.read_text(encoding="utf-8").splitlines()
    assert lines.count('__mruntime__ = "1"') == 1
    assert runtime.__version__ == "0.1.0"
    assert (init.parent / "py.typed").read_bytes() == b""
    assert all(hasattr(runtime, name) for name in runtime.__all__)
    optional = {"otel.py", "prometheus.py", "sentry.py", "pytest_plugin.py"}
    for file in (file for file in init.parent.glob("*.py") if file.name not in optional):
        for name in re.findall(r"^\s*(?:from|import) (\S+)", file.read_text(encoding="utf-8"), re.MULTILINE):
            assert name.startswith((".", "_")) or name.split(".")[0] in sys.stdlib_module_names, (file, name)

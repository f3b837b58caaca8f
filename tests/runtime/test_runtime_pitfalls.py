"""The known pitfalls of background work, by number: a small program each, on every Python that is installed."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, NamedTuple

import pytest
from runtime_programs import program, pythons

if TYPE_CHECKING:
    from pathlib import Path

PRELUDE = """
import asyncio, atexit, concurrent.futures, contextvars, faulthandler, gc, json, logging, logging.handlers, os, re
import signal, sys, threading, time, traceback, types, weakref
from mruntime import *
from mruntime import _crash
from mruntime._state import STATE

class Seen(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []
    def emit(self, record):
        self.records.append(record)
    def panics(self):
        return [r.getMessage() for r in self.records if hasattr(r, "panic_source")]

def boom(): raise ValueError("the reason")
async def aboom(): raise ValueError("the reason")
def started(): return sum(metrics()["goroutine_started_total"].values())
def fork():
    pid = os.fork()
    if pid == 0: faulthandler.dump_traceback_later(5, exit=True)
    return pid
def raises(kind, call, *args, **kwargs):
    try: call(*args, **kwargs)
    except kind as exc: return str(exc)
    raise AssertionError("nothing raised")
"""

NOISE = re.compile(
    "never retrieved|never awaited|was destroyed|Fatal Python|Exception in (thread|callback)|Exception ignored"
)


class Pitfall(NamedTuple):
    """A program for a process of its own, and how that must end."""

    id: str
    program: str
    rc: int = 0
    out: str = ""
    """All of its output, or an expression in brackets for it."""
    err: str = r"\A\Z"
    least: tuple[int, int] = (3, 10)


# ---- programs that would end, stop or change the process: each has one to itself -------------------------------

ALONE = [
    Pitfall(
        "02-a-kept-task-is-reported-at-the-raise",
        """
        async def main():
            kept = SafeGo("c", KeepRunning, aboom())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            os._exit(4)
        asyncio.run(main())
        """,
        rc=4,
        err="panic recovered in c/aboom: the reason",
    ),
    Pitfall(
        "05-a-sibling-swallows-cancellation",
        """
        async def stubborn():
            while True:
                try: await asyncio.sleep(60)
                except asyncio.CancelledError: pass
        async def main():
            SafeGo("s", KeepRunning, stubborn())
            await asyncio.sleep(0)
            await SafeGo("c", CrashProcess, aboom())
        asyncio.run(main())
        """,
        rc=70,
        err="crash: panic in c/aboom",
    ),
    Pitfall(
        "06-keyboard-interrupt-in-a-task",
        """
        async def interrupt():
            signal.raise_signal(signal.SIGINT)
            raise KeyboardInterrupt
        async def main():
            SafeGo("ki", CrashProcess, interrupt())
            await asyncio.sleep(60)
        try: asyncio.run(main())
        except KeyboardInterrupt:
            gc.collect()
            print("interrupted")
        """,
        out="interrupted",
    ),
    Pitfall(
        "07-sys-exit-in-a-task",
        """
        logging.basicConfig()
        async def leave(): sys.exit(3)
        async def main():
            SafeGo("leaver", KeepRunning, leave())
            await asyncio.sleep(60)
        asyncio.run(main())
        """,
        rc=3,
        err=r"\AWARNING:mruntime:leaver/leave stops the event loop: SystemExit 3\n\Z",
    ),
    Pitfall(
        "08-sys-exit-in-a-thread",
        """
        for code in (None, 0, 3):
            SafeGo("c", KeepRunning, sys.exit, args=(code,)).join()
        """,
        err=r"\Apanic recovered in c/exit: 3\nTraceback[^\0]*SystemExit: 3\n\Z",
    ),
    Pitfall(
        "13-stop-iteration-from-a-pool-job",
        """
        async def main():
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                loop = asyncio.get_running_loop()
                job = SafeGo("c", KeepRunning, next, args=(iter(()),), loop=loop, executor=pool)
                try: await asyncio.wait_for(job, 5)
                except RuntimeError as exc: print(exc)
        asyncio.run(main())
        """,
        out="next raised StopIteration",
        err="panic recovered in c/next",
    ),
    Pitfall(
        "15-a-daemon-thread-is-printing-as-the-process-ends",
        """
        printing = threading.Event()
        def chatter():
            while True:
                print("x" * 80)
                printing.set()
        SafeGo("chatter", KeepRunning, chatter, daemon=True)
        printing.wait()
        SafeGo("c", CrashProcess, boom).join()
        """,
        rc=70,
        out=r"([x\n]+)",
        err="crash: panic in c/boom",
    ),
    Pitfall(
        "14-shutdown-lets-a-daemon-thread-end",
        """
        ready = threading.Event()
        def work(ctx):
            ready.set()
            try: ctx.done().wait()
            finally: print("finally")
        SafeGoWithContextAndComponent(root(), "c", KeepRunning, work, daemon=True)
        ready.wait()
        assert shutdown(10).clean
        """,
        out="finally",
    ),
    Pitfall(
        "15b-a-thread-holds-stdout-in-a-full-pipe",
        """
        _crash.BUDGET = 0.4
        unread, full = os.pipe()
        sys.stdout = open(full, "w")
        os.set_blocking(full, False)
        try:
            while True: os.write(full, b"x" * 4096)
        except BlockingIOError: pass
        os.set_blocking(full, True)
        flushing = threading.Event()
        def flush():
            print("kept back")
            flushing.set()
            sys.stdout.flush()
        SafeGo("flush", KeepRunning, flush, daemon=True)
        flushing.wait()
        SafeGo("c", CrashProcess, boom).join()
        """,
        rc=70,
        err="crash: panic in c/boom",
    ),
    Pitfall(
        "16-main-dies-a-daemon-does-not-keep-the-process",
        """
        SafeGo("c", KeepRunning, time.sleep, args=(60,), daemon=True)
        boom()
        """,
        rc=1,
        err="^ValueError: the reason",
    ),
    Pitfall(
        "19-fork-while-another-thread-holds-the-lock",
        """
        holding, gate = threading.Event(), threading.Event()
        def hold():
            with STATE.lock:
                holding.set()
                gate.wait()
        threading.Thread(target=hold).start()
        holding.wait()
        pid = fork()
        if pid == 0:
            SafeGo("child", KeepRunning, print, args=("in the child",)).join()
            ctx, cancel = with_cancel(background())
            cancel()
            sys.stdout.flush()
            os._exit(7 if ctx.err() else 8)
        gate.set()
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """,
        out="in the child\n7",
        err="",
    ),
    Pitfall(
        "20-fork-copies-a-wait-group",
        """
        group, gate = WaitGroup(), threading.Event()
        group.go("parent", KeepRunning, gate.wait)
        pid = fork()
        if pid == 0:
            os._exit(7 if group.wait(5) else 8)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), group.wait(0))
        gate.set()
        print(group.wait(5))
        """,
        out="7 False\nTrue",
        err="",
    ),
    Pitfall(
        "21-what-was-logged-and-printed-before-a-crash-is-kept",
        """
        console = logging.StreamHandler(sys.stdout)
        logging.getLogger().addHandler(logging.handlers.MemoryHandler(100, logging.CRITICAL + 1, console))
        logging.warning("before")
        print("printed")
        SafeGo("c", CrashProcess, boom).join()
        """,
        rc=70,
        out=r"(?s:printed\nbefore\npanic recovered in c/boom: the reason\nTraceback.*ValueError: the reason)",
        err="crash: panic in c/boom",
    ),
    Pitfall(
        "22-main-catches-everything",
        """
        SafeGo("c", CrashProcess, boom)
        while True:
            try: time.sleep(60)
            except BaseException: pass
        """,
        rc=70,
        err="crash: panic in c/boom",
    ),
    Pitfall(
        "23-sigterm-is-ignored",
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("printed")
        SafeGo("c", CrashProcess, boom).join()
        time.sleep(60)
        """,
        rc=70,
        out="printed",
        err="crash: panic in c/boom",
    ),
    Pitfall(
        "31-shutdown-says-what-the-end-of-the-loop-would-cut",
        """
        logging.basicConfig(format="%(message)s")
        async def main():
            SafeGo("c", KeepRunning, asyncio.sleep(60), name="work")
            await asyncio.sleep(0)
            print(await shutdown_async(0.01))
        asyncio.run(main())
        """,
        out=r"shutdown: 0 finished, 1 cancelled (c/work)",
        err=r"\Ashutdown: unfinished after 0.01 s: task c/work at ",
    ),
    Pitfall(
        "33-no-signal-handler-hook-or-thread-unasked",
        """
        def settings():
            return ([signal.getsignal(n) for n in signal.valid_signals()], sys.excepthook, threading.excepthook,
                    sys.unraisablehook, threading.active_count(), asyncio.get_event_loop_policy().__class__)
        package = _crash.__name__.split(".")[0]
        for name in [name for name in sys.modules if name.split(".")[0] == package]: del sys.modules[name]
        before, registered = settings(), atexit._ncallbacks()
        def fresh():
            from mruntime import KeepRunning, SafeGo
            SafeGo("c", KeepRunning, print, args=("ran",)).join()
        first = threading.Thread(target=fresh)
        first.start()
        first.join()
        assert settings() == before
        assert atexit._ncallbacks() == registered
        """,
        out="ran",
    ),
    Pitfall(
        "34-a-signal-handler-spawns-while-the-lock-is-held",
        """
        group = WaitGroup()
        ctx, cancel = with_cancel(background())
        def handler(*_):
            group.go("h", KeepRunning, print, args=("spawned",))
            cancel()
            metrics()
        signal.signal(signal.SIGUSR1, handler)
        with STATE.lock: signal.raise_signal(signal.SIGUSR1)
        print(group.wait(5), bool(ctx.err()))
        """,
        out="spawned\nTrue True",
    ),
    Pitfall(
        "35-in-a-sub-interpreter",
        """
        try: import _interpreters as interpreters
        except ImportError: import _xxsubinterpreters as interpreters
        error = interpreters.run_string(interpreters.create(), f"import sys; sys.path[:] = {sys.path!r}" + '''
        import asyncio, os
        from mruntime import *
        say = lambda *what: os.write(1, (" ".join(map(str, what)) + chr(10)).encode())
        for daemon in False, True:
            try: SafeGo("c", KeepRunning, say, args=("ran",), daemon=daemon).join()
            except RuntimeError as exc: say(exc)
        async def main(): return await SafeGo("c", KeepRunning, asyncio.sleep(0, "awaited"))
        say(asyncio.run(main()), metrics()["goroutine_started_total"])
        with RecoverAndCrash("sub"): 1 / 0
        '''.replace("\\n        ", "\\n"))
        print(error)
        """,
        rc=70,
        out=r"((c: this sub-interpreter allows no threads; start it in the main one\n){2}awaited \{'c': 1\}"
        r"|ran\ndaemon threads are disabled in this \(sub\)interpreter\nawaited \{'c': 2\})",
        err="crash: panic in /sub: ZeroDivisionError: division by zero; exit status 70\npanic recovered in /sub",
    ),
    Pitfall(
        "41-a-panic-at-the-bottom-of-the-stack",
        """
        def deep(): deep()
        thread = SafeGo("c", KeepRunning, deep)
        thread.join()
        async def adeep(): await adeep()
        async def main():
            await asyncio.wait([SafeGo("c", KeepRunning, adeep())])
        asyncio.run(main())
        print(0 < len(thread.panic.stack) <= 4096, metrics()["goroutine_panics_total"])
        """,
        out="True {'c': 2}",
        err=r"panic recovered in c/deep: max[^\0]*panic recovered in c/adeep: max",
    ),
    Pitfall(
        "43-a-log-handler-raises",
        """
        class Bad(logging.Handler):
            def emit(self, record): raise errors.pop(0)
        errors = [OSError("no space"), SystemExit(1), OSError("no space")]
        logging.getLogger().addHandler(Bad())
        for _ in range(2):
            thread = SafeGo("c", KeepRunning, boom)
            thread.join()
            print(thread.panic.value)
        SafeGo("d", CrashProcess, boom).join()
        """,
        rc=70,
        out="the reason\nthe reason",
        err=r"\Amruntime: panic recovered in c/boom: the reason \[ValueError; not logged: logging raised OSError\]\n"
        r"mruntime: panic recovered in c/boom: the reason \[ValueError; not logged: logging raised SystemExit\]\n"
        r".*crash: panic in d/boom.*\n.*panic recovered in d/boom: the reason.*\n\Z",
    ),
    Pitfall(
        "43-a-log-handler-recurses",
        """
        class Again(logging.Handler):
            def emit(self, record):
                print("emit")
                handle_panic_value(ValueError("inner"), component="h", name="emit")
        logging.getLogger().addHandler(Again())
        SafeGo("c", KeepRunning, boom).join()
        """,
        out="emit",
        err=r"\Amruntime: panic recovered in h/emit: inner .*\n\Z",
    ),
    Pitfall(
        "53-no-thread-can-be-started",
        """
        import resource
        group = WaitGroup()
        threading.stack_size(1 << 30)
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, resource.RLIM_INFINITY))
        print(raises(RuntimeError, group.go, "c", KeepRunning, boom))
        assert group.wait(0) and not STATE.threads and not started()
        never = SafeTimer("c", KeepRunning, 0, boom)
        raises(RuntimeError, never.start)
        assert not STATE.threads and "run" not in never.__dict__
        threading.stack_size(1 << 20)
        timer = SafeTimer("c", KeepRunning, 0, boom)
        timer.start()
        timer.join()
        print(timer.panic.value)
        threading.stack_size(1 << 30)
        with RecoverAndCrash("main"): boom()
        """,
        rc=70,
        out="can't start new thread\nthe reason",
        err="crash: panic in /main: ValueError: the reason; exit status 70\npanic recovered in /main",
    ),
    Pitfall(
        "53-no-thread-for-a-crash-and-a-log-handler-blocks",
        """
        import resource
        class Stuck(logging.Handler):
            def emit(self, record): time.sleep(60)
        logging.getLogger().addHandler(Stuck())
        threading.stack_size(1 << 30)
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, resource.RLIM_INFINITY))
        _crash.BUDGET = -0.9
        with RecoverAndCrash("main"): boom()
        """,
        rc=-14,
        err="crash: panic in /main",
    ),
    Pitfall(
        "54-spawn-while-python-shuts-down",
        """
        import builtins
        group = WaitGroup()
        class Late:
            def __init__(self, say): self.say = say
            def __del__(self, write=os.write, go=group.go, start=SafeThread("late", KeepRunning).start):
                for call in lambda: go("late", KeepRunning, print), start:
                    try: call()
                    except RuntimeError: write(1, self.say)
                if not group._count: write(1, self.say)
        builtins.late = Late(b"refused\\n")
        def early():
            try: SafeGo("early", KeepRunning, os.write, args=(1, b"early\\n")).join()
            except RuntimeError: os.write(1, b"early\\n")
        atexit.register(early)
        """,
        out="early\nrefused\nrefused\nrefused",
    ),
    Pitfall(
        "54-crash-while-python-shuts-down",
        """
        import builtins
        class Late:
            def __del__(self):
                with RecoverAndCrash("late"): boom()
        builtins.late = Late()
        """,
        rc=70,
        err="crash: panic in /late: ValueError: the reason; exit status 70\npanic recovered in /late: the reason",
    ),
    Pitfall(
        "79-shutdown-at-exit-ends-a-daemon-thread",
        """
        SafeGoWithContextAndComponent(root(), "c", KeepRunning, lambda ctx: ctx.done().wait(), daemon=True)
        atexit.register(lambda: print(shutdown(10)))
        """,
        out="shutdown: 1 finished",
    ),
    Pitfall(
        "62-logging-shutdown-cannot-get-a-handlers-lock",
        """
        _crash.BUDGET = 0.6
        handler = logging.StreamHandler(sys.stdout)
        logging.getLogger("other").addHandler(handler)
        holding = threading.Event()
        def hold():
            with handler.lock:
                holding.set()
                time.sleep(60)
        SafeGo("hold", KeepRunning, hold)
        holding.wait()
        SafeGo("c", CrashProcess, boom).join()
        """,
        rc=70,
        err="crash: panic in c/boom[^\0]*panic recovered in c/boom: the reason",
    ),
    Pitfall(
        "63-a-queue-listener-is-stopped-before-the-end",
        """
        import queue
        records = queue.Queue()
        logging.getLogger().addHandler(logging.handlers.QueueHandler(records))
        class Slow(logging.StreamHandler):
            def emit(self, record):
                crashing.wait()
                super().emit(record)
        crashing = threading.Event()
        listener = logging.handlers.QueueListener(records, Slow(sys.stdout))
        listener.start()
        on_crash(lambda: (crashing.set(), listener.stop()))
        logging.warning("one")
        logging.warning("two")
        SafeGo("c", CrashProcess, boom).join()
        """,
        rc=70,
        out=r"(?s:one\ntwo\npanic recovered in c/boom: the reason\nTraceback.*ValueError: the reason)",
        err="crash: panic in c/boom",
    ),
    Pitfall(
        "64-system-exit-of-a-task-and-a-sibling-that-stays",
        """
        async def stubborn():
            while True:
                try: await asyncio.sleep(60)
                except asyncio.CancelledError: pass
        async def leave(): sys.exit(5)
        async def main():
            SafeGo("s", KeepRunning, stubborn())
            SafeGo("c", CrashProcess, leave())
            await asyncio.sleep(60)
        asyncio.run(main())
        """,
        rc=5,
        err="crash: panic in c/leave: SystemExit: 5; exit status 5",
    ),
    Pitfall(
        "65-a-non-daemon-thread-is-busy",
        """
        threading.Thread(target=time.sleep, args=(60,)).start()
        SafeGo("c", CrashProcess, boom)
        """,
        rc=70,
        err="crash: panic in c/boom",
    ),
    Pitfall(
        "68-asyncio-run-does-not-wait-for-a-stuck-job",
        """
        async def main():
            SafeGo("c", KeepRunning, time.sleep, args=(60,), daemon=True)
        asyncio.run(main())
        print("ended")
        """,
        out="ended",
    ),
    Pitfall(
        "70-ctrl-c-is-no-panic",
        """
        async def main():
            SafeGo("c", CrashProcess, asyncio.sleep(60))
            await asyncio.sleep(0)
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)
        try: asyncio.run(main())
        except KeyboardInterrupt: print("interrupted", metrics()["goroutine_panics_total"])
        """,
        out="interrupted {}",
    ),
    Pitfall(
        "71-memory-is-free-again-before-the-report",
        """
        import resource
        class Greedy(logging.Handler):
            def emit(self, record): print(record.panic_type, len(bytearray(200 << 20)) >> 20)
        logging.getLogger().addHandler(Greedy())
        pages = int(open("/proc/self/statm").read().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (384 << 20), resource.RLIM_INFINITY))
        def hoard():
            kept = []
            while True: kept.append(bytearray(64 << 20))
        SafeGo("c", KeepRunning, hoard).join()
        async def ahoard(): hoard()
        async def main(): await asyncio.wait([SafeGo("c", KeepRunning, ahoard())])
        asyncio.run(main())
        """,
        out="MemoryError 200\nMemoryError 200",
    ),
    Pitfall(
        "77-a-thread-fails-after-main-has-ended",
        """
        def late():
            threading.main_thread().join()
            boom()
        SafeGo("c", KeepRunning, late, daemon=False)
        """,
        err="panic recovered in c/late: the reason",
    ),
    Pitfall(
        "85-two-threads-crash-at-once",
        """
        go = threading.Event()
        def second():
            go.wait()
            sys.exit(9)
        SafeGo("c", CrashProcess, second)
        on_crash(lambda: (print("hook"), go.set(), time.sleep(0.2)))
        SafeGo("c", CrashProcess, boom).join()
        """,
        rc=70,
        out="hook",
        err=r"\A.*crash: panic in c/boom.*\npanic recovered in c/boom: the reason\nTraceback"
        r"((?!crash:|panic recovered)[^\0])*\Z",
    ),
    Pitfall(
        "86-the-gil-is-never-given-back",
        """
        _crash.BUDGET = 0.4
        class Hog(logging.Handler):
            def emit(self, record): re.match(r"(a+)+$", "a" * 64 + "b")
        logging.getLogger().addHandler(Hog())
        SafeGo("c", CrashProcess, boom).join()
        """,
        rc=1,
        err=r"crash: panic in c/boom[^\0]*Timeout",
    ),
    Pitfall(
        "88-fork-in-a-running-loop",
        """
        async def main():
            SafeGo("parent", KeepRunning, asyncio.sleep(60))
            await asyncio.sleep(0)
            pid = fork()
            if pid == 0:
                assert not STATE.tasks
                raises(RuntimeError, SafeGo, "child", KeepRunning, aboom())
                async def child(): return await SafeGo("child", KeepRunning, asyncio.sleep(0, 7))
                os._exit(asyncio.new_event_loop().run_until_complete(child()))
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        asyncio.run(main())
        """,
        out="7",
        err="",
    ),
    Pitfall(
        "92-a-child-has-no-threads-of-its-parent",
        """
        gate = threading.Event()
        SafeGo("parent", KeepRunning, gate.wait)
        STATE.crash_lock.acquire()
        pid = fork()
        if pid == 0:
            known = list(STATE.threads)
            SafeGo("child", CrashProcess, boom if not known else print).join()
            os._exit(8)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), len(STATE.threads))
        gate.set()
        """,
        out="70 1",
        err="crash: panic in c",
    ),
    Pitfall(
        "P1-a-log-handler-blocks",
        """
        _crash.BUDGET = 0.4
        class Stuck(logging.Handler):
            def emit(self, record): time.sleep(60)
        logging.getLogger().addHandler(Stuck())
        SafeGo("c", CrashProcess, boom).join()
        """,
        rc=70,
        err="crash: panic in c/boom",
    ),
]


# ---- programs that leave the process as it was: all of them in one, each as the body of a function --------------

TOGETHER = [
    Pitfall(
        "01-27-a-task-that-nothing-refers-to",
        """
        async def stuck(): await asyncio.get_running_loop().create_future()
        async def main():
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
            bare = weakref.ref(asyncio.ensure_future(stuck()))
            safe = weakref.ref(SafeGo("c", KeepRunning, stuck()))
            await asyncio.sleep(0)
            gc.collect()
            assert bare() is None and safe() is not None
            safe().cancel()
            await asyncio.wait([safe()])
        asyncio.run(main())
        """,
    ),
    Pitfall(
        "11-generator-exit-in-a-task",
        """
        async def leave(): raise GeneratorExit
        async def main():
            task = SafeGo("c", KeepRunning, leave())
            await asyncio.wait([task])
            assert type(task.exception()) is GeneratorExit
        asyncio.run(main())
        assert not seen.records
        """,
    ),
    Pitfall(
        "12-stop-iteration-never-reaches-a-future",
        """
        async def stop(): raise StopIteration
        async def main():
            loop = asyncio.get_running_loop()
            held = SafeGo("c", KeepRunning, stop())
            await asyncio.wait([held])
            def other():
                future = SafeGo("c", KeepRunning, stop(), loop=loop)
                return raises(RuntimeError, future.result, 5)
            thread = SafeGo("c", KeepRunning, other)
            while thread.is_alive(): await asyncio.sleep(0.001)
            assert type(held.exception()) is RuntimeError
            assert thread.result == str(held.exception()), thread.panic
        asyncio.run(main())
        assert len(seen.panics()) == 2
        """,
    ),
    Pitfall(
        "18-one-context-copy-for-each-spawn",
        """
        gate = threading.Barrier(3)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            ways = {}, {}, {"executor": pool}
            jobs = [SafeGo("c", KeepRunning, gate.wait, args=(5,), **options) for options in ways]
        for thread in jobs[:2]: thread.join()
        assert sorted([jobs[0].result, jobs[1].result, jobs[2].result()]) == [0, 1, 2]
        """,
    ),
    Pitfall(
        "18-a-context-that-is-entered-already-is-a-panic",
        """
        context, ran = contextvars.copy_context(), []
        inside, gate = threading.Event(), threading.Event()
        first = SafeGo("c", KeepRunning, lambda: (inside.set(), gate.wait()), context=context)
        inside.wait()
        second = SafeGo("c", KeepRunning, ran.append, args=(1,), context=context)
        second.join()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            third = SafeGo("c", KeepRunning, ran.append, args=(1,), context=context, executor=pool)
        assert "already entered" in str(third.exception())
        gate.set()
        first.join()
        assert not ran and "already entered" in second.panic.value
        assert len(seen.panics()) == 2, seen.panics()
        """,
    ),
    Pitfall(
        "28-exception-groups-are-judged-by-their-leaves",
        """
        async def fail(exc): raise exc
        async def main(*leaves):
            task = SafeGo("c", KeepRunning, fail(BaseExceptionGroup("", [BaseExceptionGroup("", leaves)])))
            await asyncio.wait([task])
        asyncio.run(main(asyncio.CancelledError(), concurrent.futures.CancelledError()))
        asyncio.run(main(KeyboardInterrupt()))
        assert not seen.panics()
        asyncio.run(main(KeyboardInterrupt(), ValueError()))
        asyncio.run(main(asyncio.CancelledError(), ValueError()))
        assert len(seen.panics()) == 2
        def interrupt(): raise BaseExceptionGroup("", [KeyboardInterrupt()])
        SafeGo("c", KeepRunning, interrupt).join()
        assert len(seen.panics()) == 3
        """,
        least=(3, 11),
    ),
    Pitfall(
        "29-eager-tasks",
        """
        async def now(x): return x
        async def later(x): return await asyncio.sleep(0, x)
        async def leave(): sys.exit(3)
        async def main():
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
            task = SafeGo("c", KeepRunning, now(2))
            assert task.done() and task.result() == 2
            failed = SafeGo("c", KeepRunning, aboom())
            assert failed.done() and seen.panics() == ["panic recovered in c/aboom: the reason"]
            slow = SafeGo("c", KeepRunning, later(3))
            assert list(STATE.tasks) == [slow]
            assert await slow == 3
            before = started()
            raises(SystemExit, SafeGo, "c", KeepRunning, leave())
            assert not STATE.tasks
        asyncio.run(main())
        """,
        least=(3, 12),
    ),
    Pitfall(
        "31b-cancelled-before-the-first-step",
        """
        async def main():
            inner = aboom()
            task = SafeGo("c", KeepRunning, inner)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() and inner.cr_frame is None
        asyncio.run(main())
        gc.collect()
        assert not seen.records
        """,
    ),
    Pitfall(
        "42-an-exception-that-cannot-be-printed",
        """
        class Unprintable(Exception):
            def __str__(self): raise KeyError
            __repr__ = __str__
        def fail(): raise Unprintable
        thread = SafeGo("c", KeepRunning, fail, name="fail")
        thread.join()
        assert seen.panics() == ["panic recovered in c/fail: <unprintable Unprintable>"] and thread.panic.stack
        """,
    ),
    Pitfall(
        "49-few-frames-and-no-locals",
        """
        scope = {"boom": boom}
        for name, other in "ab", "ba":
            scope[name] = eval(compile(f"lambda n, kept: {other}(n - 1, kept) if n else boom()", name, "eval"), scope)
        thread = SafeGo("c", KeepRunning, scope["a"], args=(500, "the " + "secret"))
        thread.join()
        (record,) = seen.records
        assert record.stack_trace == thread.panic.stack and len(record.stack_trace) <= 4096
        assert record.stack_trace.count("in <lambda>") == 63
        assert record.stack_trace.rstrip().endswith("Error: the reason")
        assert "the secret" not in record.stack_trace and record.exc_info is None
        """,
    ),
    Pitfall(
        "50-locals-of-a-failed-thread",
        """
        class Big: pass
        def fail(given):
            local = Big()
            refs.append(weakref.ref(local))
            boom()
        refs, big = [], Big()
        refs.append(weakref.ref(big))
        gc.disable()
        thread = SafeGo("c", KeepRunning, fail, args=(big,))
        del big
        thread.join()
        left = [ref() for ref in refs]
        gc.enable()
        assert thread.panic and left == [None, None], left
        """,
    ),
    Pitfall(
        "51-locals-of-a-finished-task",
        """
        class Big: pass
        async def hold(thing): await asyncio.sleep(0)
        async def main():
            big = Big()
            ref = weakref.ref(big)
            await SafeGo("c", KeepRunning, hold(big))
            del big
            await asyncio.sleep(0)
            return ref()
        gc.disable()
        left = asyncio.run(main())
        gc.enable()
        assert left is None
        """,
    ),
    Pitfall(
        "52-arguments-instead-of-a-closure-in-a-loop",
        """
        got, gate = [], threading.Event()
        threads = [SafeGo("c", KeepRunning, lambda n: gate.wait(5) and got.append(n), args=(n,)) for n in range(3)]
        gate.set()
        for thread in threads: thread.join()
        assert sorted(got) == [0, 1, 2]
        """,
    ),
    Pitfall(
        "58-the-second-error-of-a-gather",
        """
        async def main():
            await asyncio.gather(*(SafeGo("c", KeepRunning, aboom()) for _ in range(2)), return_exceptions=False)
        raises(ValueError, asyncio.run, main())
        assert len(seen.panics()) == 2
        """,
    ),
    Pitfall(
        "59-a-done-callback-raises",
        """
        async def main():
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: caught.append(context["exception"]))
            group = WaitGroup()
            task = group.go("c", KeepRunning, asyncio.sleep(0))
            task.add_done_callback(lambda _: 1 / 0)
            assert await group.wait_async(5)
            await task
            await asyncio.sleep(0)
            assert not STATE.tasks
        caught = []
        asyncio.run(main())
        assert [type(exc) for exc in caught] == [ZeroDivisionError]
        """,
    ),
    Pitfall(
        "60-the-loops-handler-and-factory-are-left-alone",
        """
        async def main():
            await asyncio.wait([SafeGo("c", KeepRunning, aboom())])
            loop = asyncio.get_running_loop()
            assert loop.get_exception_handler() is None and loop.get_task_factory() is None
        asyncio.run(main())
        """,
    ),
    Pitfall(
        "36-the-registry-is-read-while-others-change-it",
        """
        from mruntime._shutdown import working
        stop, errors = threading.Event(), []
        def read():
            try:
                while not stop.is_set(): working(), metrics()
            except RuntimeError as error: errors.append(error)
        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers: reader.start()
        group = WaitGroup()
        for _ in range(300): group.go("c", KeepRunning, int)
        async def main(): await asyncio.gather(*(SafeGo("c", KeepRunning, asyncio.sleep(0)) for _ in range(2000)))
        asyncio.run(main())
        assert group.wait(10)
        stop.set()
        for reader in readers: reader.join()
        assert not errors
        """,
    ),
    Pitfall(
        "61-a-task-group-hears-of-the-failure",
        """
        async def main():
            async with asyncio.TaskGroup() as group:
                group.create_task(guarded(component="c")(aboom)())
        raises(ExceptionGroup, asyncio.run, main())
        assert seen.panics() == ["panic recovered in c/aboom: the reason"]
        """,
        least=(3, 11),
    ),
    Pitfall(
        "67-two-kinds-of-cancelled-and-of-timeout",
        """
        ctx, cancel = with_cancel(background())
        cancel()
        def fail(ctx, kind): raise kind
        for kind in (asyncio.CancelledError, concurrent.futures.CancelledError):
            SafeGoWithContextAndComponent(ctx, "c", KeepRunning, fail, args=(kind,)).join()
        assert not seen.panics()
        for kind in (asyncio.CancelledError, concurrent.futures.CancelledError):
            SafeGoWithContextAndComponent(background(), "c", KeepRunning, fail, args=(kind,)).join()
        assert len(seen.panics()) == 2
        assert issubclass(DeadlineExceeded, TimeoutError) and not issubclass(Canceled, TimeoutError)
        """,
    ),
    Pitfall(
        "80-no-reserved-name-in-the-record",
        """
        def fail(): raise ValueError("v")
        thread = SafeGo("c", KeepRunning, fail, name="n")
        thread.join()
        (record,) = seen.records
        assert (record.name, record.thread) == ("mruntime", thread.ident)
        assert (record.panic_source, record.panic_value) == ("n", "v")
        plain = set(logging.makeLogRecord({}).__dict__) | {"taskName", "message", "asctime"}
        assert all(name.startswith("panic_") for name in set(record.__dict__) - plain - {"stack_trace"})
        """,
    ),
    Pitfall(
        "82-a-blocking-wait-on-the-thread-of-the-loop",
        """
        async def main():
            group, (ctx, cancel) = WaitGroup(), with_cancel(background())
            group.add()
            assert "await wait_async" in raises(RuntimeError, group.wait, 60)
            assert "await ctx.done" in raises(RuntimeError, ctx.done().wait, 60)
        asyncio.run(main())
        """,
    ),
    Pitfall(
        "84-a-task-factory-of-two-parameters",
        """
        async def main():
            loop = asyncio.get_running_loop()
            loop.set_task_factory(lambda loop, coro: asyncio.Task(coro, loop=loop))
            assert await SafeGo("c", KeepRunning, asyncio.sleep(0, 1)) == 1
            task = SafeGo("c", KeepRunning, asyncio.sleep(0, 2), name="named")
            assert task.get_name() == "named" and await task == 2
            before = started()
            try: await SafeGo("c", KeepRunning, asyncio.sleep(0), context=contextvars.copy_context())
            except TypeError: assert sys.version_info >= (3, 11) and started() == before
            assert not STATE.tasks
        asyncio.run(main())
        """,
    ),
    Pitfall(
        "90-an-error-behind-a-cancelled-shield",
        """
        async def main():
            async def fail_later():
                await go_on.wait()
                boom()
            go_on = asyncio.Event()
            inner = SafeGo("c", KeepRunning, fail_later(), name="inner")
            outer = asyncio.ensure_future(asyncio.shield(inner))
            await asyncio.sleep(0)
            outer.cancel()
            await asyncio.wait([outer])
            go_on.set()
            await asyncio.wait([inner])
            assert seen.panics() == ["panic recovered in c/inner: the reason"]
        asyncio.run(main())
        """,
    ),
    Pitfall(
        "91-an-entry-that-a-ctrl-c-left-behind-is-dropped",
        """
        from mruntime._shutdown import working
        async def main():
            task = SafeGo("c", KeepRunning, asyncio.sleep(0))
            record = STATE.tasks[task]
            await task
            STATE.tasks[task] = record
        asyncio.run(main())
        thread = SafeGo("c", KeepRunning, int)
        thread.join()
        STATE.threads[thread] = None
        assert not working() and not STATE.tasks
        del STATE.threads[thread]
        """,
    ),
    Pitfall(
        "94-the-coroutines-name-is-seen",
        """
        async def main():
            task = SafeGo("c", KeepRunning, aboom())
            assert "coro=<aboom()" in repr(task), task
            await asyncio.wait([task])
        asyncio.run(main())
        """,
    ),
]

RUNNER = """
import warnings
warnings.simplefilter('always')
def run(name, program):
    faulthandler.dump_traceback_later(10, exit=True)
    seen, noise = Seen(), []
    root = logging.getLogger()
    root.addHandler(seen)
    root.setLevel(logging.INFO)
    threading.excepthook = sys.unraisablehook = lambda args: noise.append(args)
    warnings.showwarning = lambda *args, **_: noise.append(args)
    try:
        program(seen)
        gc.collect()
        bad = [r.getMessage() for r in seen.records if r.name == "asyncio"]
        assert not noise and not bad and not STATE.tasks and not STATE.threads, (noise, bad, STATE.tasks, STATE.threads)
        why = ""
    except BaseException:
        why = traceback.format_exc()
    root.removeHandler(seen)
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps([name, why]), flush=True)
"""


def _cases(pitfalls: list[Pitfall]) -> list[object]:
    return [
        pytest.param(pitfall, version, id=f"{pitfall.id}-{version}")
        for pitfall in pitfalls
        for version in pythons()
        if tuple(map(int, version.split("."))) >= pitfall.least
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="the programs need fork, signals, limits and pipes as on Linux")
@pytest.mark.parametrize(("pitfall", "version"), _cases(ALONE))
def test_pitfall(run_python, pitfall, version):
    done = run_python(PRELUDE + textwrap.dedent(pitfall.program), python=pythons()[version])
    assert done.returncode == pitfall.rc, done
    if pitfall.out.startswith("("):
        assert re.fullmatch(pitfall.out, done.stdout.strip()), done
    else:
        assert done.stdout.strip() == pitfall.out, done
    assert re.search(pitfall.err, done.stderr, re.MULTILINE), done.stderr
    assert not NOISE.search(done.stderr), done.stderr


@functools.cache
def _run_together(version: str, where: Path) -> dict[str, str]:
    here = tuple(map(int, version.split(".")))
    texts = [PRELUDE, RUNNER]
    for n, pitfall in enumerate(pitfall for pitfall in TOGETHER if here >= pitfall.least):
        texts.append(f"def program_{n}(seen):\n{textwrap.indent(textwrap.dedent(pitfall.program), '    ')}\n")
        texts.append(f"run({pitfall.id!r}, program_{n})\n")
    script, env = program(where, "".join(texts))
    done = subprocess.run(
        [pythons()[version], script], capture_output=True, text=True, timeout=60, env=env, cwd=where, check=False
    )
    found: dict[str, str] = dict(map(json.loads, done.stdout.splitlines()))
    for pitfall in TOGETHER:
        found.setdefault(pitfall.id, f"the process ended before: {done.stderr}")
    return found


@pytest.mark.parametrize(("pitfall", "version"), _cases(TOGETHER))
def test_pitfall_in_process(tmp_path_factory, pitfall, version):
    why = _run_together(version, tmp_path_factory.getbasetemp())[pitfall.id]
    assert not why, why


@pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="needs uvloop")
@pytest.mark.parametrize(("policy", "rc"), [("KeepRunning", 5), ("CrashProcess", 9)])
def test_pitfall_30_uvloop(run_python, policy, rc):
    done = run_python(
        PRELUDE
        + f"""
import uvloop
logging.basicConfig(format="%(message)s")
async def leave(): sys.exit({rc})
async def wait(ctx): await ctx.done()
async def main():
    loop = asyncio.get_running_loop()
    assert type(loop) is uvloop.Loop
    failed = SafeGo("c", KeepRunning, aboom())
    await asyncio.wait([failed])
    group, (ctx, cancel) = WaitGroup(), with_cancel(background())
    task = SafeGoWithContextAndComponent(ctx, "c", KeepRunning, asyncio.sleep(60))
    waiter = SafeGoWithContextAndComponent(ctx, "c", KeepRunning, wait)
    group.go("c", KeepRunning, cancel)
    await asyncio.wait([task, waiter])
    assert task.cancelled() and not waiter.cancelled() and await group.wait_async(5)
    job = group.go("c", KeepRunning, lambda: SafeGo("c", KeepRunning, aboom(), loop=loop).exception(5))
    assert await group.wait_async(5) and type(job.result) is ValueError
    never = SafeGo("c", KeepRunning, aboom())
    never.cancel()
    await asyncio.wait([never])
    assert not STATE.tasks
    print("ran")
    SafeGo("c", {policy}, leave())
    await asyncio.sleep(60)
try: uvloop.run(main())
finally: gc.collect()
"""
    )
    assert (done.returncode, done.stdout) == (rc, "ran\n"), done.stderr
    assert done.stderr.count("panic recovered in c/aboom: the reason") == 2
    assert ("c/leave stops the event loop" if policy == "KeepRunning" else "crash: panic in c/leave") in done.stderr
    assert not NOISE.search(done.stderr), done.stderr

"""The invariants that hold for every way to spawn."""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import contextvars
import functools
import gc
import logging
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import pytest

import panicguard.mruntime as runtime
from panicguard.mruntime import (
    Canceled,
    CrashProcess,
    KeepRunning,
    RecoverAndLog,
    RecoverWithPolicy,
    SafeGo,
    SafeGoWithContext,
    SafeGoWithContextAndComponent,
    SafeThread,
    SafeTimer,
    WaitGroup,
    background,
    current_context,
    guarded,
    handle_panic_value,
    metrics,
    with_cancel,
)
from panicguard.mruntime._state import STATE

VAR: contextvars.ContextVar[str] = contextvars.ContextVar("VAR", default="unset")

TASKS = ("coroutine", "async callable", "another loop", "observed")
THREADS = ("thread", "pool", "loop's pool")
OWN_CLASSES = ("SafeThread", "SafeTimer", "run")


class Tools(NamedTuple):
    loop: asyncio.AbstractEventLoop
    pool: concurrent.futures.Executor


@pytest.fixture
def tools(other_loop):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield Tools(other_loop, pool)


def spawn(kind, component, body, tools, policy=KeepRunning, **options):
    """Spawn `body`, made async where it must be, in one of the ways; what that returns."""

    async def later():
        await asyncio.sleep(0)
        return body()

    class Running(SafeThread):
        def run(self):
            body()

    if kind in OWN_CLASSES:
        thread = {
            "SafeThread": lambda: SafeThread(component, policy, target=body),
            "SafeTimer": lambda: SafeTimer(component, policy, 0, body),
            "run": lambda: Running(component, policy),
        }[kind]()
        thread.start()
        return thread
    go = functools.partial(SafeGo, component, policy)
    if kind == "coroutine":
        return go(later(), **options)
    if kind == "async callable":
        return go(later, **options)
    if kind == "another loop":
        return go(later, loop=tools.loop, **options)
    if kind == "observed":
        return go(asyncio.ensure_future(later()))
    if kind == "thread":
        return go(body, **options)
    if kind == "pool":
        return go(body, executor=tools.pool, **options)
    assert kind == "loop's pool"
    return go(body, loop=asyncio.get_running_loop(), **options)


async def ended(handle):
    """Wait until it has ended, without asking how; then as the task, thread or future it is."""
    loop = asyncio.get_running_loop()
    if asyncio.isfuture(handle):
        await asyncio.wait([handle], timeout=5)
        return handle.done()
    if isinstance(handle, threading.Thread):
        await loop.run_in_executor(None, handle.join, 5)
        return not handle.is_alive()
    await loop.run_in_executor(None, concurrent.futures.wait, [handle], 5)
    return handle.done()


def outcome(handle):
    """What it returned, or the exception; of a thread's exception the type's name."""
    if isinstance(handle, threading.Thread):
        return handle.result if handle.panic is None else handle.panic.type
    return handle.exception() or handle.result()


def boom():
    raise ValueError("boom")


@pytest.fixture
def hooks(monkeypatch):
    """What Python prints of an exception that nobody handled."""
    called: list[object] = []
    for place, name in ((threading, "excepthook"), (sys, "unraisablehook"), (sys, "excepthook")):
        monkeypatch.setattr(place, name, called.append)
    yield called
    gc.collect()
    assert not called


@pytest.mark.usefixtures("hooks")
@pytest.mark.parametrize("again", ["", "guarded", "waited for", "raised by name", "handled"])
@pytest.mark.parametrize("kind", [*TASKS, *THREADS, *OWN_CLASSES])
def test_invariant_02_exactly_one_log_record_per_panic(records, tools, kind, again):
    component = f"once {kind} {again}"

    def body():
        if again == "guarded":
            guarded(component="once")(boom)()
        elif again == "waited for":
            SafeGo("once", KeepRunning, boom, executor=tools.pool).result(5)
        elif again == "raised by name":
            try:
                SafeGo("once", KeepRunning, boom, executor=tools.pool).result(5)
            except ValueError as exc:
                raise exc
        elif again == "handled":
            try:
                boom()
            except ValueError as exc:
                handle_panic_value(exc, component="once", name="first")
                raise
        boom()

    async def main():
        handle = spawn(kind, component, body, tools)
        assert await ended(handle)
        del handle
        # The finalizers of what is left get a loop that still runs.
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(main())
    gc.collect()
    assert [(r.levelname, r.panic_value) for r in records.all] == [("ERROR", "boom")]
    assert records.all[0].panic_component == ("once" if again else component)
    assert metrics()["goroutine_panics_total"].get(component, 0) == (0 if again else 1)


@pytest.mark.parametrize("error", [ValueError("v"), Canceled("own"), asyncio.InvalidStateError()], ids=repr)
@pytest.mark.parametrize("kind", [*TASKS, *THREADS])
def test_invariant_03_never_retrieved_is_never_said(records, tools, kind, error):
    said: list[str] = []

    async def bare():
        raise ValueError("a bare task")

    def body():
        raise error

    async def main():
        for loop in (asyncio.get_running_loop(), tools.loop):
            loop.set_exception_handler(lambda _, context: said.append(context["message"]))
        assert await ended(spawn(kind, "retrieved", body, tools))
        await asyncio.sleep(0)
        gc.collect()
        assert not said
        # So that this test could fail at all.
        await asyncio.wait([asyncio.ensure_future(bare())])
        gc.collect()
        assert len(said) == 1
        assert "never retrieved" in said[0]

    asyncio.run(main())


def test_invariant_06_started_is_finished_plus_active(tools):
    kinds = (*TASKS, "thread", *OWN_CLASSES)

    def counts():
        started = metrics()["goroutine_started_total"].get("quiet", 0)
        active = [r for r in STATE.tasks.values() if r.component == "quiet"]
        active += [t for t in STATE.threads if t._mr_component == "quiet"]
        return started, len(active)

    def cancelled():
        raise asyncio.CancelledError

    async def quiet(expected):
        # The done callback of a task on another loop runs there, before what is sent to it now.
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asyncio.sleep(0), tools.loop))
        assert counts() == expected

    async def main():
        started = 0
        for body in (int, boom, cancelled):
            for handle in [spawn(kind, "quiet", body, tools) for kind in kinds]:
                assert await ended(handle)
            # A future that somebody else made was not started here.
            started += len(kinds) - 1
            await quiet((started, 0))
        waiting = [SafeGo("quiet", KeepRunning, asyncio.sleep(60)) for _ in range(5)]
        gate = threading.Event()
        waiting_threads = [SafeGo("quiet", KeepRunning, gate.wait) for _ in range(4)]
        for refused in (None, 3):
            with pytest.raises(TypeError):
                SafeGo("quiet", KeepRunning, refused)
        await quiet((started + 9, 9))
        for task in waiting[:2]:
            task.cancel()
        await asyncio.wait(waiting[:2])
        await quiet((started + 9, 7))
        gate.set()
        for thread in waiting_threads:
            assert await ended(thread)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        await quiet((started + 9, 0))

    asyncio.run(main())


class Hostile(logging.Handler, logging.Filter, logging.Formatter):
    """Raises whatever it is asked."""

    def __init__(self, error):
        logging.Handler.__init__(self)
        self.error = error

    def emit(self, record):
        raise self.error

    filter = format = emit


def _handler(logger, error, monkeypatch):
    handler = Hostile(error)
    handler.filter = lambda record: True
    monkeypatch.setattr(logger, "handlers", [handler])


def _handlers_filter(logger, error, monkeypatch):
    monkeypatch.setattr(logger, "handlers", [Hostile(error)])


def _formatter(logger, error, monkeypatch):
    handler = logging.StreamHandler()
    handler.setFormatter(Hostile(error))
    monkeypatch.setattr(logger, "handlers", [handler])


def _filter(logger, error, monkeypatch):
    monkeypatch.setattr(logger, "filters", [Hostile(error)])


def _rejects(logger, error, monkeypatch):
    monkeypatch.setattr(logger, "filters", [lambda record: False])


def _disabled(logger, error, monkeypatch):
    monkeypatch.setattr(logger, "disabled", True)


def _all_disabled(logger, error, monkeypatch):
    monkeypatch.setattr(logger.manager, "disable", logging.CRITICAL)


def _factory(logger, error, monkeypatch):
    def factory(*args, **kwargs):
        raise error

    before = logging.getLogRecordFactory()
    monkeypatch.setattr(logging, "_logRecordFactory", before)
    logging.setLogRecordFactory(factory)


def _level(logger, error, monkeypatch):
    def broken(level):
        raise error

    monkeypatch.setattr(logger, "isEnabledFor", broken)


OBSERVERS = {
    "handler": _handler,
    "filter of the handler": _handlers_filter,
    "formatter": _formatter,
    "filter": _filter,
    "filter rejects": _rejects,
    "logger disabled": _disabled,
    "logging disabled": _all_disabled,
    "record factory": _factory,
    "level": _level,
}
WORDS = ("__str__", "__repr__", "__str__ and __repr__", "__getattr__", "__setattr__", "no words")


def _panic(words, raised, request):
    """An exception that cannot be put into words until the test is over, when pytest may want to."""
    over: list[bool] = []
    request.addfinalizer(lambda: over.append(True))

    def broken(self, name="", *_):
        if over:
            raise AttributeError(name)
        raise raised

    def no_words(_):
        return 3

    members = {
        "no words": {"__str__": no_words, "__repr__": no_words},
        "": {},
    }.get(words, dict.fromkeys(words.split(" and "), broken))
    return type("PanicError", (Exception,), members)("words")


@pytest.mark.usefixtures("hooks")
@pytest.mark.parametrize("raised", [RuntimeError, SystemExit, KeyboardInterrupt, asyncio.CancelledError])
@pytest.mark.parametrize("observer", [*OBSERVERS, *WORDS])
def test_invariant_07_no_observer_can_change_the_outcome(tools, monkeypatch, request, observer, raised):
    logger = logging.getLogger("mruntime")
    if observer in OBSERVERS:
        OBSERVERS[observer](logger, raised(), monkeypatch)
    error = _panic(observer if observer in WORDS else "", raised, request)
    ended_jobs = WaitGroup()
    before = metrics()["goroutine_panics_total"].get("watched", 0)

    def body():
        raise error

    async def body_async():
        raise error

    async def main():
        for kind in (*TASKS, *THREADS, *OWN_CLASSES):
            handle = spawn(kind, "watched", body, tools)
            assert await ended(handle)
            if isinstance(handle, threading.Thread):
                assert handle.panic is not None
                assert "PanicError" in handle.panic.type
            else:
                assert handle.exception() is error
        for fn in (body, body_async):
            ended_jobs.go("watched", KeepRunning, fn)
        assert await ended_jobs.wait_async(5)

    asyncio.run(main())
    with RecoverAndLog("block", component="watched"):
        raise error
    with pytest.raises(type(error)) as caught:
        guarded(component="watched")(body)()
    assert caught.value is error
    handle_panic_value(error, component="watched", name="value")
    assert not STATE.tasks
    # Each raises it again, except that the last handles what `guarded` reported.
    assert metrics()["goroutine_panics_total"]["watched"] == before + len(TASKS + THREADS + OWN_CLASSES) + 4


@pytest.mark.filterwarnings("ignore:SafeGoWithContext names no component")
@pytest.mark.parametrize(
    "ctx",
    [background(), with_cancel(background()).ctx, None, "no context at all"],
    ids=["background", "child", "None", "text"],
)
@pytest.mark.parametrize("kind", ["async callable", "another loop", "thread", "pool", "loop's pool"])
def test_invariant_11_fn_receives_the_identical_ctx(tools, kind, ctx):
    def body(*args, **kwargs):
        return args, kwargs, current_context()

    async def body_async(*args, **kwargs):
        return body(*args, **kwargs)

    async def main():
        fn = body if kind in THREADS else body_async
        options = {
            "another loop": {"loop": tools.loop},
            "pool": {"executor": tools.pool},
            "loop's pool": {"loop": asyncio.get_running_loop()},
        }.get(kind, {})
        for handle in (
            SafeGoWithContextAndComponent(ctx, "ctx", KeepRunning, fn, args=(1,), kwargs={"two": 2}, **options),
            SafeGoWithContext(ctx, KeepRunning, fn, args=(1,), kwargs={"two": 2}, **options),  # noqa: PNC201
        ):
            assert await ended(handle)
            (got, one), kwargs, current = outcome(handle)
            assert got is ctx
            assert (one, kwargs) == (1, {"two": 2})
            assert current is ctx or not isinstance(ctx, runtime.Context)

    asyncio.run(main())


@pytest.mark.parametrize("kind", [*TASKS, *THREADS, *OWN_CLASSES])
def test_invariant_12_context_variables_come_in_and_do_not_leak_back(tools, kind):
    seen: list[str] = []

    def body():
        seen.append(VAR.get())
        VAR.set("changed")

    async def main():
        VAR.set("spawner")
        # Twice, because the second may run in the pool thread of the first.
        for _ in range(2):
            assert await ended(spawn(kind, "vars", body, tools))
            assert VAR.get() == "spawner"
        if kind not in (*OWN_CLASSES, "observed"):
            given = contextvars.copy_context()
            given.run(VAR.set, "given")
            assert await ended(spawn(kind, "vars", body, tools, context=given))
            assert VAR.get() == "spawner"

    asyncio.run(main())
    assert seen == ["spawner", "spawner", "given"][: len(seen)]
    assert len(seen) >= 2


def _steps(start, steps):
    """How often which function is entered while a task waits that many times."""
    entered: collections.Counter[tuple[str, str, str]] = collections.Counter()

    async def work(*_):
        for _ in range(steps):
            await asyncio.sleep(0)

    def profile(frame, event, arg):
        if event in ("call", "c_call"):
            code = frame.f_code
            entered[event, code.co_filename, getattr(arg, "__name__", code.co_name)] += 1

    async def main():
        task = start(work)
        before = sys.getprofile()
        sys.setprofile(profile)
        try:
            await task
        finally:
            sys.setprofile(before)

    asyncio.run(main())
    return entered


@pytest.mark.parametrize(
    "start",
    [
        lambda work: SafeGo("steps", KeepRunning, work()),
        lambda work: SafeGo("steps", CrashProcess, work),
        lambda work: SafeGoWithContextAndComponent(with_cancel(background()).ctx, "steps", KeepRunning, work()),
        lambda work: SafeGoWithContextAndComponent(with_cancel(background()).ctx, "steps", KeepRunning, work),
    ],
    ids=["coroutine", "callable", "linked", "handed"],
)
def test_invariant_19_a_step_enters_no_more_than_that_of_a_bare_task(start):
    bare = _steps(lambda work: asyncio.create_task(work()), 60)
    bare.subtract(_steps(lambda work: asyncio.create_task(work()), 10))
    safe = _steps(start, 60)
    safe.subtract(_steps(start, 10))
    assert sum(bare.values()) >= 50
    safe.subtract(bare)
    ours = {key: n for key, n in safe.items() if n}
    # The coroutine around it, which the interpreter resumes on its way to the inner one.
    assert len(ours) == 1, ours
    ((event, file, name),) = ours
    assert (event, name, Path(file).parent) == ("call", "_drive", Path(runtime.__file__).parent)
    assert ours[event, file, name] == 50


REAL = {
    "coroutine": asyncio.Task,
    "async callable": asyncio.Task,
    "another loop": concurrent.futures.Future,
    "observed": asyncio.Task,
    "thread": threading.Thread,
    "pool": concurrent.futures.Future,
    "loop's pool": asyncio.Future,
    "SafeThread": threading.Thread,
    "SafeTimer": threading.Timer,
    "run": threading.Thread,
}


@pytest.mark.parametrize("kind", list(REAL))
def test_invariant_21_what_is_returned_is_a_real_task_thread_or_future(tools, kind):
    assert set(REAL) == {*TASKS, *THREADS, *OWN_CLASSES}

    async def main():
        gate = threading.Event()
        loop = asyncio.get_running_loop()
        handle = spawn(kind, "real", gate.wait if kind not in TASKS else lambda: True, tools)
        if issubclass(REAL[kind], threading.Thread):
            assert isinstance(handle, REAL[kind])
            assert handle in threading.enumerate()
            assert handle.ident
        else:
            assert type(handle) is REAL[kind]
            called = asyncio.Event()
            handle.add_done_callback(lambda _: loop.call_soon_threadsafe(called.set))
            if REAL[kind] is asyncio.Task:
                assert handle in asyncio.all_tasks()
                assert asyncio.ensure_future(handle) is handle
        gate.set()
        if asyncio.isfuture(handle):
            assert await asyncio.gather(handle, asyncio.shield(handle)) == [True, True]
        elif isinstance(handle, concurrent.futures.Future):
            assert await asyncio.wrap_future(handle) is True
            assert list(concurrent.futures.as_completed([handle], 5)) == [handle]
        assert await ended(handle)
        if not isinstance(handle, threading.Thread):
            await asyncio.wait_for(called.wait(), 5)

    asyncio.run(main())


@pytest.mark.parametrize(
    "how",
    [
        "SafeGo('c', KeepRunning, leave).join()",
        "t = SafeThread('c', KeepRunning, target=leave); t.start(); t.join()",
        "t = SafeTimer('c', KeepRunning, 0, leave); t.start(); t.join()",
        "g = WaitGroup(); g.go('c', KeepRunning, leave); assert g.wait(5)",
        "p = ThreadPoolExecutor(1); SafeGo('c', KeepRunning, leave, executor=p).exception(5)",
        "t = threading.Thread(target=RecoverAndLog('leave', component='c')(leave)); t.start(); t.join()",
        "t = threading.Thread(target=guarded(component='c')(leave)); t.start(); t.join()",
    ],
)
def test_invariant_22_sys_exit_in_a_thread_is_visible(run_python, how):
    done = run_python(
        f"""
        import sys, threading
        from concurrent.futures import ThreadPoolExecutor
        from mruntime import *
        code = 3
        def leave(): sys.exit(code)
        {how}
        for code in (None, 0):
            SafeGo('c', KeepRunning, leave).join()
        """
    )
    assert done.returncode == 0
    assert done.stderr.startswith("panic recovered in c/leave: 3\nTraceback")
    assert done.stderr.count("panic recovered") == 1
    assert done.stderr.rstrip().endswith("SystemExit: 3")


class Lookalike:
    name = "CrashProcess"


@pytest.mark.usefixtures("hooks")
@pytest.mark.parametrize("policy", [None, 1, object(), Lookalike()], ids=["None", "number", "object", "lookalike"])
def test_invariant_23_an_unknown_policy_keeps_running(records, tools, policy):
    kinds = [*TASKS, *THREADS, *OWN_CLASSES]

    async def main():
        for kind in kinds:
            assert await ended(spawn(kind, "unknown", boom, tools, policy))

    asyncio.run(main())
    with RecoverWithPolicy("block", policy, component="unknown"):
        boom()
    with pytest.raises(ValueError, match="boom"):
        guarded(component="unknown", policy=policy)(boom)()
    assert [(r.levelname, r.panic_policy) for r in records.panics] == [("ERROR", "KeepRunning")] * (len(kinds) + 2)


@pytest.mark.parametrize("policy", ["CrashProcess", "nonsense"])
def test_text_is_no_policy(tools, policy):
    async def main():
        for kind in (*TASKS, *THREADS, *OWN_CLASSES):
            with pytest.raises(TypeError, match=f"not the text '{policy}'"):
                spawn(kind, "text", boom, tools, policy)

    asyncio.run(main())
    for use in (lambda: RecoverWithPolicy("block", policy), lambda: guarded(component="text", policy=policy)):
        with pytest.raises(TypeError, match=f"not the text '{policy}'"):
            use()
    assert "text" not in metrics()["goroutine_started_total"]


@pytest.mark.parametrize(
    "start",
    [
        lambda tools: SafeGo("none", KeepRunning, None),
        lambda tools: SafeGo("none", CrashProcess, None, args=(1,)),
        lambda tools: SafeGo("none", KeepRunning, None, loop=tools.loop),
        lambda tools: SafeGo("none", KeepRunning, None, executor=tools.pool),
        lambda tools: SafeGoWithContextAndComponent(background(), "none", KeepRunning, None),
        lambda tools: SafeGoWithContextAndComponent(None, "none", KeepRunning, None),
        lambda tools: WaitGroup().go("none", KeepRunning, None),
        lambda tools: SafeTimer("none", KeepRunning, 0, None),
        lambda tools: RecoverAndLog("none")(None),
        lambda tools: guarded(component="none")(None),
    ],
    ids=["SafeGo", "args", "loop", "pool", "ctx", "no ctx", "group", "timer", "recover", "guarded"],
)
def test_invariant_24_none_is_a_warning_and_a_type_error(records, tools, start):
    threads = threading.enumerate()
    with pytest.raises(TypeError, match="the function is None"):
        start(tools)
    (record,) = records.all
    assert (record.name, record.levelname) == ("mruntime", "WARNING")
    assert "None" in record.getMessage()
    assert threading.enumerate() == threads
    assert "none" not in metrics()["goroutine_started_total"]

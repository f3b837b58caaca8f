"""What the linter knows of Python's concurrency libraries: plain tables, by qualified name.

What each API does with an error was measured on CPython 3.10 to 3.13 and the libraries' current releases; "lost"
means that nothing is printed, logged or raised anywhere.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.python.lex import GAP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOOP = "asyncio.AbstractEventLoop"
GROUP = "asyncio.TaskGroup"
NURSERY = "trio.Nursery"
ENSURE = "asyncio.ensure_future"
THREAD = "threading.Thread"
TIMER = "threading.Timer"
CONTEXT = "contextvars.Context"
POOL = "multiprocessing.pool.Pool"
THREAD_POOL = "multiprocessing.pool.ThreadPool"
EXECUTORS = (
    "concurrent.futures.Executor",
    "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.InterpreterPoolExecutor",
)
THREAD_EXECUTORS = ("concurrent.futures.ThreadPoolExecutor",)
"""Executors whose jobs run in this process: the only ones a job can be wrapped for without pickling."""
THREAD_CLASSES = (
    THREAD,
    TIMER,
    "multiprocessing.Process",
    "multiprocessing.context.Process",
    *(f"{qt}.QtCore.{name}" for qt in ("PySide6", "PySide2", "PyQt6", "PyQt5") for name in ("QThread", "QRunnable")),
)
"""Classes whose `run` is the body of a thread or process."""


class SpawnKind(str, enum.Enum):
    """What a spawn starts, and what its caller gets for it."""

    TASK = "task"
    """One coroutine on an event loop; its task or future."""
    GATHER = "gather"
    """Several coroutines at once; one future of all results."""
    THREAD = "thread"
    """A thread or process; what the caller gets for it keeps no error."""
    FUTURE = "future"
    """A job of an executor or a pool; a future that keeps its result or error."""
    MAP = "map"
    """A job for each element; an iterator whose steps raise the errors."""
    GROUP = "group"
    """A task that what starts it keeps: a task group or a nursery, which raises its error, or a loop that logs it."""
    SAFE = "safe"
    """Anything by the runtime or by a guard of the project: what becomes of an error is decided."""


@dataclass(frozen=True, slots=True)
class Api:
    """How an API spawns; the spawned coroutine or callable is positional argument `target`, or the keyword
    `keyword`."""

    kind: SpawnKind
    target: int = 0
    keyword: str = ""


SPAWNS: dict[str, Api] = {
    "asyncio.create_task": Api(SpawnKind.TASK, 0, "coro"),
    "asyncio.Task": Api(SpawnKind.TASK, 0, "coro"),
    ENSURE: Api(SpawnKind.TASK, 0, "coro_or_future"),
    "asyncio.run_coroutine_threadsafe": Api(SpawnKind.TASK, 0, "coro"),
    "asyncio.gather": Api(SpawnKind.GATHER),
    f"{LOOP}.create_task": Api(SpawnKind.TASK, 0, "coro"),
    THREAD: Api(SpawnKind.THREAD, 1, "target"),
    "_thread.start_new_thread": Api(SpawnKind.THREAD, 0, "function"),
    "_thread.start_joinable_thread": Api(SpawnKind.THREAD, 0, "function"),
    "twisted.internet.reactor.callInThread": Api(SpawnKind.THREAD, 0, "callable"),
    f"{LOOP}.run_in_executor": Api(SpawnKind.FUTURE, 1, "func"),
    "tornado.ioloop.IOLoop.run_in_executor": Api(SpawnKind.FUTURE, 1, "func"),
    **{f"{executor}.submit": Api(SpawnKind.FUTURE, 0, "fn") for executor in EXECUTORS},
    **{f"{executor}.map": Api(SpawnKind.MAP, 0, "fn") for executor in EXECUTORS},
    **{
        f"{pool}.{method}": Api(SpawnKind.FUTURE, 0, "func")
        for pool in (POOL, THREAD_POOL)
        for method in ("apply_async", "map_async", "starmap_async")
    },
    **{
        f"{client}.submit": Api(SpawnKind.FUTURE, 0, "func")
        for client in ("dask.distributed.Client", "distributed.Client")
    },
    f"{GROUP}.create_task": Api(SpawnKind.GROUP, 0, "coro"),
    f"{NURSERY}.start_soon": Api(SpawnKind.GROUP, 0, "async_fn"),
    "tornado.ioloop.IOLoop.spawn_callback": Api(SpawnKind.GROUP, 0, "callback"),
    "mruntime.SafeGo": Api(SpawnKind.SAFE, 2),
    "mruntime.SafeGoWithContextAndComponent": Api(SpawnKind.SAFE, 3),
    "mruntime.SafeGoWithContext": Api(SpawnKind.SAFE, 2),
    "mruntime.SafeThread": Api(SpawnKind.SAFE, 3, "target"),
    "mruntime.SafeTimer": Api(SpawnKind.SAFE, 3, "function"),
    "mruntime.Supervise": Api(SpawnKind.SAFE, 1),
    **{
        f"mruntime.{group}.{method}": Api(SpawnKind.SAFE, 2)
        for group in ("WaitGroup", "Group")
        for method in ("go", "go_async")
    },
}
SPAWNING_MODULES = frozenset(
    ("asyncio", "threading", "_thread", "thread", "concurrent", "concurrent.futures", *EXECUTORS, "uvloop")
)
"""Modules by which spawns are named, and what makes an executor."""
RAY_REMOTE = "ray.remote"
ERROR_CALLBACKS = ("error_callback",)

RETURNS: dict[str, str] = {
    "asyncio.get_running_loop": LOOP,
    "asyncio.get_event_loop": LOOP,
    "asyncio.new_event_loop": LOOP,
    "asyncio.Runner.get_loop": LOOP,
    "anyio.create_task_group": NURSERY,
    "trio.open_nursery": NURSERY,
    "multiprocessing.Pool": POOL,
    "multiprocessing.pool.Pool": POOL,
    "multiprocessing.pool.ThreadPool": THREAD_POOL,
    "multiprocessing.dummy.Pool": THREAD_POOL,
    "multiprocessing.get_context": "multiprocessing.context.BaseContext",
    "multiprocessing.context.BaseContext.Pool": POOL,
    "contextvars.copy_context": CONTEXT,
    "tornado.ioloop.IOLoop.current": "tornado.ioloop.IOLoop",
    "tornado.ioloop.IOLoop.instance": "tornado.ioloop.IOLoop",
}
_LOOP_GETTERS = frozenset(("get_running_loop", "get_event_loop"))
"""Functions that return an event loop, in any module that has one of its own."""

_PREFIXES = (
    ("uvloop.", "asyncio."),
    ("winloop.", "asyncio."),
    ("asyncio.tasks.", "asyncio."),
    ("asyncio.events.", "asyncio."),
    ("asyncio.taskgroups.", "asyncio."),
    ("concurrent.futures.thread.", "concurrent.futures."),
    ("concurrent.futures.process.", "concurrent.futures."),
    ("concurrent.futures._base.", "concurrent.futures."),
    ("thread.", "_thread."),
)
_RENAMED = {
    **dict.fromkeys(
        ("BaseEventLoop", "SelectorEventLoop", "ProactorEventLoop", "Loop", "EventLoop"), "AbstractEventLoop"
    ),
}
_EXACT = {
    "threading._start_new_thread": "_thread.start_new_thread",
    "threading._start_joinable_thread": "_thread.start_joinable_thread",
    "_thread.start_new": "_thread.start_new_thread",
    "anyio.abc.TaskGroup": NURSERY,
    "trio._core._run.Nursery": NURSERY,
    "trio.abc.Nursery": NURSERY,
    "multiprocessing.pool.ThreadPool": THREAD_POOL,
}

DEFAULT_RUNTIME = "panicguard.mruntime"
RECOVERS = ("mruntime.RecoverAndLog", "mruntime.RecoverAndCrash", "mruntime.RecoverWithPolicy")
GUARDS = ("mruntime.guarded", *RECOVERS)
CANCELLED = (
    "asyncio.CancelledError",
    "asyncio.exceptions.CancelledError",
    "concurrent.futures.CancelledError",
    "trio.Cancelled",
)
BUILTINS = frozenset(
    "BaseException BaseExceptionGroup Exception ExceptionGroup SystemExit KeyboardInterrupt GeneratorExit "
    "all any bool classmethod dict enumerate filter frozenset getattr hash id isinstance iter len list "
    "map max min next print repr reversed set sorted staticmethod str sum super tuple type zip".split()
)
KNOWN = frozenset(
    (*SPAWNS, *RETURNS, *RECOVERS, *GUARDS, *CANCELLED, "mruntime.Context", GROUP, LOOP, THREAD, *EXECUTORS)
)
START_APIS = ("_thread.start_new_thread", "_thread.start_joinable_thread")
THREAD_WORDS = ("Thread", "QThread", "QRunnable")
START_WORDS = ("start_new_thread", "start_joinable_thread", "_start_new_thread", "_start_joinable_thread")
_COMMON = frozenset(("submit", "map", "go", "remote"))
"""Methods with names so common that these count as attributes alone."""
SPAWN_WORDS = tuple(
    sorted(
        f".{word}" if word in _COMMON else word
        for word in {name.rpartition(".")[2] for name in (*SPAWNS, *THREAD_CLASSES, RAY_REMOTE)}
        | {name.rpartition(".")[2] for name, known in _EXACT.items() if known in SPAWNS}
    )
)
"""Words without one of which a module spawns nothing: what a rule about spawned code is screened by. One with a dot in
front is an attribute."""
TASK_WORDS = tuple(
    sorted({name.rpartition(".")[2] for name, api in SPAWNS.items() if api.kind in (SpawnKind.TASK, SpawnKind.GATHER)})
)
"""Words without one of which a module starts no task."""
BARE_EXCEPT = "except:"
CAUGHT_WORDS = frozenset(
    (*(name.rpartition(".")[2] for name in CANCELLED), "BaseException", "get_cancelled_exc_class", BARE_EXCEPT)
)
"""Words that count where an `except` or a `suppress` of an async function may name them."""
NEEDS: Mapping[str, tuple[str, ...]] = {
    ".submit": ("Executor", "distributed"),
    ".map": ("PoolExecutor",),
    **dict.fromkeys(("gather", "Task"), ("asyncio",)),
    **dict.fromkeys((".go", "go_async"), ("Group",)),
    **dict.fromkeys(("apply_async", "map_async", "starmap_async"), ("Pool",)),
    ".remote": ("ray",),
    **dict.fromkeys((*CAUGHT_WORDS, "finally"), ("async",)),
    "Cancelled": ("trio",),
    **dict.fromkeys(("Thread", "Timer"), ("threading",)),
    **dict.fromkeys(("QThread", "QRunnable"), ("Qt",)),
    "Process": ("multiprocessing",),
}
"""Word -> one of these must stand in the module too: without it the receiver's type cannot be known."""
SOUGHT = {
    BARE_EXCEPT: tuple(f"except{blank}" for blank in (":", " :", "  ", " \t", " \f", " \\", "\t", "\f", "\\")),
    ".submit": ("submit",),
    ".map": NEEDS[".map"],
    ".go": NEEDS[".go"],
    ".remote": ("remote",),
    ".exception": ("exception",),
}
"""Word of which the parts may stand apart -> texts without one of which it does not occur: a method with a short name
needs others, which are rarer."""
_BASE = rf"{GAP}(?:(?:\){GAP})+|(?:\){GAP})*,(?:[^()]|\([^()]*\))*\){GAP}):"
_NAMED = r"\s*(?:[(),;#\\]|as\b|$|\n)"
_RAISED = r"[ \t]*(?:\#[^\r\n]*[\r\n])?\s*raise[ \t]*(?:[\r\n;#]|\Z)"
AFTER = {
    **dict.fromkeys((*THREAD_WORDS, "gather"), _NAMED),
    **dict.fromkeys(("Timer", "Process"), _BASE),
    "Task": rf"{GAP}(?:(?:\){GAP})*\(|as\b)|\s*(?:[#;]|$|\n)",
    **dict.fromkeys(("exc_info", ".exception"), rf"{GAP}(?:\){GAP})*\("),
    **dict.fromkeys(CAUGHT_WORDS, rf"(?![^\n:#]*:{_RAISED})"),
    BARE_EXCEPT: rf"{GAP}:(?!{_RAISED})",
    "finally": rf"{GAP}:",
}
"""Word -> what must stand behind it: a thread class counts where it is called, derived from or renamed, but not in an
annotation; and what a handler names, where that does not begin with `raise`."""
CALLBACK_TAKERS = {
    **dict.fromkeys(("call_soon", "call_soon_threadsafe"), 0),
    **dict.fromkeys(("call_later", "call_at", "add_signal_handler", "add_reader", "add_writer"), 1),
}
"""Methods of event loops that take a function, whose result they ignore, and its arguments -> its place."""
ADDERS = frozenset("add append appendleft insert extend extendleft update setdefault".split())
"""Methods that put something into what they are called on."""
METHODS_ELSEWHERE = {"gather": ("asyncio", "aio", "tasks")}
"""Word -> the modules it may be a function of, where it is written with a dot: tensors have it as a method."""
OWN_SPAWNERS = ("spawn", "spawn_task", "fire_and_forget", "run_in_background", "create_background_task")
"""What projects call functions of their own that spawn: those, and functions with the name of an API, are asked about
where they are imported from another module."""
AWAITED = ("go_async",)
"""Words of SPAWN_WORDS that count as the callee of an `await` too: what they start goes on after it."""
SPAWN_NAMES = frozenset(name.rpartition(".")[2] for name in SPAWNS) | {"remote"}
"""The last parts of all names in SPAWNS."""


def returned(name: str) -> str | None:
    """The class of what a call of a qualified name returns."""
    last = name.rpartition(".")[2]
    is_class = last[:1].isupper() and not last.isupper()
    return RETURNS.get(name) or (LOOP if last in _LOOP_GETTERS else name if is_class else None)


def is_named(found: str | None, listed: Iterable[str]) -> bool:
    """Whether a qualified name is one of those that the settings list. One that is relative (`.bg.run`) stands for any
    that ends in it."""
    if found is None:
        return False
    if not found.startswith("."):
        return found in listed
    return any(name.endswith(f".{found.lstrip('.')}") for name in listed)


def canonical(name: str, runtime: str | None) -> str:
    """One name for each thing: where it is documented, whatever module it was imported from.

    Every copy of the runtime is "mruntime": one called so anywhere, and the one the settings name.
    """
    if runtime and name.startswith(f"{runtime}."):
        return f"mruntime.{name[len(runtime) + 1 :]}"
    if "mruntime." in name:
        head, _, rest = name.rpartition("mruntime.")
        if not head or head.endswith("."):
            return f"mruntime.{rest}"
    for prefix, replacement in _PREFIXES:
        if name.startswith(prefix):
            name = replacement + name[len(prefix) :]
            break
    if name.startswith("asyncio."):
        head, dot, rest = name[8:].partition(".")
        name = f"asyncio.{_RENAMED.get(head, head)}{dot}{rest}"
    return _EXACT.get(name, name)

"""How `SafeGo` and its siblings start what they are given: as a task, a thread or a pool job."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import sys
from asyncio import get_running_loop
from collections.abc import Coroutine
from types import CoroutineType, FunctionType
from typing import TYPE_CHECKING, Any, cast

from ._context import running_loop, wake_later, wake_started
from ._functions import close, close_coroutine, name_of, refuse_unrunnable
from ._job import PoolJob
from ._limit import within
from ._policy import refuse_text
from ._record import Record
from ._state import STATE, refuse_closed
from ._task import await_it, create, observe, submit
from ._thread import thread_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Executor

    from ._context import Context
    from ._limit import Limit

Loop = asyncio.AbstractEventLoop


class Options:
    """The keyword arguments that all spawns have in common, and what becomes of them."""

    __slots__ = ("args", "context", "daemon", "executor", "finish", "kwargs", "limit", "loop", "name", "timeout")

    def __init__(
        self,
        args: Iterable[Any],
        kwargs: Mapping[str, Any] | None,
        name: str | None,
        daemon: bool | None,
        executor: Executor | None,
        loop: Loop | None,
        context: contextvars.Context | None,
        timeout: float | None = None,
        finish: Callable[[Any], None] | None = None,
    ) -> None:
        self.args = tuple(args)
        self.kwargs = {} if kwargs is None else kwargs
        self.name = name
        self.daemon = daemon
        self.executor = executor
        self.loop = loop
        self.context = context
        self.timeout = timeout
        self.limit: Limit | None = None
        self.finish = finish
        """Called once it has ended, with the task, future or thread that it was."""


def go(
    ctx: Any, component: str, policy: object, coro: Any, name: str | None, context: contextvars.Context | None
) -> Any:
    """`spawn` for a coroutine without further options, without the detours that anything else needs."""
    try:
        loop = get_running_loop()
    except RuntimeError:
        loop = None
    if loop is None or STATE.closed or policy.__class__ is str:
        return spawn(ctx, False, component, policy, coro, Options((), None, name, None, None, None, context))
    return create(Record(component, policy, name or coro.__qualname__, ctx), coro, loop, name, context)


def spawn(ctx: Any, handed: bool, component: str, policy: object, fn: Any, options: Options) -> Any:
    """Start `fn`; `handed`: a callable gets `ctx` as its first argument."""
    where = f"SafeGo({component!r})"
    try:
        refuse_text(policy, where)
    except TypeError:
        close_coroutine(fn)
        raise
    awaitable = _awaitable(fn)
    # A callable that was given the context heeds it: cancelling is between the two of them, so that there is no link.
    link = ctx is not None and (awaitable or not handed)
    if options.timeout is not None:
        ctx = _limit(ctx, fn, link, options, where)
    if awaitable:
        if options.args or options.kwargs or options.executor is not None or options.daemon is not None:
            close_coroutine(fn)
            raise TypeError(f"{where}: args, kwargs, executor and daemon are for a callable, not for an awaitable")
        return _go_async(ctx, component, policy, fn, options, where, name_of(fn), link)
    kind = refuse_unrunnable(fn, where)
    args = (ctx, *options.args) if handed else options.args
    if kind == "async":
        if options.executor is not None or options.daemon is not None:
            raise TypeError(f"{where}: executor and daemon are for a sync callable, not for an async one")
        return _go_async(ctx, component, policy, fn(*args, **options.kwargs), options, where, name_of(fn), link)
    refuse_closed(where)
    if options.executor is not None or options.loop is not None:
        return _go_pool(ctx, component, policy, fn, args, options, where)
    thread = thread_for(component, policy, fn, options.name, args, options.kwargs, options.daemon)
    thread._mr_ctx = ctx
    thread._mr_context = options.context
    thread._mr_finish = options.finish
    try:
        thread.start()
    except BaseException:
        if thread.ident is not None:
            # A Ctrl-C while it started: it runs, and will tell of its end.
            options.finish = None
        raise
    return thread


def _awaitable(fn: object) -> bool:
    # The usual cases first.
    if type(fn) is FunctionType or type(fn) is CoroutineType:
        return type(fn) is CoroutineType
    return isinstance(fn, Coroutine) or asyncio.isfuture(fn) or inspect.isawaitable(fn)


def _limit(ctx: Any, fn: object, link: bool, options: Options, where: str) -> Context:
    """The context of work that may take `options.timeout` seconds; sets `options.limit`."""
    if asyncio.isfuture(fn):
        raise TypeError(f"{where}: timeout is for work that starts here, not for a future that is there already")
    try:
        derived, options.limit = within(cast("float", options.timeout), ctx, link)
    except BaseException:
        close_coroutine(fn)
        raise
    return derived


def _go_async(
    ctx: Any, component: str, policy: object, fn: Any, options: Options, where: str, name: str, link: bool
) -> Any:
    loop = options.loop
    record = Record(component, policy, options.name or name, ctx, link, options.finish)
    record.limit = options.limit
    if asyncio.isfuture(fn):
        if loop is not None and fn.get_loop() is not loop:
            raise ValueError(f"{where}: the future belongs to a different loop than the one given as loop=")
        observe(record, fn)
        return fn
    coro = fn if isinstance(fn, Coroutine) else await_it(fn)
    if STATE.closed:
        close(coro)
        refuse_closed(where)
    running = running_loop()
    target = running if loop is None else loop
    if target is None:
        close(coro)
        raise RuntimeError(f"{where}: {_no_loop()}")
    if target is running:
        return create(record, coro, target, options.name, options.context)
    if not target.is_running():
        task = create(record, coro, target, options.name, options.context, runs=False)
        wake_started(target)
        return task
    return submit(record, coro, target, options.name, options.context)


def _no_loop() -> str:
    trio: Any = sys.modules.get("trio")
    try:
        trio.lowlevel.current_task()
    except Exception:
        return (
            "no event loop runs in this thread; call it from a coroutine, "
            "pass loop= a loop, or run the coroutine with asyncio.run()"
        )
    return "trio runs here, not asyncio; start it in a nursery, decorated with guarded()"


def _go_pool(
    ctx: Any,
    component: str,
    policy: object,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    options: Options,
    where: str,
) -> Any:
    executor, loop = options.executor, options.loop
    if options.daemon is not None:
        raise TypeError(f"{where}: daemon is for a thread of its own, not for a pool job")
    for module, cls in (("process", "ProcessPoolExecutor"), ("interpreter", "InterpreterPoolExecutor")):
        kind = getattr(sys.modules.get(f"concurrent.futures.{module}"), cls, None)
        if kind is not None and isinstance(executor, kind):
            raise TypeError(f"{where}: a {cls} runs it where this runtime is not; use threads or submit it yourself")
    context = contextvars.copy_context() if options.context is None else options.context
    name = options.name or name_of(fn)
    job = PoolJob(component, policy, fn, args, options.kwargs, name, ctx, context, options.finish)
    try:
        if loop is None:
            assert executor is not None
            pooled = job.future = executor.submit(job)
            pooled.add_done_callback(job.ended)
            return pooled
        future = job.future = loop.run_in_executor(executor, job)
    except BaseException:
        job.take_back()
        raise
    if running_loop() is loop:
        future.add_done_callback(job.ended)
    elif loop.is_running():
        wake_later(loop, future.add_done_callback, job.ended)
    else:
        future.add_done_callback(job.ended)
        wake_started(loop)
    return future

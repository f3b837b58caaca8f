"""`SafeGo`, and what it returns for what it is given."""

from __future__ import annotations

from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._spawn import Options, go, spawn

if TYPE_CHECKING:
    import asyncio
    import concurrent.futures
    import contextvars
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
    from concurrent.futures import Executor

    from ._spawn import Loop
    from ._thread import SafeThread

T = TypeVar("T")
F = TypeVar("F", bound="asyncio.Future[Any]")


@overload
def SafeGo(  # type: ignore[overload-overlap]
    component: str,
    policy: object,
    fn: F,
    /,
    *,
    name: str | None = None,
    loop: Loop | None = None,
    context: contextvars.Context | None = None,
) -> F: ...
@overload
def SafeGo(
    component: str,
    policy: object,
    fn: Awaitable[T],
    /,
    *,
    name: str | None = None,
    loop: None = None,
    context: contextvars.Context | None = None,
    timeout: float | None = None,
) -> asyncio.Task[T]: ...
@overload
def SafeGo(
    component: str,
    policy: object,
    fn: Awaitable[Any],
    /,
    *,
    name: str | None = None,
    loop: Loop,
    context: contextvars.Context | None = None,
    timeout: float | None = None,
) -> Any: ...
@overload
def SafeGo(  # type: ignore[overload-overlap]
    component: str,
    policy: object,
    fn: Callable[..., Coroutine[Any, Any, T]],
    /,
    *,
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    name: str | None = None,
    loop: None = None,
    context: contextvars.Context | None = None,
    timeout: float | None = None,
) -> asyncio.Task[T]: ...
@overload
def SafeGo(
    component: str,
    policy: object,
    fn: Callable[..., object],
    /,
    *,
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    name: str | None = None,
    daemon: bool | None = None,
    executor: None = None,
    loop: None = None,
    context: contextvars.Context | None = None,
    timeout: float | None = None,
) -> SafeThread: ...
@overload
def SafeGo(
    component: str,
    policy: object,
    fn: Callable[..., T],
    /,
    *,
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    name: str | None = None,
    executor: Executor,
    loop: None = None,
    context: contextvars.Context | None = None,
    timeout: float | None = None,
) -> concurrent.futures.Future[T]: ...
@overload
def SafeGo(
    component: str,
    policy: object,
    fn: Callable[..., Any],
    /,
    *,
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    name: str | None = None,
    executor: Executor | None = None,
    loop: Loop,
    context: contextvars.Context | None = None,
    timeout: float | None = None,
) -> Any: ...
def SafeGo(  # noqa: N802
    component: str,
    policy: object,
    fn: Any,
    /,
    *,
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    name: str | None = None,
    daemon: bool | None = None,
    executor: Executor | None = None,
    loop: Loop | None = None,
    context: contextvars.Context | None = None,
    timeout: float | None = None,
) -> Any:
    """Start `fn(*args, **kwargs)` in the background; how it dies is logged, counted and, by `policy`, fatal.

    A coroutine or async callable becomes an `asyncio.Task` of the running loop, or of `loop`; if that runs in
    another thread, the result is a `concurrent.futures.Future`. A future is observed and returned as it is.
    A sync callable becomes a started SafeThread, with `executor` a pool job and its future, with `loop` an
    asyncio future of `loop.run_in_executor`. Whoever waits for a task or future gets the exception itself.

    After `timeout` seconds its context is done with DeadlineExceeded, which is a cancellation and no panic: a task is
    cancelled and whoever awaits it gets that; threads and pool jobs heed `current_context()`. One that has not begun
    by then never does if it is a task.

    It sees the context variables of this call, or runs in `context`. RuntimeError for async work without an
    event loop, TypeError for what would not run: None, a generator function, a process pool.
    """
    plain = not args and kwargs is None and daemon is None and executor is None and loop is None and timeout is None
    if plain and type(fn) is CoroutineType:
        return go(None, component, policy, fn, name, context)
    options = Options(args, kwargs, name, daemon, executor, loop, context, timeout)
    return spawn(None, False, component, policy, fn, options)

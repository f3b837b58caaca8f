"""`SafeGoWithContextAndComponent` and its deprecated sibling, and what they return for what they are given."""

from __future__ import annotations

import sys
import warnings
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._functions import close_coroutine
from ._spawn import Options, go, spawn
from ._state import STATE

if TYPE_CHECKING:
    import asyncio
    import concurrent.futures
    import contextvars
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
    from concurrent.futures import Executor

    from ._context import Context
    from ._spawn import Loop
    from ._thread import SafeThread

T = TypeVar("T")
F = TypeVar("F", bound="asyncio.Future[Any]")


def _warn_once(fn: object) -> None:
    frame = sys._getframe(2)
    place = (frame.f_code.co_filename, frame.f_lineno)
    with STATE.lock:
        if place in STATE.warned:
            return
        STATE.warned.add(place)
    try:
        warnings.warn(
            "SafeGoWithContext names no component; use SafeGoWithContextAndComponent",
            DeprecationWarning,
            stacklevel=3,
        )
    except BaseException:
        # Warnings may be errors, and then the coroutine never runs.
        close_coroutine(fn)
        raise


@overload
def SafeGoWithContextAndComponent(  # type: ignore[overload-overlap]
    ctx: Context | None,
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
def SafeGoWithContextAndComponent(
    ctx: Context | None,
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
def SafeGoWithContextAndComponent(
    ctx: Context | None,
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
def SafeGoWithContextAndComponent(  # type: ignore[overload-overlap]
    ctx: Context | None,
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
def SafeGoWithContextAndComponent(
    ctx: Context | None,
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
def SafeGoWithContextAndComponent(
    ctx: Context | None,
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
def SafeGoWithContextAndComponent(
    ctx: Context | None,
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
def SafeGoWithContextAndComponent(  # noqa: N802
    ctx: Context | None,
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
    """As `SafeGo`, for `fn(ctx, *args, **kwargs)`: a callable gets this very `ctx` and is to heed it.

    A coroutine object has its arguments already: its task is cancelled when `ctx` is done.
    Inside, `current_context()` is `ctx`. With `timeout`, `ctx` is in all of this a child that is done by then.
    """
    plain = not args and kwargs is None and daemon is None and executor is None and loop is None and timeout is None
    if plain and type(fn) is CoroutineType:
        return go(ctx, component, policy, fn, name, context)
    options = Options(args, kwargs, name, daemon, executor, loop, context, timeout)
    return spawn(ctx, True, component, policy, fn, options)


@overload
def SafeGoWithContext(  # type: ignore[overload-overlap]
    ctx: Context | None,
    policy: object,
    fn: F,
    /,
    *,
    name: str | None = None,
    loop: Loop | None = None,
    context: contextvars.Context | None = None,
) -> F: ...
@overload
def SafeGoWithContext(
    ctx: Context | None,
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
def SafeGoWithContext(
    ctx: Context | None,
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
def SafeGoWithContext(  # type: ignore[overload-overlap]
    ctx: Context | None,
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
def SafeGoWithContext(
    ctx: Context | None,
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
def SafeGoWithContext(
    ctx: Context | None,
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
def SafeGoWithContext(
    ctx: Context | None,
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
def SafeGoWithContext(  # noqa: N802
    ctx: Context | None,
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
    """As `SafeGoWithContextAndComponent` with the component "".

    Deprecated, for panics without a component are hard to find: one DeprecationWarning per calling line.
    """
    _warn_once(fn)
    options = Options(args, kwargs, name, daemon, executor, loop, context, timeout)
    return spawn(ctx, True, "", policy, fn, options)

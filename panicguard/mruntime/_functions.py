"""What a function that is to be run is, and what it returns that nothing would run."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import sys
import types
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from ._log import note

if TYPE_CHECKING:
    from collections.abc import Callable


_DONE = (type(None), bool, int, float, str, bytes, list, dict, tuple, set)
"""The types of most results, that need no second look."""


def unwrap(fn: Any) -> Any:
    """What is behind the partials."""
    while hasattr(fn, "func") and type(fn).__name__ in ("partial", "partialmethod"):
        fn = fn.func
    return fn


def _kind(fn: object) -> str:
    """`async`, `generator` or `sync`: what calling it gives, as far as can be seen before."""
    fn = unwrap(fn)
    if type(fn) is types.MethodType:
        fn = fn.__func__
    if type(fn) is types.FunctionType and not fn.__dict__:
        # The usual case without the detours of `inspect`, which cost as much as making the thread object.
        flags = fn.__code__.co_flags
        if flags & (inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE):
            return "async"
        return "generator" if flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR) else "sync"
    if type(fn) is types.BuiltinFunctionType:
        return "sync"
    parts = (fn, getattr(type(fn), "__call__", None))  # noqa: B004  (its kind matters)
    if any(_returns_coroutine(part) for part in parts):
        return "async"
    if any(inspect.isgeneratorfunction(part) or inspect.isasyncgenfunction(part) for part in parts):
        return "generator"
    return "sync"


def _returns_coroutine(fn: object) -> bool:
    if inspect.iscoroutinefunction(fn):
        return True
    code = getattr(fn, "__code__", None)
    if inspect.isgeneratorfunction(fn) and code is not None and code.co_flags & inspect.CO_ITERABLE_COROUTINE:
        return True
    # Up to 3.13 asyncio has a mark of its own; what it is later is deprecated.
    return sys.version_info < (3, 14) and asyncio.iscoroutinefunction(fn)


def refuse_unrunnable(fn: object, where: str) -> str:
    """The kind of `fn`; TypeError for what would run and do nothing: None, a generator function."""
    if fn is None:
        note(logging.WARNING, f"{where}: the function is None; nothing was started")
        raise TypeError(f"{where}: the function is None")
    if not callable(fn):
        raise TypeError(f"{where}: {type(fn).__name__} object is neither callable nor awaitable")
    kind = _kind(fn)
    if kind == "generator":
        raise TypeError(f"{where}: {name_of(fn)} is a generator function: calling it would run none of it")
    return kind


def name_of(fn: object) -> str:
    """The name to report a function by."""
    fn = unwrap(fn)
    name = getattr(fn, "__qualname__", None)
    return name if isinstance(name, str) else type(fn).__qualname__


def checked(result: Any, name: str) -> Any:
    """`result`, or TypeError if it is a coroutine or generator: work that would never be done."""
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError(f"{name} returned a coroutine, which nothing would run; pass the coroutine itself")
    if inspect.isgenerator(result) or inspect.isasyncgen(result):
        raise TypeError(f"{name} returned a {type(result).__name__}, which nothing would iterate")
    return result


def close(coro: Any) -> None:
    """Close a coroutine that will not run, so that Python does not warn of it."""
    with contextlib.suppress(BaseException):
        coro.close()


def close_coroutine(fn: object) -> None:
    """Close it if it is a coroutine, and not a function that would make one."""
    if isinstance(fn, Coroutine):
        close(fn)


def watched_result(result: Any, awaited: Callable[[Any], Any], fn: object) -> Any:
    """What a guarded function returns, guarded as well if it is an awaitable: `awaited` makes the coroutine for it.

    A future is work of its own, and no part of the function. TypeError for what would raise later, unguarded: an async
    context manager, a Deferred.
    """
    kind = type(result)
    if kind in _DONE:
        return result
    if hasattr(kind, "__aenter__") and not hasattr(kind, "__await__"):
        raise TypeError(
            f"{name_of(fn)} returns an async context manager, which is not guarded by guarding what makes it"
        )
    if hasattr(kind, "addErrback"):
        raise TypeError(f"{name_of(fn)} returns a Deferred, which is not guarded by guarding what makes it")
    return awaited(result) if inspect.isawaitable(result) and not asyncio.isfuture(result) else result

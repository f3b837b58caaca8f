"""What an exception is that ends spawned work: a panic, or an end that is nobody's fault."""

from __future__ import annotations

import builtins
from asyncio import CancelledError
from concurrent.futures import CancelledError as PoolCancelledError
from typing import TYPE_CHECKING

from ._derived import own
from ._state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP: type[BaseException] | tuple[()] = getattr(builtins, "BaseExceptionGroup", ())

STEERING = frozenset(
    (
        "celery.exceptions.TaskPredicate",  # 5.5: Retry, Ignore, Reject
        "dramatiq.errors.Retry",  # 2.2
        "huey.exceptions.CancelExecution",  # 3.5
        "huey.exceptions.RetryTask",
        "langgraph.errors.GraphBubbleUp",  # 1.2: GraphInterrupt, ParentCommand
        "pydantic_ai.exceptions.ApprovalRequired",  # 2.68
        "pydantic_ai.exceptions.CallDeferred",
        "pydantic_ai.exceptions.ModelRetry",
    )
)
"""The exceptions by which frameworks steer, though they are `Exception`s: no panics. Known by name, so that nothing is
imported; subclasses of them count too."""

CLEAN = "clean"
PANIC = "panic"
EXIT = "exit"
PASS = "pass"


def code_of(exc: BaseException) -> int | None:
    """The exit status a SystemExit asks for: None for success, 0 if it is not one from 1 to 255."""
    code = getattr(exc, "code", None)
    if code is None or code == 0:
        return None
    return code if isinstance(code, int) and 1 <= code <= 255 else 0


def leaves(exc: BaseException) -> list[BaseException]:
    """The exceptions in a group, however deep; of any other exception itself."""
    found: list[BaseException] = []
    todo: list[BaseException] = [exc]
    while todo:
        one = todo.pop()
        # Not asked of any other exception, whose __getattr__ may raise.
        grouped = isinstance(one, GROUP) or hasattr(type(one), "__mruntime_group__")
        inner = getattr(one, "exceptions", None) if grouped else None
        if isinstance(inner, tuple):
            todo.extend(inner)
        else:
            found.append(one)
    return found


def let_pass(*kinds: type[BaseException]) -> Callable[[], None]:
    """From now on these exceptions are no panics: a framework steers by them. Returns what takes it back.

    TypeError for what is no class of exceptions.
    """
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(f"let_pass takes classes of exceptions, not {kind!r}")
    key = object()
    with STATE.lock:
        STATE.passing[key] = kinds

    def undo() -> None:
        with STATE.lock:
            STATE.passing.pop(key, None)

    return undo


def _steers(exc: BaseException) -> bool:
    if any(isinstance(exc, kinds) for kinds in tuple(STATE.passing.values())):
        return True
    return any(f"{cls.__module__}.{cls.__qualname__}" in STEERING for cls in type(exc).__mro__)


def classify(exc: BaseException, ctx: object, *, task: bool) -> str:
    """What leaving the spawned body with `exc` is, in a task or else in a thread.

    `clean`: not worth a report; `panic`; `exit`: SystemExit in a task; `pass`: control flow of the interpreter or a
    framework, as `trio.Cancelled`, `GreenletExit` and what makes a test fail are.
    """
    kinds = {_kind(leaf, ctx, task) for leaf in leaves(exc)}
    for kind in (PANIC, EXIT, PASS):
        if kind in kinds:
            return kind
    return CLEAN


def _kind(exc: BaseException, ctx: object, task: bool) -> str:
    if getattr(type(exc), "__mruntime_canceled__", False):
        return CLEAN if own(ctx).err() is not None else PANIC
    if isinstance(exc, (CancelledError, PoolCancelledError)):
        return CLEAN if task or own(ctx).err() is not None else PANIC
    if isinstance(exc, SystemExit):
        if task:
            return EXIT
        return CLEAN if code_of(exc) is None else PANIC
    if _steers(exc):
        return PASS
    if isinstance(exc, Exception) or (isinstance(exc, KeyboardInterrupt) and not task):
        return PANIC
    return PASS

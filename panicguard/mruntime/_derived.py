"""How contexts are made: the two that are there from the start, and those that are derived from others."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ._children import orphaned
from ._context import Context, refuse_copies
from ._state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable


class Cancel:
    """Call it to cancel its context: from any thread, as often as you like; `cause()` tells the cause."""

    __slots__ = ("_ctx",)

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def __reduce__(self) -> NoReturn:
        refuse_copies(self)

    def __call__(self, cause: BaseException | None = None) -> None:
        self._ctx._cancel(cause)


class Derived(NamedTuple):
    """`with with_timeout(ctx, 5) as ctx:` (cancelled at the end), or `ctx, cancel = with_cancel(parent)`."""

    ctx: Context
    cancel: Cancel

    def __enter__(self) -> Context:
        return self.ctx

    def __exit__(self, *_: object) -> None:
        self.cancel()


_BACKGROUND = Context(None, "background")
_TODO = Context(None, "todo")


def background() -> Context:
    """The context that is never done: for main, and for work that outlives its caller."""
    return _BACKGROUND


def todo() -> Context:
    """As `background()`, where it is not yet clear which context belongs."""
    return _TODO


def root() -> Context:
    """The context that `shutdown` cancels: the parent to offer where Go's main would make one.

    It is done when the main thread ends too, by an exception or not, so that threads which wait for it end; and in a
    child of multiprocessing when its parent is gone, which the signal that ended the parent did not tell it.
    """
    with STATE.lock:
        if STATE.root is None:
            STATE.root = with_cancel(_BACKGROUND)
            waits = STATE.at_main_end
            # One for all roots that there ever are; after the end of main, one that ends this root at once.
            if waits is None or not waits.is_alive() or not threading.main_thread().is_alive():
                with contextlib.suppress(RuntimeError):  # a sub-interpreter may allow no threads
                    # Not by `atexit`, which comes after the threads that wait for it.
                    for wait in (orphaned(), threading.main_thread().join):
                        if wait is not None:
                            STATE.at_main_end = threading.Thread(
                                target=_cancel_root_after, args=(wait,), name="mruntime-root", daemon=True
                            )
                            STATE.at_main_end.start()
        ctx: Context = STATE.root.ctx
        return ctx


def _cancel_root_after(wait: Callable[[], None]) -> None:
    wait()
    with STATE.lock:
        found = STATE.root
    if found is not None:
        found.cancel()


def current_context() -> Context:
    """The context the running task, thread or pool job was spawned with, else `background()`."""
    ctx: Context = STATE.current.get(_BACKGROUND)
    return ctx


def own(ctx: object) -> Context:
    """`ctx` if it is one of ours (of any copy), `background()` if it is None or somebody else's."""
    return ctx if hasattr(ctx, "_watches") else _BACKGROUND  # type: ignore[return-value]


def _derive(parent: Context, label: str, deadline: float | None) -> Derived:
    if not hasattr(parent, "_watches"):
        raise TypeError(f"the parent must be a Context, not {type(parent).__name__}")
    ctx = Context(parent, label)
    ctx._up = ctx._node
    ctx._node = ctx
    ctx._deadline = deadline
    return Derived(ctx, Cancel(ctx))


def with_cancel(parent: Context) -> Derived:
    """A child that is done when cancelled, or when `parent` is."""
    return _derive(parent, "cancel", None)


def with_deadline(parent: Context, deadline: float) -> Derived:
    """A child that is done at `deadline`, a `time.monotonic()`, at the latest."""
    return _derive(parent, "deadline", float(deadline))


def with_timeout(parent: Context, seconds: float) -> Derived:
    """A child that is done in `seconds` at the latest."""
    return _derive(parent, "timeout", time.monotonic() + seconds)


def without_cancel(parent: Context) -> Context:
    """A child with the values of `parent` that is never done: for work that outlives a request."""
    if not hasattr(parent, "_watches"):
        raise TypeError(f"the parent must be a Context, not {type(parent).__name__}")
    ctx = Context(parent, "without_cancel")
    ctx._node = None
    return ctx


def with_value(parent: Context, key: object, value: object) -> Context:
    """A child that answers `value(key)`."""
    if not hasattr(parent, "_watches"):
        raise TypeError(f"the parent must be a Context, not {type(parent).__name__}")
    ctx = Context(parent, "value")
    ctx._key = key
    ctx._value = value
    return ctx

"""Cancellation, deadlines and values that travel with the work: Go's `context`."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, NoReturn

from ._state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class Canceled(Exception):  # noqa: N818  (Go's name)
    """The context is done because it, or a parent, was cancelled."""

    __mruntime_canceled__ = True


class DeadlineExceeded(Canceled, TimeoutError):  # noqa: N818  (Go's name)
    """The context is done because its deadline has passed."""


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs on this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def in_event_loop() -> bool:
    """True on a thread whose event loop is running."""
    return running_loop() is not None


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def wake_later(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object) -> None:
    """Have `loop` call it soon, from any thread. A closed loop has nobody left to wake."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *args)


def wake_started(loop: asyncio.AbstractEventLoop) -> None:
    """After work for a loop that did not run yet: if it began to meanwhile, in another thread, it may sleep."""
    if loop.is_running():
        wake_later(loop, _nothing)


def _nothing() -> None:
    pass


def refuse_copies(thing: object) -> NoReturn:
    """TypeError: what is shared is not copied, for a copy would count, carry and cancel nothing of it."""
    kind = type(thing).__name__
    raise TypeError(f"cannot copy or pickle a {kind}: threads and coroutines share it, another process needs its own")


class Done:
    """Whether a context is done: `is_set()`, truth value, `wait(seconds)`, `await`."""

    __slots__ = ("_ctx",)

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def is_set(self) -> bool:
        """True once the context is done."""
        return self._ctx.err() is not None

    __bool__ = is_set

    def wait(self, timeout: float | None = None) -> bool:
        """Block this thread until the context is done or `timeout` seconds are over; True if it is done.

        RuntimeError on the thread of a running event loop, which it would stop: `await` it there.
        """
        ctx = self._ctx
        if ctx.err() is not None:
            return True
        if timeout is not None and timeout <= 0:
            return False
        if in_event_loop():
            raise RuntimeError("Done.wait() would block the running event loop; use `await ctx.done()`")
        until = None if timeout is None else time.monotonic() + timeout
        woken = threading.Event()
        with ctx._watch(woken.set):
            while ctx.err() is None:
                ends = [t for t in (until, ctx.deadline()) if t is not None]
                left = min(ends) - time.monotonic() if ends else None
                if until is not None and time.monotonic() >= until:
                    return False
                woken.wait(None if left is None else min(max(left, 0.0), threading.TIMEOUT_MAX))
        return True

    def __await__(self) -> Generator[Any, None, bool]:
        return self.wait_async().__await__()

    async def wait_async(self, timeout: float | None = None) -> bool:
        """As `wait`, for a coroutine: a sleep that ends with the context."""
        ctx = self._ctx
        loop = asyncio.get_running_loop()
        until = None if timeout is None else loop.time() + timeout
        while ctx.err() is None:
            left = None if until is None else until - loop.time()
            if left is not None and left <= 0:
                return False
            future: asyncio.Future[None] = loop.create_future()
            with ctx._watch(lambda future=future: wake_later(loop, _wake, future)):  # type: ignore[misc]
                timer = arm(ctx, loop, _wake, future)
                try:
                    if ctx.err() is None:
                        await asyncio.wait((future,), timeout=left)
                finally:
                    if timer is not None:
                        timer.cancel()
        return True


def arm(
    ctx: Context, loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object
) -> asyncio.TimerHandle | None:
    """A timer on `loop` for the deadline of `ctx`, if there is one."""
    deadline = ctx.deadline()
    if deadline is None or deadline == float("inf"):
        return None
    # The loop's clock may be coarser than ours: without the margin it could fire a tick before err() agrees.
    return loop.call_later(max(deadline - time.monotonic(), 0.0) + 0.001, call, *args)


def watch(ctx: Context, watcher: Any) -> bool:
    """Register `watcher` with the context and its parents: when one is cancelled, `watcher.call()` is called.

    Not if its `epoch` is that of a parent process. Returns whether the context is done already or has a deadline.
    Call it with the lock held.
    """
    node = ctx._node
    ends = False
    while node is not None:
        if node._watches is None:
            node._watches = {}
        node._watches[watcher] = None
        if node._err is not None or node._deadline is not None:
            ends = True
        node = node._up
    return ends


def unwatch(ctx: Context, watcher: Any) -> None:
    """Take it back. Call it with the lock held."""
    node = ctx._node
    while node is not None:
        if node._watches is not None:
            node._watches.pop(watcher, None)
        node = node._up


class _Watch:
    """A callback for "this context may be done", registered with the context and its parents."""

    __slots__ = ("call", "ctx", "epoch")

    def __init__(self, ctx: Context, call: Callable[[], object]) -> None:
        self.call = call
        self.ctx = ctx
        self.epoch = STATE.epoch

    def __enter__(self) -> None:
        with STATE.lock:
            watch(self.ctx, self)

    def __exit__(self, *_: object) -> None:
        with STATE.lock:
            unwatch(self.ctx, self)


class Context:
    """Immutable but for its being done. Make one with `background()` and the `with_...` functions."""

    __slots__ = (
        "__weakref__",
        "_at",
        "_cause",
        "_deadline",
        "_err",
        "_key",
        "_label",
        "_node",
        "_parent",
        "_up",
        "_value",
        "_watches",
    )

    _node: Context | None
    """The nearest context, itself included, that can be cancelled; None: never done."""
    _up: Context | None
    """The next one above `_node`."""

    def __init__(self, parent: Context | None, label: str) -> None:
        self._parent = parent
        self._label = label
        self._key: object = None
        self._value: object = None
        self._node = None if parent is None else parent._node
        self._up = None
        self._err: Canceled | None = None
        self._cause: BaseException | None = None
        self._at = 0.0
        self._deadline: float | None = None
        self._watches: dict[Any, None] | None = None

    def __reduce__(self) -> NoReturn:
        refuse_copies(self)

    def __repr__(self) -> str:
        own = f"{self._label} at {id(self):#x}" if self._parent is not None else self._label
        return f"<Context {own}>"

    def done(self) -> Done:
        """Something to ask, wait for or await."""
        return Done(self)

    def err(self) -> Canceled | None:
        """Why it is done: `Canceled` or `DeadlineExceeded`; None while it is not."""
        if self._err is not None:
            return self._err
        node = self._node
        if node is None:
            return None
        while node is not None and node._err is None and node._deadline is None:
            node = node._up
        if node is None:
            return None
        node = self._node
        best: tuple[float, Canceled | None, BaseException | None] | None = None
        now = time.monotonic()
        with STATE.lock:
            while node is not None:
                found: tuple[float, Canceled | None, BaseException | None] | None = None
                if node._err is not None:
                    found = (node._at, node._err, node._cause)
                elif node._deadline is not None and now >= node._deadline:
                    found = (node._deadline, None, None)
                # What happened first is the reason; on a tie the parent is.
                if found is not None and (best is None or found[0] <= best[0]):
                    best = found
                node = node._up
            if best is None:
                return None
            if self._err is None:
                self._at, reason, self._cause = best
                self._err = DeadlineExceeded("context deadline exceeded") if reason is None else reason
            return self._err

    def cause(self) -> BaseException | None:
        """What was given to `cancel`, else `err()`."""
        err = self.err()
        return err if self._cause is None else self._cause

    def deadline(self) -> float | None:
        """The `time.monotonic()` at which it will be done at the latest, or None."""
        node = self._node
        found: float | None = None
        while node is not None:
            if node._deadline is not None and (found is None or node._deadline < found):
                found = node._deadline
            node = node._up
        return found

    def value(self, key: object) -> Any:
        """What the nearest `with_value` of this key holds, or None."""
        ctx: Context | None = self
        while ctx is not None:
            if ctx._label == "value" and (ctx._key is key or ctx._key == key):
                return ctx._value
            ctx = ctx._parent
        return None

    def check(self) -> None:
        """Raise `Canceled` or `DeadlineExceeded` if it is done."""
        err = self.err()
        if err is not None:
            # A new one each time: raising the kept one would pin the frames it passed through.
            raise type(err)(*err.args)

    def _watch(self, call: Callable[[], object]) -> _Watch:
        return _Watch(self, call)

    def _cancel(self, cause: BaseException | None) -> None:
        with STATE.lock:
            if self.err() is not None:
                return
            self._at = time.monotonic()
            self._cause = cause
            self._err = Canceled("context canceled")
            watches = list(self._watches or ())
            self._watches = None
        for watch in watches:
            # Those of a parent process belong to loops and threads that do not exist here.
            if watch.epoch == STATE.epoch:
                watch.call()

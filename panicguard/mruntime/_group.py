"""`Group`: work that ends together, and whose errors are one: Go's `errgroup`."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, NoReturn

from ._body import Body
from ._classify import CLEAN, classify
from ._context import in_event_loop, refuse_copies
from ._derived import current_context, with_cancel
from ._exception_group import BaseExceptionGroup
from ._functions import close_coroutine
from ._safego import SafeGo
from ._spawn import Options
from ._state import STATE
from ._sync import Member, WaitGroup
from ._thread import GuardedThread
from ._typed import GO_ASYNC, typed_as

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Iterable, Mapping
    from concurrent.futures import Executor
    from types import TracebackType

    from ._context import Context

_NOTHING = object()


class Group:
    """Work that ends together: the block, `with` or `async with`, ends when all has that `go` started in it.

    `limit`: how many run at once. ValueError if it is less than one.

    **Errors.** An exception that ends a member or the body cancels the rest, unless `cancel_on_error` is false. When
    all have ended, the block raises an ExceptionGroup of all errors in the order in which they occurred, or a
    BaseExceptionGroup if one is no Exception: those of Python, before 3.11 those of this package. A member's panic was
    reported as by `SafeGo` before that; the body's error is not a panic. SystemExit and KeyboardInterrupt cancel the
    rest in any case, and are raised themselves in place of all others, as by `asyncio.TaskGroup`. With the policy
    CrashProcess the process ends where the panic was raised.

    **Cancellation.** `ctx` is a child of the current context, or of the one that was given, and is the current one in
    the body and in the members. Once it is done, the members' tasks and the body of an `async with` are cancelled,
    threads and pool jobs are to heed it, and `go` raises Canceled, with which a body may end. After `cancel()` the
    block then raises nothing. If it was the context around that is done, the block raises what `err()` of that is,
    but only if something was cut short. If somebody cancels the task that waits, the block raises CancelledError; or
    the errors, if there are any, and the cancellation comes up at the next await. A member that is cancelled by itself
    is no error. One whose own `timeout` is over is one, DeadlineExceeded.

    A `with` waits for threads that do not heed the context for as long as they take, but a second Ctrl-C during that
    wait ends it. RuntimeError for a `with` on the thread of a running event loop, and for a group entered twice.
    """

    __slots__ = (
        "__weakref__",
        "_base",
        "_body",
        "_cancel",
        "_cancel_on_error",
        "_cancelled",
        "_cut",
        "_errors",
        "_members",
        "_parent",
        "_state",
        "_token",
        "_values",
        "ctx",
    )

    def __init__(self, *, limit: int | None = None, cancel_on_error: bool = True, ctx: Context | None = None) -> None:
        self._parent = current_context() if ctx is None else ctx
        self.ctx, self._cancel = with_cancel(self._parent)
        self._cancel_on_error = cancel_on_error
        self._members = WaitGroup(limit=limit)
        self._state = "new"
        self._token: contextvars.Token[Any] | None = None
        self._body: Body | None = None
        self._values: list[Any] = []
        self._errors: list[BaseException] = []
        self._base: BaseException | None = None
        """What is raised itself, in place of all errors."""
        self._cancelled: BaseException | None = None
        """How somebody else cancelled the task that waits."""
        self._cut = False
        """Whether anything was cut short because the context is done."""

    def __reduce__(self) -> NoReturn:
        refuse_copies(self)

    @property
    def results(self) -> list[Any]:
        """What the members returned, in the order in which they were started; None for those that did not return.

        RuntimeError before the block has ended.
        """
        if self._state != "ended":
            raise RuntimeError("the results of a Group are there when its block has ended")
        return [value for value in self._values if value is not _NOTHING]

    def cancel(self) -> None:
        """Cancel all members and the body, from any thread."""
        self._cancel()

    @typed_as(SafeGo)
    def go(
        self,
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
        loop: asyncio.AbstractEventLoop | None = None,
        context: contextvars.Context | None = None,
        timeout: float | None = None,
    ) -> Any:
        """`SafeGo` as a member, from the body, a member or any thread; returns what that returns.

        Where `limit` of them run it waits for one to end, on the thread of an event loop with a RuntimeError instead:
        `await go_async(...)` waits there. Canceled once the context is done, RuntimeError when the block has ended,
        TypeError for a future, which runs outside of the group.
        """
        options = Options(args, kwargs, name, daemon, executor, loop, context, timeout)
        self._check(fn, component)
        self._members.take(fn, component, self.ctx)
        return self._start(component, policy, fn, options)

    @typed_as(GO_ASYNC)
    async def go_async(
        self,
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
        loop: asyncio.AbstractEventLoop | None = None,
        context: contextvars.Context | None = None,
        timeout: float | None = None,
    ) -> Any:
        """As `go`, for a coroutine: it waits until there is room. Cancelled meanwhile, it starts nothing."""
        options = Options(args, kwargs, name, daemon, executor, loop, context, timeout)
        self._check(fn, component)
        await self._members.take_async(fn, self.ctx)
        return self._start(component, policy, fn, options)

    def _check(self, fn: object, component: str) -> None:
        try:
            if asyncio.isfuture(fn):
                raise TypeError(f"Group.go({component!r}): a future runs already, outside of the group")
            if self._state != "open":
                way = "its block has ended" if self._state == "ended" else "enter it first, by `with` or `async with`"
                raise RuntimeError(f"Group.go({component!r}): nothing is started in this group: {way}")
            self.ctx.check()
        except BaseException:
            close_coroutine(fn)
            raise

    def _start(self, component: str, policy: object, fn: Any, options: Options) -> Any:
        with STATE.lock:
            # While it waited for a place the block may have ended.
            member = Member(self._members, lambda ended: self._heard(at, ended))
            try:
                self._check(fn, component)
            except BaseException:
                member.leave()
                raise
            at = len(self._values)
            self._values.append(None)
        try:
            return member.start(self.ctx, component, policy, fn, options)
        except BaseException:
            self._values[at] = _NOTHING
            raise

    def _heard(self, at: int, ended: Any) -> None:
        """A member has ended."""
        value, exc = _outcome(ended)
        if exc is None:
            self._values[at] = value
        elif classify(exc, self.ctx, task=isinstance(ended, asyncio.Task)) == CLEAN:
            self._cut = self._cut or self.ctx.err() is not None
        else:
            self._failed(exc)

    def _failed(self, exc: BaseException) -> None:
        if isinstance(exc, (SystemExit, KeyboardInterrupt)):
            self._base = self._base or exc
            self._cancel()
            return
        with STATE.lock:
            self._errors.append(exc)
        if self._cancel_on_error:
            self._cancel()

    def _open(self) -> None:
        if self._state != "new":
            raise RuntimeError("a Group is entered once")
        self._state = "open"
        self._token = STATE.current.set(self.ctx)

    def _all_ended(self) -> bool:
        with STATE.lock:
            if self._members.wait(0):
                self._state = "ended"
            return self._state == "ended"

    def _close(self, exc: BaseException | None) -> bool:
        """All have ended: raise what is to be raised; whether `exc`, that ended the body, is not to be."""
        if self._token is not None:
            # An async generator may end in other context variables than it began in.
            with contextlib.suppress(ValueError):
                STATE.current.reset(self._token)
        self._cancel()
        errors, base, cancelled = self._errors, self._base, self._cancelled
        self._errors, self._base, self._cancelled, self._token = [], None, None, None
        try:
            if base is not None:
                if base is exc:
                    return False
                raise base
            if errors:
                raise BaseExceptionGroup("errors in a Group", errors) from None
            if cancelled is not None:
                if cancelled is exc:
                    return False
                raise cancelled
            around = self._parent.err()
            if self._cut and around is not None:
                if exc is not None and not isinstance(exc, CancelledError):
                    return False
                raise type(around)(*around.args) from None
            return True
        finally:
            # They hold the frames that hold them.
            del errors, base, cancelled, exc

    def __enter__(self) -> Group:
        if in_event_loop():
            raise RuntimeError("the end of a `with` of a Group would block the running event loop; use `async with`")
        self._open()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> bool:
        if isinstance(exc, CancelledError):
            self._cancelled = exc
            self._cancel()
        elif exc is not None:
            self._body_raised(exc)
        interrupted = False
        while not self._all_ended():
            try:
                self._members.wait()
            except BaseException as error:
                if interrupted:
                    raise
                interrupted = True
                self._base = error
                self._cancel()
        return self._close(exc)

    async def __aenter__(self) -> Group:
        self._open()
        self._body = Body(self.ctx)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> bool:
        body, self._body = self._body, None
        assert body is not None
        ours = body.end()
        if isinstance(exc, CancelledError):
            self._cut = True
            self._cancelled = None if ours else exc
            self._cancel()
        elif exc is not None:
            self._body_raised(exc)
        if isinstance(exc, GeneratorExit):
            # The coroutine is closed, and cannot wait any more.
            return False
        while not self._all_ended():
            try:
                await self._members.wait_async()
            except CancelledError as error:
                self._cancelled = error
                self._cancel()
        if self._errors and self._cancelled is not None:
            body.cancel_again(waited=self._cancelled is not exc)
        return self._close(exc)

    def _body_raised(self, exc: BaseException) -> None:
        if isinstance(exc, GeneratorExit):
            self._base = exc
            self._cancel()
        elif self.ctx.err() is not None and classify(exc, self.ctx, task=True) == CLEAN:
            self._cut = True
        else:
            self._failed(exc)


def _outcome(ended: Any) -> tuple[Any, BaseException | None]:
    """What a task, future or thread returned, and what ended it instead."""
    if isinstance(ended, GuardedThread):
        return ended.result, ended._mr_error
    if ended.cancelled():
        return None, CancelledError()
    exc = ended.exception()
    return (None, exc) if exc is not None else (ended.result(), None)

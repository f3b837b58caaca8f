"""What `go` and `go_async` of WaitGroup and Group take and return, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, overload

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
Call = TypeVar("Call")
CallOut = TypeVar("CallOut", covariant=True)


class _Method(Protocol[CallOut]):
    def __get__(self, instance: object, owner: type | None = None, /) -> CallOut: ...


def typed_as(call: Call) -> Callable[[object], _Method[Call]]:
    """For type checkers the method then takes and returns, after `self`, what `call` does."""
    return lambda method: cast("_Method[Call]", method)


class _GoAsync(Protocol):
    @overload
    async def __call__(  # type: ignore[overload-overlap]
        self,
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
    async def __call__(
        self,
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
    async def __call__(
        self,
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
    async def __call__(  # type: ignore[overload-overlap]
        self,
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
    async def __call__(
        self,
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
    async def __call__(
        self,
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
    async def __call__(
        self,
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


GO_ASYNC = cast("_GoAsync", None)
"""`SafeGo`, to be awaited: only for its type."""

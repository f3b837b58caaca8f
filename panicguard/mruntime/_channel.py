"""A queue between goroutines: Go's `chan`."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from ._context import _wake, in_event_loop, refuse_copies, wake_later
from ._derived import own
from ._state import STATE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from ._context import Context

T = TypeVar("T")


class ChannelClosed(Exception):  # noqa: N818  (a state, as queue.Empty is)
    """The channel is closed: nothing can be sent, and all that was sent has been received."""


class _Wait:
    """One sender or receiver that may have to wait; settled under the lock by the other side, or by close."""

    __slots__ = ("item", "settled", "wake")

    def __init__(self, item: Any = None) -> None:
        self.item = item
        self.settled = ""
        """`taken`: the item changed hands, or has a place in the buffer; `closed`; "" while it waits."""
        self.wake: Callable[[], object] | None = None

    @property
    def waits(self) -> bool:
        """True until it is settled."""
        return not self.settled

    def settle(self, how: str) -> None:
        self.settled = how
        if self.wake is not None:
            self.wake()


class Channel(Generic[T]):
    """Items go from senders to receivers, threads or coroutines, each to one and in order.

    `capacity` items can be sent before one is received; with 0 a sender waits until its item is taken.
    A receiver iterates (`for`, `async for`) until the channel is closed and empty.
    """

    def __init__(self, capacity: int = 0) -> None:
        """ValueError if `capacity` is negative."""
        if capacity < 0:
            raise ValueError("the capacity of a channel is not negative")
        self._capacity = capacity
        self._sent: deque[_Wait] = deque()
        """The buffer and behind it the senders that wait for a place."""
        self._receivers: deque[_Wait] = deque()
        self._closed = False
        self._epoch = STATE.epoch

    def __reduce__(self) -> NoReturn:
        refuse_copies(self)

    def __len__(self) -> int:
        """How many items are in the buffer."""
        return min(len(self._sent), self._capacity)

    @property
    def capacity(self) -> int:
        """How many items can be sent before one is received."""
        return self._capacity

    @property
    def closed(self) -> bool:
        """True after `close`; there may be items to receive yet."""
        return self._closed

    def close(self) -> None:
        """Nothing more can be sent; what is in the buffer can be received. It may be closed twice."""
        with STATE.lock:
            self._renew()
            self._closed = True
            while self._sent and not self._sent[-1].settled:
                self._sent.pop().settle("closed")
            while self._receivers:
                self._receivers.popleft().settle("closed")

    def send(self, item: T, timeout: float | None = None, *, ctx: Context | None = None) -> None:
        """Hand over `item`, waiting until it is taken or has a place in the buffer.

        ChannelClosed if the channel is, or is closed meanwhile; TimeoutError after `timeout` seconds; what
        `ctx.err()` is once that is done. In all of them nothing was sent. RuntimeError if it would block the
        running event loop.
        """
        wait = self._offer(item)
        if wait.waits:
            try:
                self._block(wait, timeout, ctx, "send")
            except BaseException:
                # Ctrl-C, say.
                self._give_up_sending(wait)
                raise
        self._result(wait, self._sent, timeout, ctx)

    async def send_async(self, item: T, timeout: float | None = None, *, ctx: Context | None = None) -> None:
        """As `send`, for a coroutine. If that is cancelled the item was not sent, or was taken at that very moment."""
        wait = self._offer(item)
        if wait.waits:
            try:
                await self._pause(wait, timeout, ctx)
            except asyncio.CancelledError:
                self._give_up_sending(wait)
                raise
        self._result(wait, self._sent, timeout, ctx)

    def receive(self, timeout: float | None = None, *, ctx: Context | None = None) -> T:
        """The next item, waiting for one. Errors as `send`; ChannelClosed once it is closed and empty."""
        wait = self._accept()
        if wait.waits:
            try:
                self._block(wait, timeout, ctx, "receive")
            except BaseException:
                self._give_up_receiving(wait)
                raise
        return self._result(wait, self._receivers, timeout, ctx)

    async def receive_async(self, timeout: float | None = None, *, ctx: Context | None = None) -> T:
        """As `receive`, for a coroutine. If that is cancelled no item is lost."""
        wait = self._accept()
        if wait.waits:
            try:
                await self._pause(wait, timeout, ctx)
            except asyncio.CancelledError:
                self._give_up_receiving(wait)
                raise
        return self._result(wait, self._receivers, timeout, ctx)

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                item = self.receive()
            except ChannelClosed:
                return
            yield item

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            try:
                item = await self.receive_async()
            except ChannelClosed:
                return
            yield item

    def _renew(self) -> None:
        # Those who wait in a parent process are not there in its child.
        if self._epoch != STATE.epoch:
            self._epoch = STATE.epoch
            self._receivers.clear()
            self._sent = deque(wait for wait in self._sent if wait.settled)

    def _offer(self, item: T) -> _Wait:
        wait = _Wait(item)
        with STATE.lock:
            self._renew()
            if self._closed:
                wait.settled = "closed"
            elif self._receivers:
                receiver = self._receivers.popleft()
                receiver.item = item
                receiver.settle("taken")
                wait.settled = "taken"
            else:
                self._sent.append(wait)
                if len(self._sent) <= self._capacity:
                    wait.settled = "taken"
        return wait

    def _accept(self) -> _Wait:
        wait = _Wait()
        with STATE.lock:
            self._renew()
            if self._sent:
                sender = self._sent.popleft()
                wait.item, wait.settled = sender.item, "taken"
                if not sender.settled:
                    sender.settle("taken")
                if len(self._sent) >= self._capacity > 0:
                    moved = self._sent[self._capacity - 1]
                    if not moved.settled:
                        moved.settle("taken")
            elif self._closed:
                wait.settled = "closed"
            else:
                self._receivers.append(wait)
        return wait

    def _give_up_sending(self, wait: _Wait) -> None:
        with STATE.lock:
            if wait.waits:
                _remove(self._sent, wait)

    def _give_up_receiving(self, wait: _Wait) -> None:
        with STATE.lock:
            if wait.settled == "taken":
                self._put_back(wait.item)
            _remove(self._receivers, wait)

    def _put_back(self, item: T) -> None:
        """Give an item to the next receiver, or make it the first again; a full buffer holds one more then."""
        if self._receivers:
            receiver = self._receivers.popleft()
            receiver.item = item
            receiver.settle("taken")
            return
        wait = _Wait(item)
        wait.settled = "taken"
        self._sent.appendleft(wait)

    def _block(self, wait: _Wait, timeout: float | None, ctx: Context | None, what: str) -> None:
        """Until it is settled, `ctx` is done or the time is over, in a thread."""
        if in_event_loop():
            with STATE.lock:
                _remove(self._sent, wait)
                _remove(self._receivers, wait)
            if wait.settled:
                return
            raise RuntimeError(f"Channel.{what}() would block the running event loop; use `await {what}_async()`")
        woken = threading.Event()
        with STATE.lock:
            if wait.settled:
                return
            wait.wake = woken.set
        until = None if timeout is None else time.monotonic() + timeout
        around = own(ctx)
        with around._watch(woken.set):
            while wait.waits and around.err() is None:
                ends = [at for at in (until, around.deadline()) if at is not None]
                left = min(ends) - time.monotonic() if ends else None
                if until is not None and time.monotonic() >= until:
                    return
                woken.wait(None if left is None else min(max(left, 0.0), threading.TIMEOUT_MAX))

    async def _pause(self, wait: _Wait, timeout: float | None, ctx: Context | None) -> None:
        """As `_block`, in a coroutine."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            wake_later(loop, _wake, woken)

        with STATE.lock:
            if wait.settled:
                return
            wait.wake = wake
        around = own(ctx)
        ends = [] if timeout is None else [timeout]
        deadline = around.deadline()
        if deadline is not None:
            # A little later, for then err() has to agree.
            ends.append(max(deadline - time.monotonic(), 0.0) + 0.001)
        with around._watch(wake):
            if around.err() is None:
                await asyncio.wait((woken,), timeout=min(ends) if ends else None)

    def _result(self, wait: _Wait, waiting: deque[_Wait], timeout: float | None, ctx: Context | None) -> T:
        with STATE.lock:
            if wait.waits:
                _remove(waiting, wait)
        if wait.settled == "taken":
            item: T = wait.item
            return item
        if wait.settled == "closed":
            raise ChannelClosed("the channel is closed")
        own(ctx).check()
        raise TimeoutError(f"nothing within {timeout} seconds")


def _remove(waiting: deque[_Wait], wait: _Wait) -> None:
    try:
        waiting.remove(wait)
    except ValueError:
        return

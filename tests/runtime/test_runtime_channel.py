"""Channels between threads and coroutines."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from panicguard.mruntime import (
    Canceled,
    Channel,
    ChannelClosed,
    DeadlineExceeded,
    KeepRunning,
    SafeGo,
    background,
    with_cancel,
    with_timeout,
)


def until(condition):
    """Await a condition, five seconds at most."""
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_items_arrive_in_order_and_once_in_threads():
    channel: Channel[int] = Channel(3)
    received: list[int] = []
    lock = threading.Lock()

    def consume():
        for item in channel:
            with lock:
                received.append(item)

    workers = [SafeGo("consumer", KeepRunning, consume) for _ in range(4)]
    for item in range(500):
        channel.send(item)
    channel.close()
    for worker in workers:
        worker.join(5)
        assert worker.panic is None
    assert sorted(received) == list(range(500))


def test_items_arrive_in_order_and_once_in_coroutines():
    async def main():
        channel: Channel[int] = Channel()
        received: list[int] = []

        async def consume():
            async for item in channel:
                received.append(item)

        tasks = [SafeGo("consumer", KeepRunning, consume()) for _ in range(4)]
        for item in range(500):
            await channel.send_async(item)
        channel.close()
        await asyncio.gather(*tasks)
        return received

    received = asyncio.run(main())
    assert sorted(received) == list(range(500))


@pytest.mark.parametrize("capacity", [0, 1, 7])
def test_from_a_thread_to_a_loop_and_back(capacity):
    there: Channel[int] = Channel(capacity)
    back: Channel[int] = Channel(capacity)

    async def echo():
        async for item in there:
            await back.send_async(item * 2)
        back.close()

    thread = SafeGo("loop", KeepRunning, lambda: asyncio.run(echo()))
    sender = SafeGo("sender", KeepRunning, lambda: ([there.send(item) for item in range(50)], there.close()))
    assert list(back) == [item * 2 for item in range(50)]
    thread.join(5)
    sender.join(5)


def test_a_sender_waits_for_a_place_and_without_buffer_for_the_receiver():
    for capacity in (0, 2):
        channel: Channel[int] = Channel(capacity)
        for item in range(capacity):
            channel.send(item, 0)
        assert len(channel) == capacity
        with pytest.raises(TimeoutError):
            channel.send(99, 0.01)
        sender = SafeGo("sender", KeepRunning, channel.send, args=(capacity,))
        until(lambda: len(channel._sent) == capacity + 1)  # noqa: B023
        assert sender.is_alive()
        assert channel.receive(5) == 0
        sender.join(5)
        assert not sender.is_alive()
        assert [channel.receive(5) for _ in range(capacity)] == list(range(1, capacity + 1))
        with pytest.raises(TimeoutError):
            channel.receive(0.01)


def test_close_ends_senders_receivers_and_iteration():
    channel: Channel[str] = Channel(1)
    channel.send("kept")
    failed: list[BaseException] = []

    def send():
        try:
            channel.send("refused")
        except ChannelClosed as error:
            failed.append(error)

    sender = SafeGo("sender", KeepRunning, send)
    until(lambda: len(channel._sent) == 2)
    channel.close()
    channel.close()
    sender.join(5)
    assert len(failed) == 1
    assert channel.closed
    with pytest.raises(ChannelClosed):
        channel.send("late")
    assert list(channel) == ["kept"]
    with pytest.raises(ChannelClosed):
        channel.receive()

    empty: Channel[str] = Channel()
    receiver = SafeGo("receiver", KeepRunning, lambda: list(empty))
    until(lambda: empty._receivers)
    empty.close()
    receiver.join(5)
    assert receiver.result == []


def test_a_context_ends_the_wait():
    channel: Channel[int] = Channel()
    with with_timeout(background(), 0.01) as ctx, pytest.raises(DeadlineExceeded):
        channel.receive(ctx=ctx)
    ctx, cancel = with_cancel(background())
    caught: list[BaseException] = []

    def send():
        try:
            channel.send(1, ctx=ctx)
        except Canceled as error:
            caught.append(error)

    sender = SafeGo("sender", KeepRunning, send)
    until(lambda: channel._sent)
    cancel()
    sender.join(5)
    assert len(caught) == 1

    async def main():
        ctx, cancel = with_cancel(background())
        task = SafeGo("receiver", KeepRunning, channel.receive_async(ctx=ctx))
        await asyncio.sleep(0)
        cancel()
        with pytest.raises(Canceled):
            await task
        with with_timeout(background(), 0.01) as late, pytest.raises(DeadlineExceeded):
            await channel.send_async(1, ctx=late)
        with pytest.raises(TimeoutError):
            await channel.receive_async(0.01)

    asyncio.run(main())
    assert not channel._sent
    assert not channel._receivers


def test_a_cancelled_receiver_loses_no_item():
    async def main():
        channel: Channel[int] = Channel()
        task = asyncio.create_task(channel.receive_async())
        await asyncio.sleep(0)
        # Handed over and cancelled in the same turn of the loop: the receiver never gets to take it.
        channel.send(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        channel.send_async(2).close()
        assert await channel.receive_async(0) == 1

    asyncio.run(main())


def test_a_cancelled_sender_takes_its_item_back():
    async def main():
        channel: Channel[int] = Channel()
        task = asyncio.create_task(channel.send_async(1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TimeoutError):
            await channel.receive_async(0)

    asyncio.run(main())


def test_blocking_a_loop_is_an_error_and_not_blocking_is_not():
    async def main():
        channel: Channel[int] = Channel(1)
        channel.send(1)
        with pytest.raises(RuntimeError, match="send_async"):
            channel.send(2)
        assert channel.receive() == 1
        with pytest.raises(RuntimeError, match="receive_async"):
            channel.receive()
        assert len(channel) == 0

    asyncio.run(main())


def test_a_capacity_is_not_negative():
    with pytest.raises(ValueError, match="capacity"):
        Channel(-1)
    assert Channel(3).capacity == 3

"""The `raise` that a handler of cancellations may get: never where the program would stop to work with it."""

from __future__ import annotations

import asyncio
import textwrap
from typing import Any

import pytest

from panicguard.diagnostic import Applicability
from panicguard.engine import check
from panicguard.fix import fix
from panicguard.settings import Settings
from panicguard.source import Source

SETTINGS = Settings(enabled=frozenset(("PNC304",)))
WORKER = """
import asyncio
from contextlib import suppress

async def work(queue):
    while True:
        try:
            print(await queue.get())
        except asyncio.CancelledError:
            print("not now")

async def stop(task, tasks, lock):
"""
CANCEL = "task.cancel()\n"


def fixes(text: str, path: str = "a.py", settings: Settings = SETTINGS) -> list[Applicability | None]:
    return [found.fix and found.fix.applicability for found in check(Source(path, text), settings)]


def owner(body: str) -> str:
    return WORKER + textwrap.indent(body, "    ")


@pytest.mark.parametrize(
    "wait",
    [
        "await task",
        "async with lock:\n    await task",
        "await (stopped := task)",
        "await tasks[0]",
        "await asyncio.gather(*tasks)",
        "await asyncio.gather(*tasks, return_exceptions=False)",
        "await asyncio.gather(asyncio.sleep(1), task)",
        "await asyncio.shield(task)",
        "await asyncio.wait_for(task, 1)",
        "await asyncio.wait_for(asyncio.shield(task), 1)",
        "await asyncio.wait(tasks)\nprint(task.result())",
        "task.add_done_callback(lambda t: print(t.exception()))",
        "try:\n    await task\nexcept asyncio.CancelledError:\n    raise",
        "try:\n    await task\nexcept OSError:\n    pass",
        "try:\n    pass\nexcept asyncio.CancelledError:\n    await task",
        "with suppress(OSError):\n    await task",
        "with suppress(asyncio.CancelledError):\n    async def later():\n        await task\n    asyncio.run(later())",
    ],
)
def test_none_where_the_error_would_leave_whoever_stops_the_task(wait: str) -> None:
    assert fixes(owner(CANCEL + wait)) == [None]
    assert fixes(owner(wait)) == [Applicability.UNSAFE], "nothing is cancelled"


@pytest.mark.parametrize(
    "wait",
    [
        "",
        "await asyncio.sleep(1)",
        "await asyncio.wait(tasks)",
        "await asyncio.gather(*tasks, return_exceptions=True)",
        "with suppress(asyncio.CancelledError):\n    await task",
        "try:\n    await task\nexcept (OSError, asyncio.CancelledError):\n    pass",
        "try:\n    await task\nexcept BaseException:\n    print()",
        "try:\n    await task\nexcept:\n    print()",
    ],
)
def test_unsafe_where_whoever_stops_the_task_expects_the_error(wait: str) -> None:
    assert fixes(owner(CANCEL + wait)) == [Applicability.UNSAFE]


@pytest.mark.parametrize("path", ["test_a.py", "a_test.py", "conftest.py", "tests.py", "tests/a.py", "a/test/b.py"])
def test_nothing_is_said_in_a_test_whatever_the_settings_say_of_spawns(path: str) -> None:
    for exempt in ((), ("*_pb2.py",)):
        settings = Settings(enabled=SETTINGS.enabled, spawn_exempt=exempt)
        assert fixes(owner("pass"), path, settings) == []
    assert fixes(owner("pass"), "attest.py") == [Applicability.UNSAFE]


def test_nothing_is_said_where_the_project_exempts_spawns() -> None:
    settings = Settings(enabled=SETTINGS.enabled, spawn_exempt=("checks/**",))
    assert fixes(owner("pass"), "checks/a.py", settings) == []


def test_none_where_the_text_cannot_be_read_and_something_is_cancelled() -> None:
    newer = 'print(f"{str("(")}")\n'
    assert fixes(newer + owner("task.cancel()")) in ([None], [Applicability.UNSAFE])
    assert fixes(newer + owner("task.cancel()\nawait task")) == [None]
    assert fixes(newer + owner("pass")) == [Applicability.UNSAFE]


def test_whoever_expects_the_error_can_stop_the_task_once_it_is_fixed() -> None:
    text = owner("task.cancel()\nwith suppress(asyncio.CancelledError):\n    await task\n")
    fixed = fix(Source("a.py", text), SETTINGS, unsafe=True).source.text
    assert is_stopped(fixed)
    assert not is_stopped(text), "it swallows the cancellation and waits for ever"


def is_stopped(text: str) -> bool:
    """Whether `stop` ends the task of a program."""
    names: dict[str, Any] = {}
    exec(text, names)

    async def run() -> bool:
        task = asyncio.create_task(names["work"](asyncio.Queue()))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(names["stop"](task, [], None))
        done, _ = await asyncio.wait([stopping], timeout=0.2)
        if not task.done():
            task.get_coro().close()
        return stopping in done

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()

"""Many texts sought at once, and the files whose bytes alone show that there is nothing to find."""

from __future__ import annotations

import pytest

from panicguard.config import default
from panicguard.files.search import MOST, found_in
from panicguard.run.screen import is_silent

MANY = tuple(f"word{number:03}" for number in range(2 * MOST + 1))


@pytest.mark.parametrize("kind", [str, str.encode])
def test_a_text_within_another_one_is_found_too(kind: type[str]) -> None:
    assert found_in(kind("a QThread"), ("Thread", "QThread", "Timer")) == {"Thread", "QThread"}
    assert found_in(kind("except :\n    finally:"), ("finally", "except:", "except :")) == {"finally", "except :"}
    assert found_in(kind(""), ("finally",)) == set()


def test_more_texts_than_one_search_takes_are_all_found() -> None:
    assert found_in(" ".join(MANY), MANY) == set(MANY)


@pytest.mark.parametrize(
    ("text", "silent"),
    [
        ("x = gather(f())", True),
        ("from asyncio import gather\ngather(f())", False),
        ("from threading import Thread", False),
        ("class Thread: ...", True),
        ("def f():\n    try: g()\n    finally: h()", True),
        ("async def f():\n    try: g()\n    finally: h()", False),
        ("x = 1  # noqa: PNC101", False),
        ("x = gather()  # noqa: bare-thread", False),
        ("x = '\0'", False),
    ],
)
def test_a_word_without_what_it_needs_is_none(text: str, silent: bool) -> None:
    assert is_silent("/a.py", text.encode(), default("/")) is silent

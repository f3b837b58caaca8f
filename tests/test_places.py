"""Where findings are, and where fixes write: in texts that libcst does not write back as they are, or cannot parse, and
in a sketch, which has its places from Python's own tree."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures import cases
from panicguard import engine
from panicguard.fix import converge
from panicguard.python.cst import cst, parsed
from panicguard.python.nodes import child_fields, parents_of
from panicguard.python.places import Sketched, Written
from panicguard.python.plain import plain
from panicguard.python.sketch.expressions import NoSketchError
from panicguard.python.sketch.statements import sketch
from panicguard.rule import all_rules
from panicguard.settings import Settings
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

SETTINGS = Settings(enabled=frozenset(rule.code for rule in all_rules()), spawn_exempt=())
LIBRARY = Path(sysconfig.get_path("stdlib"))
MODULES = [*sorted(LIBRARY.glob("asyncio/*.py")), *(case for case in cases() if case.suffix == ".py")]
SWALLOWED = """import asyncio


async def poll(queue):
    while True:
        try:
            await queue.get()
        except asyncio.CancelledError :
            print("first")


async def fetch(queue):
    while True:
        try:
            await queue.get()
        except (asyncio.CancelledError , ValueError) as error :
            print(error)
        finally :
            pass
        try:
            await queue.get()
        except asyncio.CancelledError:
            print("last")
"""
CONVERTED = """import asyncio

import mruntime


async def main(z):
    asyncio.create_task(send(f"{z!r }"))
    asyncio.create_task(send(f"{z!r }", f"{z!r }"))
"""
ANNOTATED = """import asyncio

import mruntime


async def main(z):
    (x): int = z
    asyncio.create_task(send(x))
"""
BACKSLASH = """import asyncio

import mruntime


async def main(z):
\\
    x = z
    asyncio.create_task(send(x))
"""
HELD = """import asyncio


class Poller:
    def start(self):
        (self.task): object = asyncio.create_task(self.poll())

    async def poll(self):
        await self.fetch()
"""


def found(text: str) -> list[tuple[str, str, bool]]:
    """The findings: code, the text at their place, and whether they have a fix."""
    return [(d.code, text[d.start : d.end], d.fix is not None) for d in engine.check(Source("a.py", text), SETTINGS)]


def fixed(text: str) -> str:
    return converge(Source("a.py", text), lambda source: engine.check(source, SETTINGS), True).source.text


def test_a_blank_before_a_colon_moves_nothing() -> None:
    assert found(SWALLOWED) == [
        ("PNC304", "except asyncio.CancelledError", True),
        ("PNC304", "except (asyncio.CancelledError , ValueError)", False),
        ("PNC304", "except asyncio.CancelledError", True),
    ]
    after = SWALLOWED
    for last in ('print("first")\n', 'print("last")\n'):
        after = after.replace(last, f"{last}            raise\n")
    assert fixed(SWALLOWED) == after


@pytest.mark.parametrize("text", [CONVERTED, ANNOTATED, BACKSLASH])
def test_a_fix_writes_at_the_right_place(text: str) -> None:
    assert set(found(text)) == {("PNC101", "asyncio.create_task", True)}
    after = text.replace("asyncio.create_task(", 'mruntime.SafeGo("send", mruntime.KeepRunning, ')
    assert fixed(text) == after.removeprefix("import asyncio\n\n")


def test_in_a_statement_that_libcst_rejects_python_knows_the_places() -> None:
    assert parsed(HELD) is None
    assert found(HELD) == [("PNC102", "asyncio.create_task", True)]
    assert '(self.task): object = mruntime.SafeGo("poll", mruntime.KeepRunning, self.poll())' in fixed(HELD)


def test_where_only_libcst_would_know_there_is_no_fix() -> None:
    text = HELD.replace("self.poll()", "(self.poll())")
    assert found(text) == [("PNC102", "asyncio.create_task", False)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_python_has_the_places_of_libcst(path: Path) -> None:
    """All that a sketch takes from Python's own tree, compared with what libcst writes out."""
    text = plain(Source.decode(path.name, path.read_bytes()).text)
    root = parsed(text)
    try:
        made = sketch(ast.parse(text), text)
    except (SyntaxError, NoSketchError):
        pytest.skip("it is not sketched")
    assert root is not None
    sketched, written = Sketched(made, parents_of(made.root), text), Written(root, parents_of(root), text)
    for node, real in pairs(made.root, root):
        if node in made.origins:
            assert sketched.span(node) == written.span(real), type(node)


def pairs(sketched: CSTNode, real: CSTNode) -> Iterator[tuple[CSTNode, CSTNode]]:
    """The nodes of a sketch with those that libcst has at the same place: only strings side by side differ."""
    stack = [(sketched, real)]
    while stack:
        node, other = stack.pop()
        if isinstance(other, cst.ConcatenatedString):
            continue
        assert type(node) is type(other)
        yield node, other
        for name in child_fields(type(node)):
            child, counterpart = getattr(node, name), getattr(other, name)
            if isinstance(child, list):
                stack += zip(child, counterpart, strict=type(node) is not cst.FormattedString)
            elif isinstance(child, cst.CSTNode):
                stack.append((child, counterpart))

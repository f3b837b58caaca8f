"""Functions that are parsed by themselves are those that the whole text has, whatever its rows look like."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import FIXTURES
from panicguard.python.margins import may_be_in_async
from panicguard.python.plain import plain
from panicguard.python.slice.hollow import MisreadError, hollow, module
from panicguard.python.slice.outline import outline
from panicguard.python.slice.parse import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.python.slice.outline import Outline

LIBRARY = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
Described = list[tuple[int, int, str, str, str]]


def described(found: Outline) -> Described:
    """The rows, names and owners of blocks, and all that functions are."""
    return [
        (
            block.first,
            block.last,
            block.name,
            ".".join(owner.name for owner in block.owners),
            ast.dump(block.whole.node, include_attributes=True) if block.function else "",
        )
        for block in found.blocks
    ]


def both(text: str) -> tuple[Described | None, Described]:
    """The blocks of a text, its functions parsed by themselves, or None if it was not read so; and those of the whole
    tree."""
    lines = text.split("\n")
    tree = parsed(text)
    assert tree is not None
    try:
        apart = described(outline(text, lines, *module(text, lines)))
    except MisreadError:
        apart = None
    return apart, described(outline(text, lines, tree))


def sources() -> Iterator[str]:
    for path in (*FIXTURES.rglob("*.py"), *LIBRARY):
        text = plain(path.read_text("utf-8", errors="replace")).lstrip("\f")
        if "\0" not in text and parsed(text) is not None:
            yield text


def test_functions_are_what_they_are_in_the_whole_text() -> None:
    read = misread = 0
    for text in sources():
        apart, whole = both(text)
        misread += apart is None
        read += 1
        assert apart in (None, whole)
    assert read > 300
    assert misread < read / 20


SHAPES = {
    "a template at the margin": 'def f():\n    t = """\nimport os\ndef g():\n    pass\n"""\n    return t\n\n\nx = 1\n',
    "quotes in quotes, twice": (
        'def f():\n    a = \'"""\'\n    b = """\nimport a\n"""\n\n\ndef g():\n    a = \'"""\'\n    b = """\n'
        'import b\n"""\n'
    ),
    "an example in a docstring": (
        'class A:\n    """\n    def no():\n        1\n    """\n\n    def yes(self):\n        2\n        3\n'
    ),
    "a header of several rows": "def f(\n    a,\n    b={1: 2},\n) -> int:\n    x = a\n    return x\n",
    "a header and its comment": "def f(  # one: two\n    a,\n):  # three\n    x = a\n    return x\n",
    "one row, then a block": "def f(): return 1\nif f():\n    x = 1\n    y = 2\ndef g():\n    a = 1\n    b = 2\n",
    "a bracket at the margin": "def f():\n    x = g(\n1,\n2)\n    return x\n",
    "a backslash at the margin": "def f():\n    x = 1 + \\\n2\n    return x\n\n\ndef g():\n    a = 1\n    return a\n",
    "comments below": "def f():\n    x = 1\n    y = 2\n    # the end\n# the next\n\n\ndef g():\n    1\n    2\n",
    "decorated": "@a\n@b(\n    1,\n)\nasync def f():\n    x = 1\n    return x\n",
    "nested": "def f():\n    def g():\n        1\n        2\n    return g\nif f:\n    def h():\n        1\n        2\n",
    "tabs": "class A:\n\tdef f(self):\n\t\tx = 1\n\t\treturn x\n\n\tdef g(self):\n\t\t1\n\t\t2\n",
    "letters of several bytes": "def ä(b='ö'):\n    x = 'ü'; y = x\n    return y\n",
    "no newline at the end": "def f():\n    x = 1\n    return x",
    "lambda with a colon": "f = lambda: (\n    1)\ndef g(a=lambda: 1,\n      b=2):\n    x = 1\n    return x\n",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_shapes_that_mislead(text: str) -> None:
    for above in ("", "x = 0\n", "import a\n\n\n"):
        apart, whole = both(above + text)
        assert apart in (None, whole)


PIECES = [*SHAPES.values(), 'x = """\n', '"""\n', "'''\n", "class B:\n    def m(self):\n        1\n        2\n"]


@given(st.lists(st.sampled_from(PIECES), max_size=6))
def test_shapes_beside_each_other(texts: list[str]) -> None:
    text = "x = 0\n" + "\n".join(texts)
    if parsed(text) is not None:
        apart, whole = both(text)
        assert apart in (None, whole)


def test_bodies_are_left_out() -> None:
    text = "x = 0\n" + SHAPES["a header of several rows"] + "\n\nx = f(1)\n"
    left = "x = 0\ndef f(\n    a,\n    b={1: 2},\n) -> int:\n ...\nx = f(1)\n"
    assert hollow(text, text.split("\n")) == (left, [0, 1, 2, 3, 4, 6, 9, 10, 11], {(1, 6)})


@pytest.mark.parametrize("value", ['"""\n<p>\n"""', "1 + \\\n2"])
def test_only_a_function_with_an_uncertain_end_is_left_whole(value: str) -> None:
    uncertain = f"def f():\n    x = {value}\n    return x\n"
    text = f"x = 0\n{uncertain}def g():\n    a = 1\n    return a\n"
    assert hollow(text, text.split("\n")).text == f"x = 0\n{uncertain}def g():\n ...\n"
    apart, whole = both(text)
    assert apart == whole


def test_an_example_in_a_docstring_does_not_mislead() -> None:
    apart, whole = both(SHAPES["an example in a docstring"])
    assert apart == whole


ASYNC = {
    "async def f():\n    try:\n        pass\n    except X:\n        pass\n": True,
    "def f():\n    try:\n        pass\n    except X:\n        pass\n": False,
    "async def f():\n    def g():\n        try:\n            pass\n        except X:\n            pass\n": False,
    "def f():\n    async def g():\n        if 1:\n            except X:\n": True,
    "class A:\n    async def f(\n        self,\n    ) -> None:\n        except X:\n": True,
    "class A:\n    def f(\n        self,\n    ) -> None:\n        except X:\n": False,
    'async def f():\n    x = """\ndef g():\n"""\n    except X:\n': True,
    'class A:\n    async def f(self):\n        x = """\n    for example\n"""\n        except X:\n': True,
    "class A:\n    async def f(self)\\\n    -> None:\n        except X:\n": True,
    "except X:\n": False,
    "async def f():\n    def g():\n        1\n    with suppress(X):\n        2\n": True,
}


@pytest.mark.parametrize("text", ASYNC)
def test_what_may_stand_in_an_async_function(text: str) -> None:
    assert may_be_in_async(text, text.index("X")) is ASYNC[text]

"""Nothing passes in silence: what is found does not depend on how the same thing is written.

`tests/rewrite.py` has all pairs of a fixture and a rewriting; here is a sample of them.
"""

from __future__ import annotations

import json
import tokenize
from typing import TYPE_CHECKING

import pytest
from rewrite import OTHER_MEANING, Subject, differences, fixtures, over
from rewriting.edits import Edit, Rewriting, apply, insert
from rewriting.golang import GO
from rewriting.layout import LAYOUT
from rewriting.module import Module
from stages import found
from test_slice import SETTINGS

from panicguard.engine import check
from panicguard.python.apis import NEEDS
from panicguard.source import Source, declared_encoding

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBJECTS = list(fixtures())
STEP = 11
"""Of the rewritings of a fixture each so many-th is tried, others for the next one."""


def sample() -> Iterator[tuple[Subject, Rewriting]]:
    for number, subject in enumerate(SUBJECTS):
        for rewriting in subject.rewritings[number % STEP :: STEP]:
            yield subject, rewriting


def test_the_same_is_found_however_it_is_written() -> None:
    pairs = list(over(sample()))
    assert len(pairs) > 1000
    assert [pair for pair in pairs if pair[2]] == []


def test_each_exception_names_a_pair_that_differs() -> None:
    """What is excused may be mended one day: then the excuse goes."""
    by_name = {subject.name: subject for subject in SUBJECTS}
    every = {rewriting.name: rewriting for subject in SUBJECTS for rewriting in subject.every}
    for rewriting, fixture in OTHER_MEANING:
        assert differences(by_name[fixture], every[rewriting]), (rewriting, fixture)


def test_a_finding_that_is_lost_is_said_with_the_stage_that_drops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import asyncio\n\n\nasync def f():\n    asyncio.create_task(h())\n"
    subject = Subject("a.py", "a.py", Module(text), SETTINGS)
    apart = Rewriting("apart", lambda module: [insert(module.text.index("create"), "  ")])
    assert differences(subject, apart) == []
    monkeypatch.setitem(NEEDS, "create_task", ("asyncio.create",))
    assert differences(subject, apart) == ["5:5 PNC101 lost by the word screen"]


def test_a_rewriting_that_is_not_neutral_is_said() -> None:
    subject = Subject("a.py", "a.py", Module("x = 1\n"), SETTINGS)
    assert differences(subject, Rewriting("other", lambda _: [Edit(4, 5, "2")])) == ["rewritten wrongly: another tree"]
    (said,) = differences(subject, Rewriting("broken", lambda _: [Edit(4, 5, "")])) or ()
    assert said.startswith("rewritten wrongly: invalid syntax")


def test_places_are_mapped() -> None:
    rewritten = apply("abc def", [insert(4, "(("), Edit(3, 4, "\n\n"), insert(0, "x")])
    assert rewritten.text == "xabc\n\n((def"
    assert [rewritten.moved(at) for at in (0, 2, 4, 6)] == [1, 3, 8, 10]


@pytest.mark.parametrize("rewriting", LAYOUT + GO, ids=lambda rewriting: rewriting.name)
def test_each_rewriting_has_something_to_rewrite(rewriting: Rewriting) -> None:
    tried = (s for s in SUBJECTS if rewriting in s.every)
    assert any(apply(s.module.text, rewriting.edits(s.module)).text != s.module.text for s in tried)


# Imports

USE = "\n\nasync def f():\n    asyncio.create_task(h())\n"
IMPORTS = (
    "import asyncio; import os",
    "import os; import asyncio",
    "import asyncio; import os; import importlib",
    "import asyncio, importlib",
    "import importlib, asyncio",
    "import asyncio  # pylint: disable=wrong-import-position",
    "import asyncio, os; from os import path",
    "import asyncio; from importlib import import_module",
    "x = 1; import asyncio",
    "x = 1; import asyncio; x = 2;",
    "import \\\n    asyncio",
    "import os, \\\n    asyncio, \\\n    importlib",
    "import asyncio; \\\n    import os",
    "if True: import asyncio",
    "if True: import os; import asyncio; import importlib",
    "if not 1: pass\nelse: import asyncio",
    "try: import asyncio\nexcept ImportError: raise",
    "try: import os\nexcept ImportError: raise\nelse: import asyncio",
    "try: import os\nfinally: import asyncio",
    "try:\n    if 1: import asyncio; import os\nexcept ImportError: raise",
    "with open(__file__): import asyncio",
    "for _ in (1,): import asyncio",
    "while True: import asyncio; break",
    "class A: pass\nimport asyncio",
    "match 1:\n    case _: import asyncio; import os",
)


@pytest.mark.parametrize("imports", IMPORTS)
def test_an_import_is_read_wherever_it_stands(imports: str) -> None:
    text = imports + USE
    assert [(d.code, d.start) for d in check(Source("a.py", text), SETTINGS)] == [("PNC101", text.index("asyncio.c"))]


@pytest.mark.parametrize("imports", IMPORTS)
def test_an_import_is_read_wherever_it_stands_in_a_cell(imports: str) -> None:
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": text} for text in (imports, USE.strip())]
    notebook = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    source = Source.decode("a.ipynb", notebook.encode(), notebook=True)
    assert [d.code for d in check(source, SETTINGS)] == ["PNC101"]


# Words

ALONE = {
    "submit": ("from concurrent.futures import ThreadPoolExecutor as E\nE(){0}submit(f)\n", "PNC107"),
    "map": ("from concurrent.futures import ThreadPoolExecutor as E\nE(){0}map(f, x)\n", "PNC107"),
    "remote": ("import ray\n\n\n@ray{0}remote\ndef f(): ...\n\n\nf{0}remote()\n", "PNC107"),
    "create_task": ("import asyncio\nasyncio{0}create_task(h())\n", "PNC101"),
    "gather": ("import asyncio\nasyncio{0}gather(f())\n", "PNC101"),
    "tasks.gather": ("import asyncio\nasyncio{0}tasks{0}gather(f())\n", "PNC101"),
    "Thread": ("import threading\nthreading{0}Thread(target=f){0}start()\n", "PNC103"),
}
DOTS = (".", ". ", " .", " . ", ".\t", "\\\n.", ".\\\n  ", " \\\n . \\\n", ".\f")
IN_BRACKETS = (".\n", "\n.", "\n  .  # one\n  ", ".  # .x\n\n\n", "  # two\n\t.", ".\r\n", ".  # three\r")


@pytest.mark.parametrize("dot", DOTS + IN_BRACKETS)
@pytest.mark.parametrize("word", ALONE)
def test_a_word_is_found_apart_from_its_dot(word: str, dot: str) -> None:
    text, code = ALONE[word]
    if dot in IN_BRACKETS:
        head, _, last = text.rstrip("\n").rpartition("\n")
        if "@" in head:
            head = head.replace("{0}", ".")
        text = f"{head}\n(\n{last}\n)\n"
    assert code in {d.code for d in check(Source("a.py", text.format(dot)), SETTINGS)}


@pytest.mark.parametrize("blank", ["", " ", "  ", "\t", " \t ", "\f", " \f", "\\\n", " \\\n  ", "  \\\r\n"])
def test_a_handler_of_everything_is_found_before_any_colon(blank: str) -> None:
    text = f"async def f(x):\n    try:\n        await x.get()\n    except{blank}:\n        pass\n"
    assert [(d.code, d.start) for d in check(Source("a.py", text), SETTINGS)] == [("PNC304", text.index("except"))]


@pytest.mark.parametrize("blank", ["", " ", "\\\n", " \\\n ", "\f"])
@pytest.mark.parametrize("margin", ["    ", "\f    ", "\t", " "])
def test_a_finally_is_found_before_any_colon(blank: str, margin: str) -> None:
    body = margin + margin.strip("\f")
    text = f"async def f(x):\n{margin}try:\n{body}await x\n{margin}finally{blank}:\n{body}return\n"
    assert [d.code for d in found_sorted(text)] == ["PNC305"]


def found_sorted(text: str):  # type: ignore[no-untyped-def]
    return sorted(found(Source("a.py", text), SETTINGS), key=lambda d: d.start)


@pytest.mark.parametrize(
    "bases",
    ["(Timer)", "( Timer )", "(Timer,)", "(Timer, A)", "(Timer,\n    A)", "(Timer  # one\n    )", "(Timer, key=g(x))"],
)
def test_a_base_is_found_whatever_follows_it(bases: str) -> None:
    text = f"from threading import Timer\n\n\nclass B{bases}:\n    def run(self):\n        self.go()\n"
    assert [d.code for d in found_sorted(text)] == ["PNC104"]


# Encodings


@pytest.mark.parametrize(
    "family", ["utf-8", "UTF_8", "utf8", "latin-1", "iso-8859-1", "ISO_latin_1", "latin1", "cp1252"]
)
@pytest.mark.parametrize("ending", ["", "-unix", "_dos", "-mac", "-sig", "5", "x"])
def test_a_cookie_is_read_as_python_reads_it(family: str, ending: str) -> None:
    cookie = f"{family}{ending}"
    assert declared_encoding(f"# coding: {cookie}\n".encode(), "python") == tokenize._get_normal_name(cookie)  # type: ignore[attr-defined]

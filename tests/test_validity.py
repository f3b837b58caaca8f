"""What no Python accepts is `invalid-syntax` where Ruff says so, stands alone, and is never edited."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from panicguard_lsp import jobs

from panicguard.diagnostic import INVALID_SYNTAX
from panicguard.engine import check
from panicguard.fix import fix
from panicguard.python import newer, validity
from panicguard.python.lex import scan
from panicguard.rule import all_rules
from panicguard.run.lint import lint_bytes
from panicguard.run.task import Does, Task
from panicguard.settings import Settings
from panicguard.source import Source

RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
SETTINGS = Settings(enabled=frozenset(rule.code for rule in all_rules()))
SPAWN = "import asyncio\n\n\nasync def f():\n    asyncio.create_task(h())\n"
CHECK = Task()
RUNNING = sys.version_info[:2]

MISPLACED = {
    "a dedent to nowhere": "if 1:\n    x = 1\n   # c\n    y = 2\n  z = 3\n",
    "a tab after spaces": "if 1:\n        x = 1\n\ty = 2\n",
    "spaces after a tab": "if 1:\n\tx = 1\n        y = 2\n",
    "four spaces and a tab": "if 1:\n    x = 1\n\ty = 2\n",
    "tabs and spaces in another order": "if 1:\n \tx = 1\n\t y = 2\n",
    "a tab as deep as a space and a tab": "if 1:\n \tx = 1\n\ty = 2\n",
    "a dedent after brackets": "if 1:\n    x = (\n  1)\n   y = 1\n",
    "a dedent after a comment": "if 1:\n    x = 1\n  # c\n  y = 1\n",
    "a dedent after a string of several lines": 'if 1:\n    x = """\n  """\n  y = 1\n',
    "a dedent after a backslash": "if 1:\n    x = \\\n  1\n  y = 1\n",
    "a form feed within a margin": "if 1:\n    x = 1\n  \f  y = 1\n",
}
"""Indentation that fits nothing, where only a whole file shows it."""
BROKEN = {
    **MISPLACED,
    "an indent to nowhere": "x = 1\n    y = 2\n",
    "a form feed behind a margin": "if 1:\n    x = 1\n    \f  y = 1\n",
    "no block": "if x:\ny = 1\n",
    "no block at the end": "if x:\n",
    "a parameter twice": "def g(a, a): pass\n",
    "an argument twice": "g(a=1, a=2)\n",
    "an argument twice behind what is not ASCII": "'\N{SNOWMAN}é'; g(a=1, a=2)\n",
    "a positional argument behind a keyword": "g(a=1, 2)\n",
    "a global parameter": "def g(x):\n    global x\n",
    "nonlocal in a module": "nonlocal x\n",
    "a star alone": "*a = 1\n",
    "what nothing is assigned to": "g() = 1\n",
    "what is never deleted": "del g()\n",
    "a name that is taken": "__debug__ = 1\n",
    "a pattern that hides others": "match x:\n    case y: pass\n    case 1: pass\n",
    "a walrus that rebinds": "[x := 1 for x in y]\n",
    "an octal number of old": "x = 012\n",
    "print of old": "print 'x'\n",
    "bytes that are not ASCII": "x = b'é'\n",
    "a control character": "x = 1 \x1a\n",
    "a space that is none": "x = 1\N{NO-BREAK SPACE}\n",
}
if RUNNING >= (3, 11):  # before, its first row is the first that is not known
    BROKEN["two kinds of except"] = "try: pass\nexcept* E: pass\nexcept F: pass\n"
RULED = {
    "return": "return 1\n",
    "await": "await g()\n",
    "await in a function": "def g():\n    await f()\n",
    "async for in a function": "def g():\n    async for x in y: pass\n",
    "yield": "yield 1\n",
    "yield from in an async function": "async def g():\n    yield from x\n",
    "a value of a generator": "async def g():\n    yield 1\n    return 2\n",
    "nonlocal of nothing": "def g():\n    nonlocal x\n",
    "global too late": "def g():\n    x = 1\n    global x\n",
    "break": "break\n",
    "continue": "continue\n",
    "no such future": "from __future__ import nope\n",
    "a late future": "from __future__ import annotations\n",
    "a first except of all": "try: pass\nexcept: pass\nexcept E: pass\n",
    "two stars": "*a, *b = x\n",
    "a star in a function": "def g():\n    from x import *\n",
}
"""What is not `invalid-syntax` to Ruff, although it does not compile."""
NEWER = {
    (3, 11): (
        "try: pass\nexcept* E: pass\n",
        "x[*a]\n",
        "def g(*a: *Ts): pass\n",
        "async def g():\n    return [[x async for x in y] for y in z]\n",
    ),
    (3, 12): (
        "type X = int\n",
        "def g[T](): pass\n",
        "class A[*Ts, **P]: pass\n",
        "x = f'{'a'}'\n",
        "x = f'{'\\n'.join(y)}'\n",
        "x = f'{\n    y  # why\n}'\n",
    ),
    (3, 13): ("type X[T = int] = list[T]\n", "def g[T = int](): pass\n"),
    (3, 14): ("x = t'{y}'\n", "try: pass\nexcept A, B: pass\n", "try: pass\nexcept* A, B: pass\n"),
    (3, 15): ("x = [*y for y in z]\n", "x = {**y for y in z}\n", "lazy import x\n", "lazy from x import y\n"),
}
OLDER = "match x:\n    case [1, *_]: pass\nwith (a as b, c as d): pass\nx = f'{y!r:>{z}}'\ndef g(*a: int): x[a]\n"


def lint(text: str, task: Task = CHECK) -> list[tuple[str, int]]:
    """What is said of the text of a file: codes and rows."""
    result = lint_bytes("a.py", text.encode(), SETTINGS, task)
    return [(d.code, Source("a.py", text).location(d.start)[0]) for d in result.diagnostics]


def by_ruff(folder: Path, files: dict[str, bytes]) -> dict[str, list[dict[str, Any]]]:
    """What Ruff reports for files by their names: only its `invalid-syntax`, in the order of the text."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    command = [str(RUFF), "check", "--isolated", "--no-cache", "--output-format=json", "--select=F401"]
    done = subprocess.run([*command, "--target-version=py314", str(folder)], capture_output=True, check=False)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in files}
    for each in json.loads(done.stdout):
        if each["code"] == INVALID_SYNTAX:
            found[Path(each["filename"]).name].append(each)
    return found


def is_untouched(source: Source) -> bool:
    result = fix(source, SETTINGS, unsafe=True)
    return (result.source, result.fixed, result.original) == (source, (), None)


@pytest.mark.skipif(RUFF is None, reason="needs ruff")
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_what_is_broken_is_told_on_the_row_that_ruff_tells(newline: str, tmp_path: Path) -> None:
    texts = {f"{n}.py": (SPAWN + text).replace("\n", newline) for n, text in enumerate(BROKEN.values())}
    theirs = by_ruff(tmp_path, {name: text.encode() for name, text in texts.items()})
    for name, text in texts.items():
        assert lint(text) == [(INVALID_SYNTAX, theirs[name][0]["location"]["row"])], text


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_is_broken_is_told_alone_and_never_edited(name: str, newline: str) -> None:
    """Wherever it stands, even where only a comment of panicguard's would be removed."""
    for text in (SPAWN + BROKEN[name], BROKEN[name] + SPAWN, "z = 1  # noqa: PNC101\n" + BROKEN[name]):
        source = Source("a.py", text.replace("\n", newline))
        assert [d.code for d in check(source, SETTINGS)] == [INVALID_SYNTAX]
        assert is_untouched(source)
        for task in (Task(Does.FIX), Task(Does.FIX, unsafe=True)):
            assert lint(source.text, task) == lint(source.text)


@pytest.mark.skipif(RUFF is None, reason="needs ruff")
def test_what_ruff_has_rules_for_is_no_syntax_error_and_has_no_fix(tmp_path: Path) -> None:
    texts = {f"{n}.py": SPAWN + text for n, text in enumerate(RULED.values())}
    theirs = by_ruff(tmp_path, {name: text.encode() for name, text in texts.items()})
    for name, text in texts.items():
        assert theirs[name] == [], text
        found = check(Source("a.py", text), SETTINGS)
        assert "PNC101" in [d.code for d in found], text
        assert [d.fix for d in found if d.fix is not None] == [], text
        assert is_untouched(Source("a.py", text)), text


def test_a_place_is_counted_in_characters() -> None:
    text = BROKEN["an argument twice behind what is not ASCII"]
    [found] = check(Source("a.py", SPAWN + text), SETTINGS)
    assert (SPAWN + text)[found.start : found.end] == "a=2"


@pytest.mark.parametrize(
    "text", ["if 1:\n    x = 1\n\f    y = 1\n", "if 1:\n\tif 2:\n            x = 1\n", "x = 1\n\f"]
)
def test_what_is_odd_but_fits(text: str) -> None:
    assert [code for code, _ in lint(SPAWN + text)] == ["PNC101"]
    assert not is_untouched(Source("a.py", SPAWN + text))


def test_every_way_to_run_says_the_same(tmp_path: Path) -> None:
    text = SPAWN + MISPLACED["a dedent to nowhere"]
    path = tmp_path / "a.py"
    path.write_text(text)
    for arguments in (["check"], ["check", "--fix", "--unsafe-fixes"], ["check", "--diff"], ["fix"]):
        for name, data in ((str(path), None), ("-", text)):
            command = [sys.executable, "-m", "panicguard", *arguments, "--isolated", "--no-cache", name]
            done = subprocess.run(command, input=data, cwd=tmp_path, capture_output=True, text=True, check=False)
            said = done.stdout + done.stderr
            assert "PNC101" not in said
            if "--diff" in arguments:
                assert (done.returncode, done.stdout) == (0, "")
            else:
                assert "invalid-syntax: unindent does not match any outer indentation level" in said
                assert done.returncode == 1
    assert path.read_text() == text
    [(diagnostic, silencing)] = jobs.check(Source("a.py", text), SETTINGS)
    assert (diagnostic.code, silencing) == (INVALID_SYNTAX, None)
    assert jobs.fixed(Source("a.py", text), SETTINGS, unsafe=True, code=None) is None


# Notebooks


def notebook(*cells: str) -> bytes:
    return json.dumps(
        {
            "cells": [
                {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": cell}
                for cell in cells
            ],
            "metadata": {"language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 4,
        }
    ).encode()


@pytest.mark.skipif(RUFF is None, reason="needs ruff")
def test_a_broken_cell_is_told_as_ruff_tells_it(tmp_path: Path) -> None:
    files = {f"{n}.ipynb": notebook(SPAWN, f"%magic\n{text}", "z = 1") for n, text in enumerate(MISPLACED.values())}
    theirs = by_ruff(tmp_path, files)
    for name, data in files.items():
        source = Source.decode(name, data, notebook=True)
        [found] = check(source, SETTINGS)
        place = source.place(found.start)
        expected = theirs[name][0]
        assert (found.code, place.cell, place.row) == (INVALID_SYNTAX, expected["cell"], expected["location"]["row"])
        assert is_untouched(source)


def test_a_notebook_may_await_anywhere() -> None:
    source = Source.decode("a.ipynb", notebook(SPAWN, "await f()\n!ls"), notebook=True)
    assert [d.code for d in check(source, SETTINGS)] == ["PNC101"]
    assert not is_untouched(source)


# What is newer than the Python that runs


@pytest.mark.parametrize(("since", "text"), [(since, text) for since, texts in NEWER.items() for text in texts])
def test_newer_syntax_is_no_error(since: tuple[int, int], text: str) -> None:
    """Whatever Python is running: what it does not know is left to the parser that does."""
    source = Source("a.py", SPAWN + text)
    assert (validity.compile_error(source) is None) == (since <= RUNNING)
    assert [d.code for d in check(source, SETTINGS)] == ["PNC101"]
    assert not is_untouched(source)


@pytest.mark.parametrize(("since", "text"), [(since, text) for since, texts in NEWER.items() for text in texts])
@pytest.mark.parametrize("name", MISPLACED)
def test_what_stands_below_newer_syntax_must_fit(since: tuple[int, int], text: str, name: str) -> None:
    text = SPAWN + text + MISPLACED[name]
    source = Source("a.py", text)
    [(code, row)] = lint(text)
    assert code == INVALID_SYNTAX
    assert row == text.count("\n") or (since > RUNNING and not scan(text).sound)
    assert is_untouched(source)


@pytest.mark.parametrize("text", [text for texts in NEWER.values() for text in texts])
def test_newer_syntax_explains_nothing_that_no_parser_reads(text: str) -> None:
    assert [code for code, _ in lint(SPAWN + text + "x = = 1\n")] == [INVALID_SYNTAX]


def test_when_syntax_came() -> None:
    import libcst

    for since, texts in NEWER.items():
        for text in texts:
            tree = libcst.parse_module(text)
            before = (since[0], since[1] - 1)
            # Whether an f-string is free is asked of the running Python.
            assert newer.holds_newer(tree, before) or ("f'" in text and since <= RUNNING), text
            assert not newer.holds_newer(tree, since), text
    assert not newer.holds_newer(libcst.parse_module(OLDER), (3, 10))
    ast.parse(OLDER)


# What is too deep


LIMITS = {
    "brackets": "x = " + "[" * 250 + "]" * 250 + "\n",
    "loops": "".join(" " * depth + "while x:\n" for depth in range(21)) + " " * 21 + "pass\n",
    "operators": "x = " + "-" * 20_000 + "1\n",
    "digits": "x = " + "1" * 5000 + "\n",
}


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_too_much_for_python_is_no_syntax_error(name: str) -> None:
    assert [code for code, _ in lint(LIMITS[name] + SPAWN)] == ["PNC101"]
    assert not is_untouched(Source("a.py", LIMITS[name] + SPAWN))


@pytest.mark.parametrize("name", LIMITS)
def test_what_stands_below_what_is_too_much_must_fit(name: str) -> None:
    text = LIMITS[name] + SPAWN + MISPLACED["a dedent to nowhere"]
    assert lint(text) == [(INVALID_SYNTAX, text.count("\n"))]
    assert is_untouched(Source("a.py", text))


def test_what_cannot_be_verified_is_not_fixed() -> None:
    """Neither parser has read all of it: findings stay, but nothing is edited."""
    text = LIMITS["operators"] + SPAWN + "if x:\n    y = 012\n"
    assert is_untouched(Source("a.py", text))

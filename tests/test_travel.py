"""Fixed code that runs without its module: as the source of one function, or as the cells of a notebook of marimo."""

from __future__ import annotations

import ast
import builtins
import symtable
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from fixtures import FIXTURES, golden, settings_of, source
from panicguard.diagnostic import Applicability
from panicguard.engine import check
from panicguard.fix import fix
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHIPPED = FIXTURES / "PNC103" / "shipped_source.py"
PICKLED = FIXTURES / "PNC103" / "shipped_pickled.py"
NOTEBOOKS = sorted(path for path in FIXTURES.glob("PNC101/marimo_*.py") if not path.stem.endswith(".fixed"))


def functions(text: str) -> dict[str, str]:
    """The source of each function of a module, as it is sent: without its decorators."""
    return {
        node.name: textwrap.dedent("\n".join(text.split("\n")[node.lineno - 1 : node.end_lineno]))
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    }


def ends(text: str, name: str) -> BaseException | None:
    """How a function ends that runs with nothing but its own source."""
    names: dict[str, Any] = {"__name__": "job"}
    exec(functions(text)[name], names)
    try:
        names[name](*[0] * names[name].__code__.co_argcount)
    except BaseException as error:
        return error
    return None


@pytest.mark.parametrize("name", ["job", "fetch"])
def test_a_function_that_is_sent_alone_still_runs_with_its_fix(name: str) -> None:
    fixed = golden(SHIPPED).read_text()
    assert functions(fixed)[name] != functions(SHIPPED.read_text())[name]
    assert ends(fixed, name) is None


def test_what_is_not_imported_there_is_a_name_error() -> None:
    """What the tests here would see."""
    broken = golden(SHIPPED).read_text().replace("    from panicguard import mruntime\n", "    import os\n")
    assert isinstance(ends(broken, "job"), NameError)


@pytest.mark.parametrize("path", [SHIPPED, PICKLED], ids=lambda path: path.stem)
def test_no_fix_of_a_function_that_travels_is_safe(path: Path) -> None:
    found = [d for d in check(source(path), settings_of(path)) if d.is_rule]
    safe = [d for d in found if d.fix and d.fix.applicability is Applicability.SAFE]
    here = path.read_text().index("def here():")
    assert [d.start > here for d in safe] == [True]
    assert len(found) > len(safe)


# A notebook of marimo


def cells(text: str) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(
            ast.unparse(decorator).split("(")[0] == "app.cell" for decorator in node.decorator_list
        ):
            yield node, ast.unparse(node)


def globals_of(body: str) -> tuple[set[str], set[str]]:
    """The names that a cell defines for all others, and those that it needs: what marimo runs is its body, as a module
    that may await."""
    lines = ast.parse(body).body[0].body  # type: ignore[attr-defined]
    code = "\n".join(ast.unparse(statement) for statement in lines if not isinstance(statement, ast.Return))
    table = symtable.symtable(f"async def _():\n{textwrap.indent(code or 'pass', ' ')}", "cell", "exec").get_children()[
        0
    ]
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_local()}
    needed = {symbol.get_name() for inner in nested(table) for symbol in inner.get_symbols() if symbol.is_global()}
    return own, needed - set(dir(builtins))


def nested(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for inner in table.get_children():
        yield from nested(inner)


def faults(text: str) -> list[str]:
    """Why marimo would not run a notebook, or would lose something of it."""
    tree = ast.parse(text)
    said: list[str] = []
    defined: dict[str, int] = {}
    setup: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.With):
            setup = {a.name.split(".")[0] for s in node.body if isinstance(s, ast.Import) for a in s.names}
            setup |= {a.name for s in node.body if isinstance(s, ast.ImportFrom) for a in s.names}
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and "marimo" not in ast.unparse(node):
            said.append(f"{ast.unparse(node)} is lost")
    found = list(cells(text))
    for number, (_, body) in enumerate(found):
        for name in globals_of(body)[0]:
            if name in defined or name in setup:
                said.append(f"{name} is defined twice")
            defined[name] = number
    needs: dict[int, set[int]] = {}
    for number, (cell, body) in enumerate(found):
        needed = globals_of(body)[1] - setup
        needs[number] = {defined[name] for name in needed if name in defined}
        if "mruntime" in needed:
            if "mruntime" not in defined:
                said.append("mruntime is not defined")
            elif "mruntime" not in [arg.arg for arg in cell.args.args]:
                said.append(f"cell {number} does not take mruntime")
            elif "mruntime" not in ast.unparse(found[defined["mruntime"]][0].body[-1]):
                said.append("mruntime is not returned")
    return said + ["a circle" for number in needs if number in reached(needs, number)]


def reached(needs: dict[int, set[int]], start: int) -> set[int]:
    found: set[int] = set()
    pending = [start]
    while pending:
        for number in needs[pending.pop()] - found:
            found.add(number)
            pending.append(number)
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_of_marimo_still_runs_with_its_fixes(path: Path) -> None:
    fixed = fix(source(path), settings_of(path), unsafe=True).source.text
    assert faults(path.read_text()) == faults(fixed) == []


def test_what_marimo_refuses_is_seen() -> None:
    fixed = (FIXTURES / "PNC101" / "marimo_cells.fixed.py").read_text()
    line = "    from panicguard import mruntime\n"
    assert faults(fixed.replace(line, "")) != []
    assert "mruntime is defined twice" in faults(fixed.replace("    import queue\n", f"    import queue\n{line}"))
    assert "mruntime is not returned" in faults(fixed.replace("(asyncio, mruntime)", "(asyncio,)"))
    assert "cell 1 does not take mruntime" in faults(fixed.replace("def _(mruntime):", "def _():"))
    assert "a circle" in faults(fixed.replace(line, f"{line}    f\n"))
    assert faults(f"from panicguard import mruntime\n{fixed}") != []


@pytest.mark.parametrize(
    ("end", "fixed"),
    [
        ("return (asyncio,)", "return (asyncio, mruntime)"),
        ("return asyncio, os", "return asyncio, os, mruntime"),
        ("return (asyncio, os,)", "return (asyncio, os, mruntime)"),
        ("return (\n        asyncio,\n        os,\n    )", "return (\n        asyncio,\n        os, mruntime,\n    )"),
        ("return", "return (mruntime,)"),
        ("return asyncio.sleep", None),
        ("pass", None),
    ],
)
def test_a_cell_returns_what_others_take(end: str, fixed: str | None) -> None:
    text = (
        "import marimo\napp = marimo.App()\n\n@app.cell\ndef _():\n    import os\n    import asyncio\n    "
        f"{end}\n\n@app.cell\nasync def _(asyncio, os):\n    asyncio.create_task(os.f())\n    return\n"
    )
    result = fix(Source("a.py", text), settings_of(SHIPPED), unsafe=True).source.text
    if fixed is None:
        assert result == text
    else:
        assert f"{fixed}\n" in result
        assert "async def _(asyncio, mruntime, os):" in result
        assert faults(result) == []

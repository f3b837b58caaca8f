"""The runtime in a notebook of marimo: imported in one place, which gives it to all cells.

No two cells may define a name, and what stands between the cells is lost when marimo saves: the import goes beside one
that the notebook has for its spawns, in the setup or in a cell, which then returns it as its users take it. All of the
text decides that, for a rule sees only a part of the cells.
"""

from __future__ import annotations

import ast
import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.diagnostic import Edit
from panicguard.python.apis import SPAWNING_MODULES
from panicguard.python.cst import cst
from panicguard.python.fixes.local_import import insertion_below
from panicguard.python.fixes.rewrite import insert
from panicguard.python.plain import plain
from panicguard.python.slice.parse import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.file import PythonFile

_RETURN = re.compile(r"return(?:[ \t]+(\()?\s*(?P<names>\w+(?:\s*,\s*\w+)*)(?P<rest>\s*,?\s*)(?(1)\)))?\s*")
"""What a cell ends with: the names that it defines for others."""


class _Home(NamedTuple):
    """The cell, or the setup, that imports the runtime for all; `below` is the import that it goes below, None where it
    is imported already."""

    place: ast.stmt
    below: ast.stmt | None

    @property
    def is_cell(self) -> bool:
        return not isinstance(self.place, ast.With)

    @property
    def only_imports(self) -> bool:
        """Whether others may depend on it without a loss: nothing in it can fail, or takes time, or needs others."""
        return all(isinstance(s, (ast.Import, ast.ImportFrom, ast.Return)) for s in self.place.body)  # type: ignore[attr-defined]


def edits_for_cell(module: PythonFile, node: CSTNode, name: str, statement: str) -> tuple[Edit, ...] | None:
    """The edits by which the name of the runtime means it at a node of a notebook; None if the notebook has no place
    for the import, or would not run with it."""
    home = _home(module.source.text, module.names.scopes.apps, name, statement)
    row, _ = module.source.location(module.span(node)[0])
    if home is None or (home.below is not None and _holds(home.place, row) and home.below.lineno > row):
        return None
    found = [] if home.below is None else [insertion_below(module.source, home.below.lineno, statement)]
    if home.is_cell and not _holds(home.place, row):
        user = next((above for above, _ in module.tree.frames(node) if above in module.names.scopes.cells), None)
        if not isinstance(user, cst.FunctionDef):
            return None
        taking = _taking(module, user, name)
        if taking.content and not home.only_imports:
            return None
        found += [_returning(module, home.place, name), taking]
    edits = tuple(edit for edit in found if edit is not None)
    return tuple(dict.fromkeys(edit for edit in edits if edit.content)) if len(edits) == len(found) else None


@functools.lru_cache(maxsize=4)
def _home(text: str, apps: frozenset[str], name: str, statement: str) -> _Home | None:
    """Where the runtime is imported, or can be: in the setup, else in a cell of imports, else in the first cell. None
    if the name means something else anywhere."""
    tree = parsed(plain(text))
    if tree is None:
        return None
    places = [place for place in tree.body if _is_of_app(place, apps)]
    for place in places:
        if any(name in _bound(inner) for inner in place.body):  # type: ignore[attr-defined]
            return _Home(place, None) if _means_runtime(tree, name, statement) else None
    if not _means_runtime(tree, name, ""):
        return None
    homes = [_Home(place, below) for place in places for below in _spawning_imports(place)]
    free = (home for home in homes if home.only_imports or not home.is_cell)
    return next(free, next(iter(homes), None))


def _is_of_app(statement: ast.stmt, apps: frozenset[str]) -> bool:
    """Whether a statement is a cell of the notebook, or its setup; the setup is the first of them."""
    match statement:
        case ast.With(items=[ast.withitem(context_expr=expression)]):
            return _is_method(expression, apps, "setup")
        case ast.FunctionDef(decorator_list=decorators) | ast.AsyncFunctionDef(decorator_list=decorators):
            return any(_is_method(decorator, apps, "cell") for decorator in decorators)
    return False


def _is_method(node: ast.expr, apps: frozenset[str], name: str) -> bool:
    match node.func if isinstance(node, ast.Call) else node:
        case ast.Attribute(value=ast.Name(id=app), attr=attr):
            return attr == name and app in apps
    return False


def _spawning_imports(place: ast.stmt) -> Iterator[ast.stmt]:
    """The imports in the body of a place by which something is spawned."""
    for statement in place.body:  # type: ignore[attr-defined]
        if isinstance(statement, ast.Import):
            modules = [alias.name for alias in statement.names]
        else:
            modules = [statement.module or ""] if isinstance(statement, ast.ImportFrom) else []
        if SPAWNING_MODULES.intersection(modules):
            yield statement


def _bound(node: ast.AST) -> set[str]:
    """The names that an import binds."""
    aliases = node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else ()
    return {alias.asname or alias.name.partition(".")[0] for alias in aliases}


def _means_runtime(tree: ast.Module, name: str, statement: str) -> bool:
    """Whether nothing in a notebook binds a name but a parameter, and the statement that imports the runtime by it."""
    return not any(
        (name in _bound(node) and ast.unparse(node) != statement)
        or (isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load))
        or (not isinstance(node, ast.alias) and getattr(node, "name", None) == name)
        for node in ast.walk(tree)
    )


def _holds(place: ast.stmt, row: int) -> bool:
    return place.lineno <= row <= (place.end_lineno or 0)


def _returning(module: PythonFile, cell: ast.stmt, name: str) -> Edit | None:
    """The edit by which a cell returns a name too, empty if it does; None if it does not end as marimo writes cells."""
    source = module.source
    last: ast.stmt = cell.body[-1]  # type: ignore[attr-defined]
    start = source.offset(last.lineno, 1)
    end = source.offset(last.end_lineno or 0, 1) + len(source.line(last.end_lineno or 0))
    start += len(source.line(last.lineno)) - len(source.line(last.lineno).lstrip())
    match = _RETURN.fullmatch(source.text, start, end)
    if match is None:
        return None
    if match["names"] is None:
        return insert(match.end(), f" ({name},)")
    if name in re.split(r"\W+", match["names"]):
        return insert(match.end(), "")
    if match["rest"] == ",":  # of a tuple with one element
        return Edit(*match.span("rest"), f", {name}")
    return insert(match.end("names"), f", {name}")


def _taking(module: PythonFile, cell: cst.FunctionDef, name: str) -> Edit:
    """The edit by which a cell takes a name, empty if it does: marimo sorts parameters."""
    params = cell.params.params
    below = next((param for param in params if param.name.value >= name), None)
    if below is not None:
        return insert(module.span(below)[0], "" if below.name.value == name else f"{name}, ")
    if params:
        return insert(module.span(params[-1])[1], f", {name}")
    return insert(module.source.text.index("(", module.span(cell.name)[1]) + 1, name)

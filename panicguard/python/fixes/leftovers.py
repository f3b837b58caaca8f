"""What a fix would leave unused: the import that its call was named by.

A fix that takes away the last use removes the import. Where several fixes of a file take away a use each, none of them
is the last: all but the last in the text have an edit in common, which keeps the import as it is, and the last one has
an edit that adjoins it. Edits that adjoin are not made in the same round, so the last fix waits for the next one, and
then it is the only one.
"""

from __future__ import annotations

import re
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from panicguard.diagnostic import Edit
from panicguard.python.cst import cst
from panicguard.python.fixes.occurrences import block, occurrences
from panicguard.python.fixes.rewrite import insert
from panicguard.python.scopes import BindingKind, module_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from libcst import CSTNode

    from panicguard.python.file import PythonFile

_IMPORTS = re.compile(r"(?:import|from)\s")


class _Import(NamedTuple):
    """The import of a name: the statement, which of its aliases, and the span of the code that may use the name."""

    name: str
    statement: cst.Import | cst.ImportFrom
    position: int
    reach: tuple[int, int]


def tidied(module: PythonFile, callee: CSTNode, edits: Sequence[Edit], imported: Sequence[Edit]) -> set[Edit]:
    """The edits of a fix that rewrites a call, and what it takes so that the name it was called by is not left behind.
    `imported` are the edits that import the runtime."""
    every = {*edits, *imported}
    found = _import(module, callee)
    if found is None or any(re.search(rf"(?<![\w.'\"]){found.name}(?!\w)", edit.content) for edit in edits):
        return every
    alias = module.span(found.statement.names[found.position])  # type: ignore[index]
    uses = occurrences(module.source.text, found.name).inside(*found.reach).outside(_not_meant(module, found))
    left = uses.outside((edit.start, edit.end) for edit in edits if edit.start < edit.end)
    if not left.all:
        removal = _removal(module, found)
        return every if removal is None else {*edits, *_joined(module, removal, imported)}
    if left.others:
        return every
    is_last = left.all[-1] < uses.all[-1]
    return {*every, insert(alias[1], "") if is_last else Edit(*alias, module.source.text[slice(*alias)])}


def _not_meant(module: PythonFile, found: _Import) -> Iterator[tuple[int, int]]:
    """The import itself, and the functions in its reach that mean something else by its name."""
    yield module.span(found.statement)
    for scope, names in module.names.bindings.items():
        if found.name in names and isinstance(scope, cst.FunctionDef):
            span = block(module.source.text, module.span(scope.name)[0])
            if found.reach[0] <= span[0] and span != found.reach:
                yield span


def _import(module: PythonFile, callee: CSTNode) -> _Import | None:
    """The import that a callee begins with, if removing it is certain to do no harm once its name is not used: of the
    standard library, at the top level or in a function, in rows of its own and without a comment."""
    if module.source.cells or module.names.scopes.apps or PurePath(module.source.path).name == "__init__.py":
        return None
    while isinstance(callee, (cst.Attribute, cst.Call)):
        callee = callee.func if isinstance(callee, cst.Call) else callee.value
    if not isinstance(callee, cst.Name):
        return None
    scope, bindings = module.names.lookup(callee.value, module.names.scope(callee))
    if scope is None or len(bindings) != 1 or bindings[0].kind is not BindingKind.IMPORT:
        return None
    statement = bindings[0].node
    if not isinstance(statement, (cst.Import, cst.ImportFrom)) or isinstance(statement.names, cst.ImportStar):
        return None
    index = next((i for i, alias in enumerate(statement.names) if _bound(alias) == callee.value), None)
    line = module.tree.parents[statement]
    if index is None or not isinstance(line, cst.SimpleStatementLine) or len(line.body) > 1:
        return None
    if not _is_of_block(module, line, scope) or not _is_standard(statement, index):
        return None
    start, end = module.span(statement)
    rows = module.source.text[start : _end_of_row(module, end)]
    if "#" in rows or ";" in rows or "\\" in rows:
        return None
    reach = 0, len(module.source.text)
    if isinstance(scope, cst.FunctionDef):
        reach = block(module.source.text, module.span(scope.name)[0])
    return _Import(callee.value, statement, index, reach)


def _bound(alias: cst.ImportAlias) -> str | None:
    """The name that a part of an import binds; None where that may be meant for others, `x as x`, or has dots."""
    name = alias.name.value if isinstance(alias.name, cst.Name) else None
    if alias.asname is None:
        return name
    bound = alias.asname.name.value if isinstance(alias.asname.name, cst.Name) else None
    return None if bound == name else bound


def _is_of_block(module: PythonFile, line: CSTNode, scope: CSTNode) -> bool:
    """Whether a line stands in the body of a module or a function itself, and so runs whenever that does."""
    above = module.tree.parents[line]
    return above is scope if scope is module.tree.root else module.tree.parents[above] is scope


def _is_standard(statement: cst.Import | cst.ImportFrom, index: int) -> bool:
    imported = statement.names[index].name  # type: ignore[index]
    name = module_name(statement) if isinstance(statement, cst.ImportFrom) else str(getattr(imported, "value", ""))
    return name.partition(".")[0] in sys.stdlib_module_names


def _end_of_row(module: PythonFile, offset: int) -> int:
    row, _ = module.source.location(offset)
    return module.source.offset(row, 1) + len(module.source.line(row))


def _removal(module: PythonFile, found: _Import) -> Edit | None:
    """The edit that removes a name from its import, or the import."""
    names, text = found.statement.names, module.source.text
    spans = [module.span(alias) for alias in names]  # type: ignore[union-attr]
    if len(spans) == 1:
        return _whole(module, found.statement)
    start, end = module.span(found.statement)
    if len(spans) == 2 and text[end - 1] == ")" and not text[spans[1][1] : end].lstrip().startswith(","):
        other = spans[1 - found.position]
        head = text[start : spans[0][0]].partition("(")[0]
        return Edit(start, end, f"{head}{text[slice(*other)]}")
    if found.position + 1 < len(spans):
        return Edit(spans[found.position][0], spans[found.position + 1][0], "")
    return Edit(spans[found.position - 1][1], spans[found.position][1], "")


def _whole(module: PythonFile, statement: CSTNode) -> Edit:
    """The removal of an import's rows; and of the blank ones on one side, where it stands between blank rows."""
    source = module.source
    first, _ = source.location(module.span(statement)[0])
    last, _ = source.location(module.span(statement)[1])
    below = last + 1
    count = len(source.line_starts)
    if first == 1 or not source.line(first - 1).strip():
        while below < count and not source.line(below).strip():
            below += 1
        if below > last + 1 and not _IMPORTS.match(source.line(below)):
            below = last + 1
            while first > 2 and not source.line(first - 1).strip():
                first -= 1
    return Edit(source.offset(first, 1), source.offset(below, 1) if below <= count else len(source.text), "")


def _joined(module: PythonFile, removal: Edit, imported: Sequence[Edit]) -> tuple[Edit, ...]:
    """A removal, with the import of the runtime in its place where that goes beside it. The edit reaches as far as the
    insertion that other fixes of the file have, so that the two are not both made."""
    text, newline = module.source.text, module.source.newline
    for edit in imported:
        if removal.content or not removal.start <= edit.start <= removal.end:
            continue
        rows = text[removal.start : removal.end]
        start = removal.start + len(rows) - len(rows.lstrip())
        end = removal.start + len(rows.rstrip())
        is_below = edit.start in (end, _end_of_row(module, end) + len(newline)) and edit.content.startswith(newline)
        if is_below and not _has_neighbour(module, removal):
            return (Edit(start, edit.start, edit.content.strip() + text[end : edit.start]),)
        if is_below and edit.start == end:
            return (Edit(removal.start, edit.start, edit.content.removeprefix(newline)),)
        if removal.start < edit.start < removal.end:
            low, high = min(start, edit.start), max(end, edit.start)
            return (Edit(low, high, f"{text[low:start]}{edit.content.strip()}{text[end:high]}"),)
    return (removal, *imported)


def _has_neighbour(module: PythonFile, removal: Edit) -> bool:
    """Whether other imports stand in the row above what is removed."""
    row, _ = module.source.location(removal.start)
    return row > 1 and _IMPORTS.match(module.source.line(row - 1).lstrip()) is not None

"""What a fix would leave unused: the import that its call was named by.

A fix that takes away the last use removes the import. Where several fixes of a file take away a use each, none of them
is the last: all but the last in the text have an edit in common, which keeps the import as it is, and the last one has
an edit that adjoins it. Edits that adjoin are not made in the same round, so the last fix waits for the next one, and
then it is the only one.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from panicguard.diagnostic import Edit
from panicguard.lines import line_at
from panicguard.python.cst import cst
from panicguard.python.fixes.occurrences import block, occurrences
from panicguard.python.fixes.rewrite import insert
from panicguard.python.lex import scan
from panicguard.python.scopes import BindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from libcst import CSTNode

    from panicguard.python.file import PythonFile

_IMPORTS = re.compile(r"(?:import|from)\s")


class _Import(NamedTuple):
    """The import of a name, by its own text, for the tree may lack some of the names: the spans of the statement and of
    its names, which of them it is, and the scope that may use it, with its span."""

    name: str
    span: tuple[int, int]
    aliases: list[tuple[int, int]]
    position: int
    scope: CSTNode
    reach: tuple[int, int]


def tidied(module: PythonFile, callee: CSTNode, edits: Sequence[Edit], imported: Sequence[Edit]) -> set[Edit]:
    """The edits of a fix that rewrites a call, and what it takes so that the name it was called by is not left behind.
    `imported` are the edits that import the runtime."""
    every = {*edits, *imported}
    found = _import(module, callee)
    if found is None or any(re.search(rf"(?<![\w.'\"]){found.name}(?!\w)", edit.content) for edit in edits):
        return every
    alias = found.aliases[found.position]
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
    yield found.span
    for scope, names in module.names.bindings.items():
        if found.name in names and isinstance(scope, cst.FunctionDef) and module.tree.is_in(scope, found.scope):
            yield block(module.source.text, module.span(scope.name)[0])


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
    line = module.tree.parents.get(bindings[0].node)
    if not isinstance(line, cst.SimpleStatementLine) or not _is_of_block(module, line, scope):
        return None
    reach = 0, len(module.source.text)
    if isinstance(scope, cst.FunctionDef):
        reach = block(module.source.text, module.span(scope.name)[0])
    return _written(module, module.span(bindings[0].node)[0], callee.value, scope, reach)


def _written(module: PythonFile, start: int, name: str, scope: CSTNode, reach: tuple[int, int]) -> _Import | None:
    """The import that starts at an offset, if it is the only statement of its rows."""
    text, lines = module.source.text, scan(module.source.text).lines
    rows = text[start : lines[line_at(lines, start)].end].rstrip()
    if not rows.isascii() or "#" in rows or ";" in rows or "\\" in rows or "\r" in rows.replace("\r\n", "  "):
        return None
    try:
        (statement,) = ast.parse(rows).body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(statement, (ast.Import, ast.ImportFrom)):
        return None
    position = next((i for i, alias in enumerate(statement.names) if _bound(alias) == name), None)
    if position is None or not _is_standard(statement, position):
        return None
    starts = [start, *(start + match.end() for match in re.finditer("\n", rows))]
    aliases = [
        (starts[alias.lineno - 1] + alias.col_offset, starts[(alias.end_lineno or 1) - 1] + (alias.end_col_offset or 0))
        for alias in statement.names
    ]
    return _Import(name, (start, start + len(rows)), aliases, position, scope, reach)


def _bound(alias: ast.alias) -> str | None:
    """The name that a part of an import binds; None where that may be meant for others, `x as x`, or has dots."""
    if alias.asname is None:
        return None if "." in alias.name else alias.name
    return None if alias.asname == alias.name else alias.asname


def _is_of_block(module: PythonFile, line: CSTNode, scope: CSTNode) -> bool:
    """Whether a line stands in the body of a module itself, or anywhere in that of a function where it is not all that
    stands in a block."""
    above = module.tree.parents[line]
    if scope is module.tree.root:
        return above is scope
    return module.tree.parents[above] is scope or (isinstance(above, cst.IndentedBlock) and len(above.body) > 1)


def _is_standard(statement: ast.Import | ast.ImportFrom, position: int) -> bool:
    if isinstance(statement, ast.Import):
        name = statement.names[position].name
    else:
        name = "" if statement.level else statement.module or ""
    return name.partition(".")[0] in sys.stdlib_module_names


def _end_of_row(module: PythonFile, offset: int) -> int:
    row, _ = module.source.location(offset)
    return module.source.offset(row, 1) + len(module.source.line(row))


def _removal(module: PythonFile, found: _Import) -> Edit | None:
    """The edit that removes a name from its import, or the import."""
    text, spans = module.source.text, found.aliases
    start, end = found.span
    if len(spans) == 1:
        return _whole(module, start, end)
    if len(spans) == 2 and text[end - 1] == ")" and not text[spans[1][1] : end].lstrip().startswith(","):
        other = spans[1 - found.position]
        head = text[start : spans[0][0]].partition("(")[0]
        return Edit(start, end, f"{head}{text[slice(*other)]}")
    if found.position + 1 < len(spans):
        return Edit(spans[found.position][0], spans[found.position + 1][0], "")
    return Edit(spans[found.position - 1][1], spans[found.position][1], "")


def _whole(module: PythonFile, start: int, end: int) -> Edit:
    """The removal of an import's rows; and of the blank ones on one side, where it stands between blank rows."""
    source = module.source
    first, _ = source.location(start)
    last, _ = source.location(end)
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

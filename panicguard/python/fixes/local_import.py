"""Imports in functions: of what a spawn is named by, and of the runtime beside that."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from panicguard.diagnostic import Edit
from panicguard.python.cst import cst
from panicguard.python.scopes import BindingKind

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.source import Source

_IMPORT = re.compile(r"(?:import|from)[ \t]+(\.*\w*)[^\n\r(\\;]*$")
"""An import in a row of its own; the package it is from."""


class Origin(NamedTuple):
    """The import that an expression begins with, and the scope that it is in."""

    scope: CSTNode
    statement: CSTNode


def origin(module: PythonFile, node: CSTNode) -> Origin | None:
    """Where a call, or the base of the class that a method is in, is imported: `threading` for `Thread(...)`, for what
    `loop = asyncio.new_event_loop()` gave `asyncio`. None if an import is not where it begins."""
    if isinstance(node, cst.FunctionDef):
        definition = module.names.method_class(node)
        return None if definition is None or not definition.bases else origin(module, definition.bases[0].value)
    seen: set[str] = set()
    while True:
        match node:
            case cst.Call(func=inner) | cst.Attribute(value=inner) | cst.Await(expression=inner):
                node = inner
            case cst.Name(value=name) if name not in seen:
                seen.add(name)
                scope, bindings = module.names.lookup(name, module.names.scope(node))
                if scope is not None and all(b.kind is BindingKind.IMPORT for b in bindings):
                    return Origin(scope, bindings[0].node)
                values = [b.value for b in bindings if b.kind in (BindingKind.VALUE, BindingKind.CONTEXT)]
                if len(bindings) != 1 or not values or not isinstance(values[0], cst.CSTNode):
                    return None
                node = values[0]
            case _:
                return None


def is_run_before(module: PythonFile, statement: CSTNode, node: CSTNode) -> bool:
    """Whether a statement in a line has run wherever a node runs: it stands above it, in a block around it."""
    block = module.tree.parents[module.tree.parents[statement]]
    return module.tree.is_in(node, block) and module.span(statement)[0] < module.span(node)[0]


def insertion_below(source: Source, first: int, text: str) -> Edit | None:
    """The edit that puts an import below the one that stands in an indented row, `first`, and below those that follow
    it; None if that is not all there is in its row."""
    line = source.line(first)
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    above = _import_at(line, indent)
    if above is None:
        return None
    row = first
    while row < len(source.line_starts) and (below := _import_at(source.line(row + 1), indent)) is not None:
        row, above = row + 1, below
    last = source.offset(row, 1) + len(source.line(row))
    apart = source.newline if _is_standard(above) and not _is_standard(_IMPORT.match(text)) else ""
    return Edit(last, last, f"{apart}{source.newline}{indent}{text}")


def _import_at(line: str, indent: str) -> re.Match[str] | None:
    code = line.partition("#")[0].rstrip()
    return _IMPORT.match(code, len(indent)) if line.startswith(indent) else None


def _is_standard(statement: re.Match[str] | None) -> bool:
    return statement is not None and statement[1] in sys.stdlib_module_names

"""Where the statements of a module stand: Python's own tree, row by row.

Rows count from 0, and a range of rows is without its end. Statements that share a row are one: they stay together or
go together. Nothing refers upwards to what holds it, so that all of this is freed without a search for cycles.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
TRIES: tuple[type[ast.AST], ...] = (ast.Try, *((ast.TryStar,) if hasattr(ast, "TryStar") else ()))
_ELSE = frozenset((ast.If, ast.While, ast.For, ast.AsyncFor))
_DECORATED = frozenset(DEFINITIONS)
HEADED = frozenset((*DEFINITIONS, ast.With, ast.AsyncWith, *_ELSE, *TRIES))
"""Statements with bodies of statements; a `match` is kept or left out whole."""


class Clause(NamedTuple):
    """A header and the statements under it. `head` is the node that the header begins; None for `else` and `finally`,
    which `keyword` names: the tree does not say where they stand."""

    head: ast.AST | None
    keyword: str
    first: int
    last: int
    body_first: int
    """The row behind the header; `first` where the body shares a row with it."""
    body: list[ast.stmt]

    @property
    def is_inline(self) -> bool:
        return self.body_first == self.first


@dataclass(slots=True, eq=False)  # what is frozen takes four times as long to make, and these are many
class Statement:
    """A statement, or several that share rows: first to last (exclusive), decorators and bodies included."""

    nodes: tuple[ast.stmt, ...]
    node: ast.stmt
    """The first of them."""
    first: int
    last: int


def statements(lines: Sequence[str], body: Sequence[ast.stmt]) -> list[Statement]:
    """The statements of a body."""
    found: list[Statement] = []
    before = -1
    for node in body:
        first = node.lineno - 1
        if lines[first - 1].endswith("\\") or type(node) in _DECORATED:
            first = _first_row(lines, node)
        last: int = node.end_lineno  # type: ignore[assignment]
        if first < before:
            joined = found[-1]
            found[-1] = Statement((*joined.nodes, node), joined.node, joined.first, max(joined.last, last))
        else:
            found.append(Statement((node,), node, first, last))
        before = max(before, last)
    return found


def is_compound(statement: Statement) -> bool:
    """Whether a statement has clauses."""
    return type(statement.node) in HEADED and len(statement.nodes) == 1


def clauses(lines: Sequence[str], statement: Statement) -> list[Clause]:
    """The clauses of a compound statement, in the order of the text; none of another."""
    if not is_compound(statement):
        return []
    node = statement.node
    found = [_clause(lines, node, "", statement.first, node.body)]  # type: ignore[attr-defined]
    for handler in getattr(node, "handlers", ()):
        found.append(_clause(lines, handler, "", handler.lineno - 1, handler.body))
    while orelse := getattr(node, "orelse", None):
        below = orelse[0]
        if len(orelse) == 1 and type(below) is ast.If and lines[below.lineno - 1].lstrip().startswith("elif"):
            found.append(_clause(lines, below, "", below.lineno - 1, below.body))
            node = below
            continue
        found.append(_clause(lines, None, "else", found[-1].last, orelse))
        break
    if final := getattr(statement.node, "finalbody", None):
        found.append(_clause(lines, None, "finally", found[-1].last, final))
    return found


def margin(line: str) -> str:
    """The whitespace that a line starts with."""
    return line[: len(line) - len(line.lstrip(" \t\f"))]


def is_blank(line: str) -> bool:
    """Whether a line holds no code: nothing, a comment, or a backslash alone."""
    bare = line.strip()
    return not bare or bare == "\\" or bare[0] == "#"


def _clause(lines: Sequence[str], head: ast.AST | None, keyword: str, first: int, body: list[ast.stmt]) -> Clause:
    """A clause; one without a node starts at its keyword somewhere from `first` on."""
    below = body[0]
    row = _first_row(lines, below)
    is_inline = type(below) not in HEADED and (row < below.lineno - 1 or bool(lines[row][: below.col_offset].strip()))
    if keyword:
        at = row
        while at > first and not lines[at].lstrip().startswith(keyword):
            at -= 1
        first = at
    end = row
    while end - 1 > first and is_blank(lines[end - 1]):
        end -= 1
    last = body[-1].end_lineno or row + 1
    return Clause(head, keyword, first, last, first if is_inline else end, body)


def _decorated(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", None)
    return int(decorators[0].lineno if decorators else node.lineno) - 1


def _first_row(lines: Sequence[str], node: ast.stmt) -> int:
    """The row that a statement starts in, or that a backslash joins to it."""
    row = _decorated(node)
    if row and lines[row - 1].endswith("\\"):
        at = row
        while at and lines[at - 1].endswith("\\"):
            at -= 1
        if not is_blank(lines[at]):
            return at
    return row

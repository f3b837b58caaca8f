"""The statements of a text by its logical lines and their indentation, without a parse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set

    from panicguard.lines import LogicalLine

_HEADER = re.compile(r"[ \t\f]*(?:(async[ \t]+def|def|class)[ \t]+(\w+)|(@))?")
_CLAUSE = re.compile(r"[ \t\f]*(?:elif|else|except|finally)\b")
_EXCEPT = re.compile(r"[ \t\f]*except\b")
_MATCH = re.compile(r"[ \t\f]*match\b")


class Block(NamedTuple):
    """A statement and its body: logical lines first to last (exclusive), of which `header` is the first behind its
    decorators; where its text starts and ends. `kind` is def, async def, class or "" for another."""

    first: int
    header: int
    last: int
    start: int
    end: int
    kind: str
    name: str


class Outline(NamedTuple):
    """The functions and methods of a text, each whole; its classes; and the other statements outside functions."""

    functions: list[Block]
    statements: list[Block]
    classes: list[Block]


def outline(text: str, lines: Sequence[LogicalLine]) -> Outline:
    found = Outline([], [], [])
    _sort(text, lines, 0, len(lines), found)
    return found


def _sort(text: str, lines: Sequence[LogicalLine], first: int, last: int, found: Outline) -> None:
    """Sort what is between two logical lines: the insides of classes and of other statements by themselves."""
    while first < last:
        header = block_header(text, lines, first, last)
        end = min(body_end(lines, header), last)
        kind, name = definition(text, lines[header])
        block = Block(first, header, end, lines[first].start, lines[end - 1].end, kind, name)
        if kind == "class":
            found.classes.append(block)
            _sort(text, lines, header + 1, end, found)
        elif kind:
            found.functions.append(block)
        elif end - first > 1:
            _sort(text, lines, header + 1, end, found)
        else:
            found.statements.append(block)
        first = end


def definition(text: str, line: LogicalLine) -> tuple[str, str]:
    """The keyword and the name of what a logical line begins to define; two empty strings if it does not."""
    match = _HEADER.match(text, line.start)
    return (match[1] or "", match[2] or "") if match else ("", "")


def block_header(text: str, lines: Sequence[LogicalLine], first: int, last: int) -> int:
    """The first row from `first` on that is no decorator."""
    while first + 1 < last and (match := _HEADER.match(text, lines[first].start)) and match[3]:
        first += 1
    return first


def body_end(lines: Sequence[LogicalLine], row: int) -> int:
    """The row behind the body of a logical line."""
    end = row + 1
    while end < len(lines) and lines[end].indent > lines[row].indent:
        end += 1
    return end


def above(lines: Sequence[LogicalLine], row: int, first: int = 0) -> Iterator[int]:
    """The rows from `first` on that a row stands under, the nearest first."""
    indent = lines[row].indent
    for at in range(row - 1, first - 1, -1):
        if lines[at].indent < indent:
            indent = lines[at].indent
            yield at


def skeleton(
    text: str, lines: Sequence[LogicalLine], first: int, last: int, wanted: Set[int]
) -> Iterator[tuple[int, bool]]:
    """The rows from `first` to `last` (exclusive) without those that are not wanted and have none wanted under them:
    True with each row that stays, False with the first of each row of statements that go. The handlers of a `try` that
    stays are whole: what they do with an error is a question about all of them."""
    left_out = False
    while first < last:
        end = _statement_end(text, lines, first, last)
        if wanted.isdisjoint(range(first, end)):
            if not left_out:
                yield first, False
            left_out = True
        elif _MATCH.match(text, lines[first].start):
            yield from ((row, True) for row in range(first, end))
            left_out = False
        else:
            row = first
            while row < end:
                yield row, True
                below = body_end(lines, row)
                if _EXCEPT.match(text, lines[row].start):
                    yield from ((inside, True) for inside in range(row + 1, below))
                else:
                    yield from skeleton(text, lines, row + 1, below, wanted)
                row = below
            left_out = False
        first = end


def _statement_end(text: str, lines: Sequence[LogicalLine], first: int, last: int) -> int:
    """The row behind the statement that starts at `first`: decorators, bodies and further clauses included."""
    end = body_end(lines, block_header(text, lines, first, last))
    while end < last and lines[end].indent == lines[first].indent and _CLAUSE.match(text, lines[end].start):
        end = body_end(lines, end)
    return min(end, last)

"""golangci-lint's own suppression comment, `//nolint:panicguard // why`, and where one applies.

It applies to the lines of the group of comments that it is in, and to the whole of a statement, declaration or
expression that begins on the line below the group, in the same column. The file begins at `package`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.lex import scan
from panicguard.suppression.directives import Code, Directive, Kind
from panicguard.suppression.placement import Scope, row_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.source import Source

MARK = "nolint"
SLASHES = "//"
"""Text without which a file has no such comment."""
_NOLINT = re.compile(r"//[/ \t]*nolint(?=[ :]|$)")
_NAME = re.compile(r"[^,]+")
LINTERS = {
    "panicguard": re.compile("PNC[1-8]"),
    "panicguardwarn": re.compile("PNC302|PNC311"),
    "norawgoroutine": re.compile("PNC120"),
    "norecoveroutsideboundary": re.compile("PNC310"),
    "nopanicinproduction": re.compile("PNC311"),
    "nobarerecover": re.compile("PNC302"),
}
"""The names, besides those of the rules, that panicguard's linters have or had -> the codes that each stands for."""
_LISTS = frozenset(("statement_list", "expression_list", "source_file"))
"""Nodes of the grammar that have no counterpart in go/ast."""


class Comment(NamedTuple):
    """A nolint comment: `text[start:end]`, with its names; None if all linters are meant. `group` is the first and
    the last row of the comments around it, and the column where they start."""

    directive: Directive
    group: tuple[int, int, int]


def comments(source: Source) -> Iterator[Comment]:
    if MARK not in source.text:
        return
    for group in _groups(source):
        for start, end in group:
            head = _NOLINT.match(source.text, start, end)
            if head is None:
                continue
            row, column = source.location(group[0][0])
            rows = (row, source.location(group[-1][0])[0], column)
            yield Comment(_directive(source, head.end(), start, end), rows)


def _directive(source: Source, at: int, start: int, end: int) -> Directive:
    text = source.text
    if text[at : at + 1] != ":" or text.startswith("all", at + 1):
        stop = at + len(":all") if text[at : at + 1] == ":" else at
        return Directive(Kind.NOLINT, start, stop, (start, end), None)
    stop = text.find("//", at, end)
    stop = end if stop < 0 else stop
    codes = []
    for name in _NAME.finditer(text, at + 1, stop):
        stripped = name[0].strip()
        if stripped:
            begin = name.start() + name[0].index(stripped)
            codes.append(Code(stripped.lower(), begin, begin + len(stripped)))
    last = codes[-1].end if codes else at
    return Directive(Kind.NOLINT, start, last, (start, end), tuple(codes) or None)


def _groups(source: Source) -> Iterator[list[tuple[int, int]]]:
    """The comments in groups, as in Go's parser: consecutive lines that contain only comments; a comment after code is
    a group of its own."""
    group: list[tuple[int, int]] = []
    last = 0
    for start, end in scan(source.text).comments:
        row, column = source.location(start)
        alone = not source.line(row)[: column - 1].strip()
        if group and not (alone and last == row - 1):
            yield group
            group = []
        group.append((start, end))
        last = row if alone else -1
    if group:
        yield group


def scopes(source: Source) -> list[Scope]:
    """Where each name of each nolint comment applies."""
    placed = []
    for directive, (first, last, column) in comments(source):
        low, high = row_span(source, first)[0], row_span(source, last)[1]
        high = max(high, _end_below(source, last + 1, column))
        codes: tuple[Code | None, ...] = (None,) if directive.codes is None else directive.codes
        placed += [Scope(directive, code, 1, low, high) for code in codes]
    return placed


def _end_below(source: Source, row: int, column: int) -> int:
    """The end of the last line of what begins at a row and column; 0 if nothing begins there."""
    from panicguard.go.tree import parsed

    if row > len(source.line_starts) or source.line(row)[: column - 1].strip() or not source.line(row)[column - 1 :]:
        return 0
    at = len(source.text[: source.offset(row, column)].encode())
    tree = parsed(source.text)
    node: Node | None = tree.root.descendant_for_byte_range(at, at)
    end = 0
    while node is not None and node.start_byte == at:
        if node.type == "package_clause":
            return len(source.text) + 1
        if node.type not in _LISTS and node.is_named:
            end = max(end, node.end_byte)
        elif node.parent is not None and not node.is_named and node.parent.start_byte != at:
            break
        node = node.parent
    if not end:
        return 0
    return row_span(source, source.location(tree.offset(end))[0])[1]
